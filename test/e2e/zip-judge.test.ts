import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkModuleZip } from '../../src/zip/rules/check-module-zip.ts';
import { readDirectory } from '../../src/zip/read/directory.ts';
import { findPathProblem } from '../../src/zip/rules/file-path.ts';
import { foldCase } from '../../src/zip/rules/fold.ts';
import { hashMod } from '../../src/zip/hash/hash-mod.ts';
import { hashZip } from '../../src/zip/hash/hash-zip.ts';
import { bytesSource } from '../../src/bytes/byte-source.ts';
import { emptyDeflate, overlapping, PREFIX, randomZip } from '../fakes/zip/forged-zip.ts';
import { bigZip, writeZip } from '../fakes/zip/zip-writer.ts';
import { bodyBytes } from '../fakes/origin/answer.ts';
import { type GoVerdict, startZipJudge, type ZipJudge } from '../fakes/zip/zipjudge/judge.ts';
import { findAnyGo } from '../go/go.ts';

// src/zip compared with golang.org/x/mod: the hash and the rules.

const go = findAnyGo() ?? '';
const SEEDS = Number(process.env['MODFERRY_ZIP_SEEDS'] ?? 600);
const MODULE = { path: 'example.com/m', version: 'v1.0.0' };

/**
 * Where modferry is stricter than Go on purpose. None of these zips comes from `go mod download` or
 * golang.org/x/mod/zip.
 *
 * - A local header outside of the file, or a number above 2^53: Go reports it when it opens the
 *   entry, so not when it reads only names, and never for an entry that another one of the same
 *   name hides. Such a zip cannot be unpacked.
 * - Entries whose data overlap: Go reads the same data again for each of them, so a small
 *   file keeps a server busy for days.
 * - Sizes over 500 MiB: Go's hash has no limit, but its download and its check of the zip have.
 */
const STRICTER =
  /points outside the file|zip64 size beyond 2\^53|entries overlap|over Go's limit of 524288000$/;

interface Verdict {
  /** The hash, or the reason why there is none. */
  readonly hash: string;
  /** The rule that is broken; empty where none is. */
  readonly check: string;
}

async function verdictOf(zip: Uint8Array): Promise<Verdict> {
  const hashed = await hashZip(bytesSource(zip));
  const directory = readDirectory(zip, zip.length);
  const check =
    directory.kind === 'complete'
      ? (checkModuleZip(directory.entries, { prefix: PREFIX, size: zip.length }) ?? '')
      : directory.kind === 'broken'
        ? directory.reason
        : 'beyond the tail';
  return { hash: hashed.kind === 'hashed' ? hashed.h1 : hashed.reason, check };
}

/** Where the two disagree, and modferry is not stricter on purpose. */
function findDisagreement(ours: Verdict, gos: GoVerdict): string | undefined {
  const hashes = ours.hash.startsWith('h1:');
  const stricter = !hashes && STRICTER.test(ours.hash);
  if (!stricter && ours.hash !== gos.h1 && (hashes || gos.hashError === '')) return 'hash';
  if ((ours.check === '') !== (gos.checkError === '') && !STRICTER.test(ours.check)) return 'check';
  if (hashes && ours.check === '' && gos.unzipError !== '') return 'unzip';
  const usable = gos.hashError === '' && gos.checkError === '' && gos.unzipError === '';
  return usable && (!hashes || ours.check !== '') && !STRICTER.test(ours.hash)
    ? 'usable'
    : undefined;
}

