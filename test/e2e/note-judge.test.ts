import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HashTile } from '../../src/tlog/hash-tile.ts';
import { openNote } from '../../src/tlog/note.ts';
import { parseRecord } from '../../src/tlog/record.ts';
import { tileForIndex } from '../../src/tlog/tile.ts';
import { formatTilePath } from '../../src/tlog/tile-path.ts';
import { readAuthenticatedHashes } from '../../src/tlog/tile-reader.ts';
import { proveTree } from '../../src/tlog/proof.ts';
import { recordHash, splitStoredHashIndex, storedHashIndex } from '../../src/tlog/stored-hash.ts';
import { treeHash } from '../../src/tlog/tree-hash.ts';
import { parseTreeHead } from '../../src/tlog/tree-head.ts';
import { parseVerifierKey } from '../../src/tlog/verifier-key.ts';
import { checkRecord, checkTree, proveRecord } from '../fakes/sumdb/proof-check.ts';
import { type NoteJudge, startNoteJudge } from '../fakes/sumdb/notejudge/judge.ts';
import { type SeededRandom, seededRandom } from '../fakes/effects/seeded-random.ts';
import { fillerRecords } from '../fakes/sumdb/sumdb.ts';
import { createLog } from '../fakes/sumdb/transparency-log.ts';
import { findAnyGo } from '../go/go.ts';

// src/tlog compared with golang.org/x/mod, whose verdict about keys, notes, heads, records, trees
// and tiles counts.
const go = findAnyGo() ?? '';
const RECORDS = fillerRecords(1200);
const log = createLog();
for (const lines of RECORDS) log.add(lines);
const stranger = createLog({ name: 'witness.example' });

const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');

/** What is put into texts: pieces with a meaning in some format, and some without any. */
const PIECES = [
  '\n',
  '\n\n',
  '\u2014 ',
  '- ',
  ' ',
  '+',
  '=',
  '/',
  'A',
  '0',
  '-',
  '7',
  '\uFEFF',
  'é',
  '\u0085',
  '\u00A0',
];
const CONTROLS = [
  '\r',
  '\t',
  '\0',
  '\u001F',
  '\u007F',
  Buffer.of(0xff),
  Buffer.of(0xe2, 0x80),
  Buffer.of(0xed, 0xa0, 0x80),
];

/** A text with up to three changes. */
function change(
  text: string,
  random: SeededRandom,
  pieces: readonly (string | Uint8Array)[],
): Buffer {
  let bytes = Buffer.from(text);
  for (let left = random.below(4); left > 0; left--) {
    const at = random.below(bytes.length + 1);
    const lines = bytes.toString('latin1').split(/(?<=\n)/);
    const kind = random.pick([
      'bit',
      'insert',
      'delete',
      'replace',
      'repeat line',
      'move line',
    ] as const);
    const piece = Buffer.from(random.pick(pieces));
    if (kind === 'bit' && bytes.length > 0) bytes = Buffer.from(random.damage(bytes));
    if (kind === 'insert')
      bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
    if (kind === 'delete')
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(3))]);
    if (kind === 'replace')
      bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + piece.length)]);
    if (kind === 'repeat line') lines.push(random.pick(lines));
    if (kind === 'move line') lines.push(...lines.splice(random.below(lines.length), 1));
    if (kind.endsWith('line')) bytes = Buffer.from(lines.join(''), 'latin1');
  }
  return bytes;
}

const lineOf = (note: string) => note.slice(note.lastIndexOf('\n\n') + 2);

/** The tiles of the log that TypeScript made, some of them changed. */
const tilesOf =
  (changed: (path: string, bytes: Uint8Array) => Uint8Array, seen: Record<string, string> = {}) =>
  async (tiles: readonly Parameters<typeof formatTilePath>[0][]) =>
    tiles.map((tile) => {
      const path = formatTilePath(tile);
      const bytes = changed(path, new Uint8Array(Buffer.from(log.answer(`/${path}`) ?? [])));
      seen[path] = base64(bytes);
      return new HashTile(bytes);
    });

