import { describe, expect, it } from 'vitest';
import { cut, pattern, scriptedStream } from '../../test/fakes/effects/byte-source.ts';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeFetch, originOf } from '../../test/fakes/effects/fetch.ts';
import { bytes, modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { afterRetry, fakeContext, memoryTiers } from '../../test/fakes/mirror/context.ts';
import { readOutcome } from '../../test/fakes/mirror/large-file.ts';
import { hashZip } from '../../test/fakes/zip/dirhash.ts';
import { writeZip } from '../../test/fakes/zip/zip-writer.ts';
import { bytesOf } from '../bytes/streams.ts';
import { serveLarge } from '../mirror/large/serve-large.ts';
import type { LargeFile } from '../mirror/large/large-file.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import { success } from '../effects/result.ts';
import type { Expectation } from '../mirror/expectation.ts';
import { failureText, OriginError } from '../origins/failure.ts';
import { bytesSource } from '../bytes/byte-source.ts';
import { moduleZip } from './module-zip.ts';

const MIB = 1024 * 1024;
const PREFIX = 'example.com/hello@v1.0.0/';
const HASH = `h1:${'A'.repeat(43)}=` as const;

const small = zipOf('go.mod', bytes('module example.com/hello\n'));

function zipOf(name: string, content: Uint8Array, prefix = PREFIX): Uint8Array {
  return writeZip([{ name: `${prefix}${name}`, content }]);
}

/** 2 MiB that do not shrink: enough to stream where the length is not declared. */
const large = (prefix = PREFIX) => zipOf('noise', pattern(2 * MIB), prefix);

function zipFile(expected?: Expectation, keepsRules = false): LargeFile {
  return moduleZip({
    module: modulePath('example.com/hello'),
    version: version('v1.0.0'),
    origins: [originOf('a'), originOf('b')],
    expect: expected && (async () => expected),
    keepsRules,
  });
}

const knownAs = (hash: `h1:${string}`) =>
  ({ kind: 'known', database: 'sum.example', hash }) as const;

/** Why a check failed; undefined where it did not. */
function why(result: ReturnType<LargeFile['checkEnd' | 'inspect']>): string | undefined {
  return result.ok ? undefined : failureText(result.reason);
}

describe('the zip of a module version', () => {
  it('has the names of the GOPROXY protocol', () => {
    const zip = moduleZip({
      module: modulePath('github.com/Azure/x'),
      version: version('v1.0.0-RC1'),
      origins: [],
      expect: undefined,
      keepsRules: true,
    });
    expect(zip).toMatchObject({
      key: 'github.com/!azure/x/@v/v1.0.0-!r!c1.zip',
      hashKey: 'github.com/!azure/x/@v/v1.0.0-!r!c1.ziphash',
      path: '/github.com/%21azure/x/@v/v1.0.0-%21r%21c1.zip',
      subject: 'github.com/Azure/x@v1.0.0-RC1.zip',
      contentType: 'application/zip',
    });
  });
});

describe('the start of a zip', () => {
  it.each([
    ['of a zip', small, small.length, undefined],
    ['of an empty zip', writeZip([]), undefined, undefined],
    ['of unknown length', small, undefined, undefined],
    ['of a page', bytes('<html>'), 6, 'a body that is no zip'],
    ['of nothing', new Uint8Array(), 0, 'a body that is no zip'],
    ["of a zip of exactly Go's limit", small, 500 * MIB, undefined],
    ["over Go's limit", small, 500 * MIB + 1, "a zip of 524288001 bytes, over Go's limit"],
  ])('%s is inspected', (_, start, declared, problem) => {
    expect(why(zipFile().inspect(start, declared))).toBe(problem);
  });
});

describe('the end of a zip', () => {
  it('is right where every name in the directory belongs to the version', () => {
    expect(why(zipFile().checkEnd(small, small.length))).toBeUndefined();
  });

  it('names the entry that is outside of the version', () => {
    const other = zipOf('go.mod', new Uint8Array(1), 'example.com/hello@v1.0.1/');
    expect(why(zipFile().checkEnd(other, other.length))).toBe(
      `a zip with the entry "example.com/hello@v1.0.1/go.mod", outside of ${PREFIX}`,
    );
  });

  it('is broken where the directory is', () => {
    const end = small.subarray(0, -1);
    expect(why(zipFile().checkEnd(end, end.length))).toMatch(/^a broken zip: /);
  });

  it("is over Go's limit where the whole body is, whatever was declared", () => {
    expect(why(zipFile().checkEnd(small, 500 * MIB + 1))).toBe(
      "a zip of 524288001 bytes, over Go's limit",
    );
  });

  it.each([
    ['of the version', PREFIX, 'undefined'],
    ['of another one', 'example.com/evil@v1.0.0/', /^a zip with the entry .* outside of /],
  ])(
    'is not enough where the directory begins before it, which is then read: entries %s',
    async (_, prefix, problem) => {
      const many = writeZip(
        Array.from({ length: 50 }, (_, at) => ({ name: `${prefix}f${at}`, content: 'x' })),
      );
      const file = zipFile();
      expect(file.checkEnd(many.subarray(-1000), many.length)).toEqual(success('needs more'));
      const checked = await file.checkStored(bytesSource(many));
      expect(String(why(checked))).toMatch(problem);
    },
  );

  it('is broken where the end record points to no directory', async () => {
    const zip = Buffer.from(small);
    const end = zip.lastIndexOf('PK\u0005\u0006');
    zip.writeUInt32LE(2 * MIB, end + 12); // the size of the directory
    zip.writeUInt32LE(MIB, end + 16); // where it begins
    const body = new Uint8Array(Buffer.concat([new Uint8Array(3 * MIB), zip.subarray(end)]));
    const file = zipFile();
    expect(file.checkEnd(body.subarray(-MIB), body.length)).toEqual(success('needs more'));
    expect(why(await file.checkStored(bytesSource(body)))).toMatch(/^a broken zip: /);
  });

  it('keeps the rules by which the go command unpacks it only where that is asked for', () => {
    const names = ['README', 'readme'];
    const clash = writeZip(names.map((name) => ({ name: `${PREFIX}${name}`, content: 'x' })));
    expect(why(zipFile(undefined, true).checkEnd(clash, clash.length))).toMatch(
      /^a zip that the go command does not unpack: /,
    );
    expect(why(zipFile(undefined, false).checkEnd(clash, clash.length))).toBeUndefined();
  });
});

describe('a whole zip', () => {
  it('with the hash of the log is verified by it', async () => {
    const verified = await zipFile().verify(bytesSource(small), knownAs(hashZip(small)));
    expect(verified).toEqual({ ok: true, value: hashZip(small) });
  });

  it('with another hash is a mismatch that names both', async () => {
    const verified = await zipFile().verify(bytesSource(small), knownAs(HASH));
    expect(verified).toEqual({
      ok: false,
      reason: {
        kind: 'mismatch',
        hashes: { database: 'sum.example', expected: HASH, found: hashZip(small) },
      },
    });
  });

  it('that cannot be hashed is a mismatch too where the log has its hash', async () => {
    const cutOff = bytesSource(small.subarray(0, -1));
    expect(await zipFile().verify(cutOff, knownAs(HASH))).toMatchObject({
      ok: false,
      reason: { kind: 'mismatch', hashes: { found: expect.stringMatching(/^a broken zip: /) } },
    });
    expect(await zipFile().verify(cutOff, { kind: 'uncovered' })).toMatchObject({
      ok: false,
      reason: { kind: 'wrong content' },
    });
  });

  it('that no log covers is verified as uncovered', async () => {
    const verified = await zipFile().verify(bytesSource(small), { kind: 'uncovered' });
    expect(verified).toEqual({ ok: true, value: 'uncovered' });
  });

  it('that breaks the rules of the go command is wrong also with the hash of the log', async () => {
    const names = ['README', 'readme'];
    const clash = writeZip(names.map((name) => ({ name: `${PREFIX}${name}`, content: 'x' })));
    const verified = await zipFile().verify(bytesSource(clash), knownAs(hashZip(clash)));
    expect(verified.ok).toBe(false);
  });

  it('that cannot be read rejects, as that says nothing of the zip', async () => {
    const unreadable: ByteSource = {
      size: small.length,
      read: () => Promise.reject(new Error('R2 is away')),
    };
    const verifying = zipFile().verify(unreadable, knownAs(HASH));
    await expect(verifying).rejects.toThrow('R2 is away');
  });
});

const sends = (zip: Uint8Array, length: number | undefined) => () =>
  new Response(scriptedStream(cut(zip, 200_000)), {
    headers: length === undefined ? {} : { 'Content-Length': String(length) },
  });
const down = () => {
  throw new TypeError('refused');
};

function setup(replies: Parameters<typeof fakeFetch>[0], expected?: Expectation) {
  const clock = fakeClock();
  const { durable } = memoryTiers(clock);
  const context = fakeContext({ clock, fetch: fakeFetch(replies), tiers: { durable } });
  return { clock, durable, context, serve: () => serveLarge(zipFile(expected), context) };
}

describe('a zip of an origin', () => {
  it.each([
    ['small', () => small, small.length],
    ['large', large, undefined],
  ])('that is %s and right is served and stored with its hash', async (_, zip, length) => {
    const expected = knownAs(hashZip(zip()));
    const { serve, context, durable } = setup({ 'https://a': sends(zip(), length) }, expected);
    expect(await readOutcome(await serve(), zip())).toBe('right');
    await context.idle();
    const { key, hashKey } = zipFile();
    expect(Buffer.compare(durable.files.get(key)?.bytes ?? new Uint8Array(), zip())).toBe(0);
    expect(text(durable.files.get(hashKey)?.bytes ?? new Uint8Array())).toBe(hashZip(zip()));
  });

  it.each([
    ['is no zip', pattern(100), 'a body that is no zip'],
    ['is cut off', small.subarray(0, -1), 'a: a broken zip'],
    [
      'is of another version',
      zipOf('go.mod', new Uint8Array(1), 'example.com/hello@v1.0.1/'),
      'outside of example',
    ],
    ['is empty', new Uint8Array(), 'a body that is no zip'],
  ])(
    'that %s comes from the next origin, and where there is none it is a 502',
    async (_, bad, cause) => {
      const wrong = sends(bad, bad.length);
      const good = setup({ 'https://a': wrong, 'https://b': sends(small, small.length) });
      expect(await readOutcome(await good.serve(), small)).toBe('right');
      const alone = setup({ 'https://a': wrong, 'https://b': down });
      expect(await afterRetry(alone.clock, alone.serve())).toMatchObject({
        kind: 'unavailable',
        status: 502,
        text: expect.stringContaining(cause),
      });
      await alone.context.idle();
      expect(alone.durable.files.size).toBe(0);
    },
  );

  it("over Go's limit is not read", async () => {
    const { serve, clock } = setup({ 'https://a': sends(small, 500 * MIB + 1), 'https://b': down });
    expect(await afterRetry(clock, serve())).toMatchObject({
      text: expect.stringContaining("a zip of 524288001 bytes, over Go's limit"),
    });
  });

  it.each([
    ['is cut off', () => large().subarray(0, -1), undefined],
    ['is shorter than declared', large, 9 * MIB],
    ['holds files of another version', () => large('example.com/other@v1.0.0/'), undefined],
  ])('that streams and %s breaks off, and is not stored', async (_, bad, length) => {
    const { serve, context, durable } = setup({ 'https://a': sends(bad(), length) });
    const outcome = await serve();
    if (outcome.kind !== 'found') throw new Error(outcome.text);
    await expect(bytesOf(outcome.file.body)).rejects.toBeInstanceOf(OriginError);
    await context.idle();
    expect(durable.files.size).toBe(0);
  });
});