describe.skipIf(go === '')('modferry and x/mod', () => {
  let judge: ZipJudge;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'modferry-judge-'));
    judge = await startZipJudge(go);
  });
  afterAll(async () => {
    await judge.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function ask(zip: Uint8Array): Promise<GoVerdict> {
    const file = join(directory, 'm.zip');
    await writeFile(file, zip);
    return judge.zip(file, MODULE);
  }

  it(`agree on ${SEEDS} random zips, forged and whole`, async () => {
    const count = { hashed: 0, unhashed: 0, checked: 0, refused: 0, usable: 0, stricter: 0 };
    const disagreements: object[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const zip = randomZip(seed);
      const ours = await verdictOf(zip);
      const gos = await ask(zip);
      const where = findDisagreement(ours, gos);
      if (where !== undefined) disagreements.push({ seed, where, ours, gos });
      count[ours.hash.startsWith('h1:') ? 'hashed' : 'unhashed']++;
      count[ours.check === '' ? 'checked' : 'refused']++;
      if (gos.unzipError === '' && gos.hashError === '') count.usable++;
      if (STRICTER.test(ours.hash) && gos.hashError === '') count.stricter++;
    }
    expect(disagreements).toEqual([]);
    // The zips are worth comparing: enough of each kind, and few that only modferry refuses.
    const enough = expect.toSatisfy((number: number) => number > SEEDS / 6);
    const few = expect.toSatisfy((number: number) => number < SEEDS / 20);
    expect(count).toEqual({
      hashed: enough,
      unhashed: enough,
      checked: enough,
      refused: enough,
      usable: enough,
      stricter: few,
    });
  });

  it.each([3_000_000, 9_000_001])('agree on the hash of a stored zip of %i bytes', async (size) => {
    const zip = await bodyBytes(bigZip(PREFIX, size));
    expect(await ask(zip)).toMatchObject({ hashError: '', h1: (await verdictOf(zip)).hash });
  });

  it('differ on a zip whose entries overlap, which modferry refuses', async () => {
    const zip = overlapping(40, { content: new Uint8Array(), data: emptyDeflate(10_000) });
    expect(await ask(zip)).toMatchObject({ hashError: '', checkError: '', unzipError: '' });
    expect((await verdictOf(zip)).hash).toMatch(/^entries overlap/);
  });

  it('agree on the hash of a go.mod', async () => {
    for (const mod of ['', 'module example.com/m\n', '\r\n\0\u{10400}']) {
      const file = join(directory, 'go.mod');
      await writeFile(file, mod);
      expect(hashMod(Buffer.from(mod))).toBe(await judge.mod(file));
    }
  });

  it('agree for every character on what is a letter and on what is equal but for case', async () => {
    const { version, orbits, letters } = await judge.unicode();
    expect({ go: version.split('.')[0], node: process.versions['unicode']?.split('.')[0] }).toEqual(
      {
        go: '17',
        node: '17',
      },
    );
    const isLetter = new Uint8Array(0x110000);
    for (const [first, last] of letters) isLetter.fill(1, first, last + 1);
    const leastOf = new Map(
      orbits.flatMap((orbit) => orbit.map((member) => [member, Math.min(...orbit)])),
    );
    const foldOf = new Map<string, number>();
    const wrong: string[] = [];
    for (let code = 0x80; code < 0x110000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const character = String.fromCodePoint(code);
      if ((findPathProblem(character) === undefined) !== (isLetter[code] === 1))
        wrong.push(`letter ${code}`);
    }
    for (let code = 0; code < 0x110000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const fold = foldCase(String.fromCodePoint(code));
      const least = leastOf.get(code) ?? code;
      if ((foldOf.get(fold) ?? least) !== least) wrong.push(`joined ${code}`);
      if (!foldOf.has(fold) && least !== code) wrong.push(`split ${code}`);
      foldOf.set(fold, least);
    }
    expect(wrong).toEqual([]);
  });

  it('agree on names in every order, and with bytes that are not UTF-8', async () => {
    const names = ['\u{10400}', '\ufb00', '\u00e9', 'z', 'a/b', 'a-b', 'a', ''].map((name) =>
      Buffer.from(name),
    );
    const entries = [...names, Buffer.from([0xff]), Buffer.from([0xed, 0xa0, 0x80])].map(
      (name, index) => ({
        name,
        content: String(index),
      }),
    );
    const zip = writeZip(entries);
    expect(await ask(zip)).toMatchObject({ hashError: '', h1: (await verdictOf(zip)).hash });
  });
});