describe.skipIf(go === '')('modferry and x/mod agree', () => {
  let judge: NoteJudge;
  beforeAll(async () => {
    judge = await startNoteJudge(go);
    await judge.ask({ op: 'add', records: RECORDS.map(base64) });
  });
  afterAll(() => judge.close());

  it('on 3000 notes, good and damaged', async () => {
    const random = seededRandom(10);
    const key = parseVerifierKey(log.verifierKey);
    if (!key.ok) throw new Error(key.reason);
    const kinds: Record<string, number> = {};
    for (let run = 0; run < 3000; run++) {
      const good = log.treeHead(1 + random.below(1200));
      const text = good.slice(0, good.lastIndexOf('\n\n') + 1);
      const own = lineOf(good);
      const other = lineOf(stranger.sign(text));
      const wrong = lineOf(log.sign('another text\n'));
      const choices = [
        own,
        other,
        wrong,
        `${own}${other}`,
        `${other}${own}`,
        `${own}${wrong}`,
        other.repeat(101),
      ];
      const data = change(
        `${text}
${random.pick([own, ...choices])}`,
        random,
        [...PIECES, ...CONTROLS, own, other, wrong],
      );
      const { kind, text: verified } = await judge.ask({
        op: 'open',
        key: log.verifierKey,
        data: base64(data),
      });
      const opened = await openNote(data, key.value);
      const said = opened.kind === 'verified' ? base64(opened.text) : undefined;
      expect({ run, kind: opened.kind, text: said, data }).toEqual({
        run,
        kind,
        text: verified,
        data,
      });
      kinds[opened.kind] = (kinds[opened.kind] ?? 0) + 1;
    }
    for (const kind of ['verified', 'malformed', 'unsigned', 'forged']) {
      expect(kinds[kind]).toBeGreaterThan(100);
    }
  });

  it('on 1000 verifier keys, good and damaged', async () => {
    const random = seededRandom(11);
    let good = 0;
    for (let run = 0; run < 1000; run++) {
      // Without line breaks: Go ignores them in base64, and modferry refuses them.
      const text = change(log.verifierKey, random, PIECES.slice(2)).toString();
      const key = parseVerifierKey(text);
      const { ok } = await judge.ask({ op: 'key', key: text });
      expect({ text, ok: key.ok }).toEqual({
        text,
        ok: ok === true && !text.includes('\n'),
      });
      if (ok === true) good += 1;
    }
    expect(good).toBeGreaterThan(100);
  });

  it('on 2000 tree heads, good and damaged', async () => {
    const random = seededRandom(12);
    let good = 0;
    for (let run = 0; run < 2000; run++) {
      const size = random.pick([0, 1, 99_033_158, 2 ** 32, Number.MAX_SAFE_INTEGER]);
      const text = `go.sum database tree\n${size}\n${base64(log.treeHash(7))}\n${random.pick(['', 'more\n'])}`;
      const data = change(text, random, PIECES).toString();
      const head = parseTreeHead(data);
      const verdict = await judge.ask({ op: 'head', data: base64(data) });
      // Go has sizes beyond 2^53, and ignores carriage returns in base64.
      const isBeyond = verdict['ok'] === true && Number(verdict['size']) > Number.MAX_SAFE_INTEGER;
      const expected =
        verdict['ok'] === true && !isBeyond
          ? { size: verdict['size'], hash: verdict['hash'] }
          : undefined;
      expect({ data, head: head && { ...head, hash: base64(head.hash) } }).toEqual({
        data,
        head: expected,
      });
      if (head) good += 1;
    }
    expect(good).toBeGreaterThan(100);
  });

  it('on 2000 records, good and damaged', async () => {
    const random = seededRandom(13);
    let good = 0;
    for (let run = 0; run < 2000; run++) {
      const body = log.lookup('filler.example/m', `v0.0.${random.below(1200)}`);
      const data = change(body, random, [...PIECES, ...CONTROLS]);
      const record = parseRecord(data);
      const verdict = await judge.ask({ op: 'record', data: base64(data) });
      // modferry refuses ids that no database writes.
      const isCanonical = /^(0|[1-9]\d*)\n/.test(data.toString('latin1'));
      const expected =
        verdict['ok'] === true && isCanonical
          ? { id: verdict['id'], text: verdict['text'], note: verdict['rest'] ?? '' }
          : undefined;
      const { id, note, text } = record ?? {};
      const found = record && { id, text: base64(text ?? ''), note: base64(note ?? '') };
      expect({ run, data, found }).toEqual({ run, data, found: expected });
      if (record) good += 1;
    }
    expect(good).toBeGreaterThan(100);
  });

  it('on stored hash indexes and their tiles up to 2^52 records', async () => {
    const random = seededRandom(14);
    for (let run = 0; run < 2000; run++) {
      const level = random.below(50);
      const n = random.below(Math.min(2 ** (51 - level), 2 ** random.below(52)));
      const index = storedHashIndex(level, n);
      expect({ level, n, index, path: formatTilePath(tileForIndex(index)) }).toEqual({
        level,
        n,
        ...(await judge.ask({ op: 'index', level, n })),
      });
      const any = random.below(2 ** random.below(53));
      expect({ any, ...splitStoredHashIndex(any) }).toEqual({
        any,
        ...(await judge.ask({ op: 'split', index: any })),
      });
    }
  });

  it('on the hashes and proofs of trees, and on what they prove', async () => {
    const random = seededRandom(15);
    for (let run = 0; run < 300; run++) {
      const size = 1 + random.below(1200);
      const [old, id] = [1 + random.below(size), random.below(size)];
      const head = { size, hash: log.treeHash(size) };
      const read = (indexes: readonly number[]) =>
        readAuthenticatedHashes(head, indexes, { readTiles: tilesOf((_, bytes) => bytes) });
      const treeProof = await proveTree(size, old, read);
      const recordProof = await proveRecord(size, id, read);
      expect({
        hash: base64(await treeHash(size, read)),
        treeProof: treeProof.map(base64),
        recordProof: recordProof.map(base64),
      }).toEqual(await judge.ask({ op: 'tree', size, old, id }));

      const proof = random
        .pick([treeProof, recordProof])
        .map((hash) => (random.below(8) === 0 ? random.damage(hash) : hash));
      const oldHash = log.treeHash(random.pick([old, old, size]));
      const leaf = recordHash(RECORDS[random.pick([id, id, 0])] ?? '');
      expect({
        tree: checkTree(proof, { newSize: size, newHash: head.hash, oldSize: old, oldHash }),
        record: checkRecord(proof, { size, id, treeHash: head.hash, recordHash: leaf }),
      }).toEqual(
        await judge.ask({
          op: 'check',
          size,
          old,
          id,
          hash: base64(head.hash),
          oldHash: base64(oldHash),
          record: base64(leaf),
          proof: proof.map(base64),
        }),
      );
    }
  });

  it('on which tiles are needed, and on which damage to them matters', async () => {
    const random = seededRandom(16);
    let bad = 0;
    for (let run = 0; run < 400; run++) {
      const size = 1 + random.below(1200);
      const level = random.below(Math.floor(Math.log2(size)) + 1);
      const index = storedHashIndex(level, random.below(Math.floor(size / 2 ** level)));
      const hash = random.below(10) === 0 ? random.damage(log.treeHash(size)) : log.treeHash(size);
      const tiles: Record<string, string> = {};
      const readTiles = tilesOf(
        (_, bytes) => (random.below(6) === 0 ? random.damage(bytes) : bytes),
        tiles,
      );
      const found = await readAuthenticatedHashes({ size, hash }, [index], { readTiles }).catch(
        () => undefined,
      );
      // A tile that only one of the two reads is an error here.
      const verdict = await judge.ask({ op: 'read', size, hash: base64(hash), index, tiles });
      expect(
        found?.[0]
          ? { ok: true, hash: base64(found[0]) }
          : { ok: false, error: 'downloaded inconsistent tile' },
      ).toEqual(verdict);
      if (!found) bad += 1;
    }
    expect(bad).toBeGreaterThan(50);
  });
});
