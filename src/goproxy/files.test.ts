import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeFetch, originOf } from '../../test/fakes/effects/fetch.ts';
import { bytes, modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { afterRetry, fakeContext, memoryTiers } from '../../test/fakes/mirror/context.ts';
import { hashGoMod } from '../../test/fakes/zip/dirhash.ts';
import type { SmallFile } from '../mirror/small/small-file.ts';
import { parseVersionQuery } from '../module/version.ts';
import { failureText } from '../origins/failure.ts';
import { versionKey } from '../store/key.ts';
import type { Expected } from '../sumdb/checksums.ts';
import { type FileOptions, moduleFile } from './files.ts';
import type { ModuleRequest } from './request.ts';
import { verificationOf } from './verification.ts';

const module = modulePath('example.com/Hello');
const v1 = version('v1.0.0');
const main = parseVersionQuery('main') ?? v1;
const MOD = 'module example.com/Hello\n';
const HASH = `h1:${'A'.repeat(43)}=` as const;

function setup(replies: Parameters<typeof fakeFetch>[0] = {}, expected?: Expected) {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const fetch = fakeFetch(replies);
  const context = fakeContext({ clock, tiers, fetch });
  const checksums = expected && { expect: async () => expected };
  const options: FileOptions = {
    context,
    origins: [originOf('a'), originOf('b')],
    isPrivate: false,
    verification: verificationOf('all', checksums),
  };
  return { clock, tiers, fetch, context, options };
}

function smallFile(request: ModuleRequest, options: FileOptions): SmallFile {
  const { size, file } = moduleFile(request, options);
  if (size !== 'small') throw new Error(`${request.kind} is a large file`);
  return file;
}

const knownAs = (mod: `h1:${string}`): Expected => ({
  kind: 'known',
  database: 'sum.example',
  zip: HASH,
  mod,
  record: 1,
});

const typeOf = (member: unknown) => (member === undefined ? undefined : typeof member);

const TEXT = 'text/plain; charset=utf-8';

const KIB = 1024;
const infoOf = (size: number) => {
  const info = '{"Version":"v1.0.0"}';
  return info + ' '.repeat(size - info.length);
};
const listOf = (size: number) => 'v1.0.0\n'.repeat(size / 7 + 1).slice(0, size - 1) + '\n';
const modOf = (size: number) => MOD + '\n'.repeat(size - MOD.length);

describe('an answer over the limit of its kind', () => {
  it.each<[ModuleRequest, number, (size: number) => string]>([
    [{ kind: 'info', module, version: v1 }, 64 * KIB, infoOf],
    [{ kind: 'query', module, query: main }, 64 * KIB, infoOf],
    [{ kind: 'latest', module }, 64 * KIB, infoOf],
    [{ kind: 'list', module }, 2048 * KIB, listOf],
    [{ kind: 'mod', module, version: v1 }, 16 * 1024 * KIB, modOf],
  ])('is a failure of its origin, for %j beyond %i bytes', async (request, limit, make) => {
    const sends = (size: number) => () => new Response(make(size));
    const { clock, options } = setup({ 'https://a': [sends(limit), sends(limit + 1)] });
    const file = smallFile(request, { ...options, origins: [originOf('a')] });
    const found = await file.fetch();
    expect(found.kind).toBe('found');
    if ('held' in found) found.held?.drop();
    expect(await afterRetry(clock, file.fetch())).toMatchObject({
      kind: 'failed',
      failures: [{ origin: 'a', reason: { kind: 'too long', limitBytes: limit } }],
    });
  });
});

describe('the file of a request', () => {
  it.each<[ModuleRequest, string, string, string, string, boolean]>([
    [
      { kind: 'list', module },
      'example.com/!hello/@v/list',
      'example.com/Hello/@v/list',
      TEXT,
      'mutable',
      false,
    ],
    [
      { kind: 'latest', module },
      'example.com/!hello/@latest',
      'example.com/Hello/@latest',
      'application/json',
      'mutable',
      false,
    ],
    [
      { kind: 'query', module, query: main },
      'example.com/!hello/@v/main.info',
      'example.com/Hello@main.info',
      'application/json',
      'mutable',
      false,
    ],
    [
      { kind: 'info', module, version: v1 },
      'example.com/!hello/@v/v1.0.0.info',
      'example.com/Hello@v1.0.0.info',
      'application/json',
      'canonicalInfo',
      true,
    ],
    [
      { kind: 'mod', module, version: v1 },
      'example.com/!hello/@v/v1.0.0.mod',
      'example.com/Hello@v1.0.0.mod',
      TEXT,
      'immutable',
      true,
    ],
  ])('%j is small, and has this key, subject, type, cache class and reach', (request, ...row) => {
    const file = smallFile(request, setup().options);
    const { key, subject, contentType, cache, inWorldTier } = file;
    expect([key, subject, contentType, cache, inWorldTier]).toEqual(row);
  });

  it('zip is large, and has its key, hash key, subject and type', () => {
    const { size, file } = moduleFile({ kind: 'zip', module, version: v1 }, setup().options);
    expect(size).toBe('large');
    expect(file).toMatchObject({
      key: 'example.com/!hello/@v/v1.0.0.zip',
      hashKey: 'example.com/!hello/@v/v1.0.0.ziphash',
      subject: 'example.com/Hello@v1.0.0.zip',
      contentType: 'application/zip',
    });
  });

  it.each([
    ['list', undefined, 'function'],
    ['latest', undefined, undefined],
    ['info', undefined, undefined],
    ['mod', 'function', undefined],
  ] as const)(
    '%s is verified by a hash: %s, and composed of the store: %s',
    (kind, verify, composeOffline) => {
      const { options } = setup({}, { kind: 'uncovered' });
      const file = smallFile({ kind, module, version: v1 }, options);
      expect([typeOf(file.verify), typeOf(file.composeOffline)]).toEqual([verify, composeOffline]);
    },
  );

  it('is compared with nothing where VERIFY asks for nothing', () => {
    const { options } = setup();
    expect(smallFile({ kind: 'mod', module, version: v1 }, options).verify).toBeUndefined();
    const { file } = moduleFile({ kind: 'zip', module, version: v1 }, options);
    expect('expect' in file && file.expect).toBeUndefined();
  });
});

describe('the list', () => {
  it('is composed of the stored versions', async () => {
    const { options, tiers } = setup();
    const stored = { bytes: bytes('{}'), etag: '"x"' };
    tiers.durable.files.set(versionKey(module, v1, 'info'), stored);
    const list = await smallFile({ kind: 'list', module }, options).composeOffline?.();
    expect(list && text(list)).toBe('v1.0.0\n');
  });
});

describe('the zip', () => {
  it('is compared with the hash of the zip, not with that of the go.mod', async () => {
    const { options } = setup({}, knownAs('h1:mod'));
    const { file } = moduleFile({ kind: 'zip', module, version: v1 }, options);
    expect('expect' in file && (await file.expect?.())).toEqual({
      kind: 'known',
      database: 'sum.example',
      hash: HASH,
    });
  });
});

describe('a fetch', () => {
  const mod = { kind: 'mod', module, version: v1 } as const;

  it('asks for the path that the go command asks for, and keeps the bytes as they are', async () => {
    const { options, fetch } = setup({ 'https://a': () => new Response(MOD) });
    const fetched = await smallFile(mod, options).fetch();
    expect(fetch.calls.map(({ url }) => url)).toEqual([
      'https://a/example.com/%21hello/@v/v1.0.0.mod',
    ]);
    expect(fetched).toMatchObject({
      kind: 'found',
      bytes: bytes(MOD),
      source: { from: 'origin', origin: 'a', effort: { attempts: 1 } },
    });
  });

  it.each<[ModuleRequest, string]>([
    [{ kind: 'list', module }, 'no versions here'],
    [{ kind: 'latest', module }, '{}'],
    [{ kind: 'query', module, query: main }, '{"Version":"main"}'],
    [{ kind: 'info', module, version: v1 }, '{"Version":"v1.0.1"}'],
    [mod, '<html>'],
  ])('of %j does not take %j for it, and asks the next origin', async (request, wrong) => {
    const { options, fetch } = setup({
      'https://a': () => new Response(wrong),
      'https://b': () => new Response(null, { status: 404 }),
    });
    await smallFile(request, options).fetch();
    expect(fetch.calls.map(({ url }) => new URL(url).host)).toEqual(['a', 'b']);
  });

  it.each<[string, Expected, string]>([
    ['the hash of the log', knownAs(hashGoMod(MOD)), hashGoMod(MOD)],
    ['a version that no log covers', { kind: 'uncovered' }, 'uncovered'],
  ])('of a go.mod with %s is checked', async (_, expected, checked) => {
    const { options } = setup({ 'https://a': () => new Response(MOD) }, expected);
    expect(await smallFile(mod, options).fetch()).toMatchObject({ kind: 'found', checked });
  });

  it('of a go.mod with another hash is a mismatch, and the next origin is asked', async () => {
    const other = 'module example.com/other\n';
    const { options, context } = setup(
      { 'https://a': () => new Response(other), 'https://b': () => new Response(MOD) },
      knownAs(hashGoMod(MOD)),
    );
    expect(await smallFile(mod, options).fetch()).toMatchObject({
      kind: 'found',
      source: { origin: 'b' },
    });
    expect(context.shared.wrongFiles.has(smallFile(mod, options).key, 'a')).toBe(true);
    expect(context.alarms).toMatchObject([{ kind: 'mismatch', origin: 'a' }]);
  });

  it.each<[string, Uint8Array]>([
    ['that is not UTF-8', Uint8Array.of(0x2f, 0x2f, 0xc4, 0xe3, 0x0a)],
    ['that is empty', new Uint8Array()],
    ['without a module line', bytes('go 1.21\n')],
    ['that looks like a page', bytes('<html>')],
  ])('of a go.mod %s is right, if it has the hash of the log', async (_, odd) => {
    const hash = hashGoMod(Buffer.from(odd));
    const replies = { 'https://a': () => new Response(new Uint8Array(odd)) };
    const { context, fetch, options } = setup(replies, knownAs(hash));
    const fetched = await smallFile(mod, options).fetch();
    expect(fetched).toMatchObject({ kind: 'found', bytes: odd, checked: hash });
    expect([context.alarms, fetch.calls.length]).toEqual([[], 1]);
    expect(context.shared.wrongFiles.has(smallFile(mod, options).key, 'a')).toBe(false);
  });

  it('of a go.mod that no log has is judged as the go command sees it', async () => {
    const { options } = setup(
      {
        'https://a': () => new Response('module example.com/Hel'),
        'https://b': () => new Response(MOD),
      },
      { kind: 'uncovered' },
    );
    expect(await smallFile(mod, options).fetch()).toMatchObject({
      kind: 'found',
      source: { origin: 'b' },
    });
  });

  it('of a page in place of a go.mod that the log has is a mismatch as well', async () => {
    const { options, clock } = setup(
      { 'https://a': () => new Response('<html>'), 'https://b': () => new Response('<html>') },
      knownAs(hashGoMod(MOD)),
    );
    const fetched = await afterRetry(clock, smallFile(mod, options).fetch());
    const failures = fetched.kind === 'failed' ? fetched.failures : [];
    expect(failures.map(({ reason }) => failureText(reason))).toEqual([
      `an HTML page (sum.example has ${hashGoMod(MOD)})`,
      `an HTML page (sum.example has ${hashGoMod(MOD)})`,
    ]);
  });

  it('of a go.mod whose hash cannot be had fails with the failures of the databases', async () => {
    const failures = [
      { origin: 'sum.example', reason: { kind: 'unchecked', text: 'no answer' } },
    ] as const;
    const { options } = setup(
      { 'https://a': () => new Response(MOD) },
      { kind: 'unknown', failures },
    );
    expect(await smallFile(mod, options).fetch()).toMatchObject({ kind: 'failed', failures });
  });
});

describe('a stored go.mod', () => {
  it.each<[string, Expected, object]>([
    [
      'with the hash of the log',
      knownAs(hashGoMod(MOD)),
      { kind: 'checked', checked: hashGoMod(MOD) },
    ],
    [
      'with another hash',
      knownAs(HASH),
      {
        kind: 'wrong',
        hashes: { database: 'sum.example', expected: HASH, found: hashGoMod(MOD) },
      },
    ],
    ['that no log covers', { kind: 'uncovered' }, { kind: 'checked', checked: 'uncovered' }],
    [
      'whose hash cannot be had',
      { kind: 'unknown', failures: [] },
      { kind: 'unknown', failures: [] },
    ],
  ])('%s has this verdict', async (_, expected, verdict) => {
    const { options } = setup({}, expected);
    const file = smallFile({ kind: 'mod', module, version: v1 }, options);
    expect(await file.verify?.(bytes(MOD))).toEqual(verdict);
  });
});
