import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeContext, memoryTiers } from '../../test/fakes/mirror/context.ts';
import { fakeFetch, originOf } from '../../test/fakes/effects/fetch.ts';
import { modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { logOf, verifierKeyOf } from '../../test/fakes/sumdb/log-client.ts';
import type { FakeLog } from '../../test/fakes/sumdb/transparency-log.ts';
import type { Address } from '../../test/fakes/sumdb/log-effects.ts';
import { countOperations } from '../../test/fakes/sumdb/store-operations.ts';
import { bytesOf } from '../bytes/streams.ts';
import type { Outcome } from '../mirror/outcome.ts';
import { checksumKey } from '../store/key.ts';
import { createChecksums } from './checksums.ts';
import type { Database } from './database.ts';
import { LogClient } from './log/log-client.ts';
import type { LogContext } from './log-context.ts';
import { logEffects } from './log/log-effects.ts';
import { LogMemory } from './log/log-memory.ts';
import { parseChecksumRequest } from './request.ts';
import { checksumResolver } from './resolve.ts';
import { storedLookups } from './stored-lookups.ts';

const log = logOf(300);
const LOOKUP = 'lookup/example.com/hello@v1.0.0';
/** After it an address is asked once more, where all have failed. */
const RETRY_PAUSE_MS = 50;
const utf8 = (text: string) => new TextEncoder().encode(text);

function setup(address: Address = (path) => log.answer(path)) {
  return setupFor(log, address);
}

function setupFor(log: FakeLog, address: Address) {
  const database: Database = {
    name: log.name,
    key: verifierKeyOf(log),
    origins: [originOf('a'), originOf('b')],
  };
  const fetch = fakeFetch({
    'https://': ({ url }) => {
      const body = address(decodeURIComponent(new URL(url).pathname));
      if (body === undefined) return new Response('not found', { status: 404 });
      return new Response(typeof body === 'string' ? body : new Uint8Array(body));
    },
  });
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const operations = countOperations(tiers);
  const fake = fakeContext({ clock, fetch, tiers: operations.tiers });
  const context: LogContext = { ...fake, emit: () => {} };
  const { background, emit, origins, store } = context;
  const memory = new LogMemory(clock);
  const open = () => logEffects(database, { ask: origins.ask, background, clock, emit, store });
  const { key } = database;
  const clientOf = (effects = open()) => new LogClient({ name: log.name, key, memory, effects });
  const resolve = checksumResolver({ clientOf: () => clientOf() });
  const cache = open();
  return {
    clock,
    fetch,
    tiers,
    operations,
    cache,
    idle: () => fake.idle(),
    checksums: createChecksums([storedLookups(database, { client: clientOf(cache), cache })], {
      withoutChecksums: [],
    }),
    async serve(path: string) {
      const request = parseChecksumRequest(`/sumdb/${log.name}/${path}`, [database]);
      if (!request) throw new Error(`no request: ${path}`);
      return resolve(request, context);
    },
  };
}

/** Where other isolates have stored the tree head, and nothing else is stored. */
async function coldStart() {
  const started = setup();
  const latest = { bytes: utf8(log.treeHead()), etag: '"latest"' };
  await started.tiers.durable.write(checksumKey(log.name, 'latest'), latest, 'create');
  return started;
}

async function bodyOf(outcome: Outcome): Promise<Uint8Array> {
  return outcome.kind === 'found' ? bytesOf(outcome.file.body) : new Uint8Array();
}

const inLog = (path: string) => new Uint8Array(Buffer.from(log.answer(`/${path}`) ?? ''));

it('"supported" is answered without a request', async () => {
  const { fetch, serve } = setup();
  expect(await serve('supported')).toMatchObject({ kind: 'found', file: { size: 0 } });
  expect(fetch.calls.length).toBe(0);
});

it.each([
  [LOOKUP, 'proven'],
  ['latest', 'mutable'],
  ['tile/8/0/000', 'proven'],
  ['tile/8/0/001.p/3', 'proven'],
  ['tile/8/data/000', 'proven'],
])('%s is served as the database has it, and kept', async (path, cache) => {
  const { idle, serve, tiers } = setup();
  const outcome = await serve(path);
  expect(outcome).toMatchObject({ kind: 'found', cache });
  expect(text(await bodyOf(outcome))).toBe(text(inLog(path)));
  await idle();
  expect([...tiers.durable.files.keys()]).toContain(checksumKey(log.name, path));
});

it('a part of a data tile, which no go command asks for, is kept in the edge cache alone', async () => {
  const { fetch, idle, serve, tiers } = setup();
  const path = 'tile/8/data/000.p/7';
  const key = checksumKey(log.name, path);
  expect(text(await bodyOf(await serve(path)))).toBe(text(inLog(path)));
  await idle();
  expect([tiers.near.files.has(key), tiers.durable.files.has(key)]).toEqual([true, false]);
  const before = fetch.calls.length;
  expect(await serve(path)).toMatchObject({ kind: 'found', cache: 'proven' });
  expect(fetch.calls.length).toBe(before);
});

it('a stored full tile answers for its parts without a request', async () => {
  const { fetch, idle, serve } = setup();
  await serve('tile/8/0/000');
  await idle();
  const before = fetch.calls.length;
  expect(await serve('tile/8/0/000.p/7')).toMatchObject({ kind: 'found', file: { size: 7 * 32 } });
  expect(fetch.calls.length).toBe(before);
});

it('stored files are served while the database is down, and the last tree head as a stale copy', async () => {
  let isDown = false;
  const { clock, idle, serve, tiers } = setup((path) => {
    if (isDown) throw new TypeError('refused');
    return log.answer(path);
  });
  for (const path of [LOOKUP, 'tile/8/0/000', 'latest']) await serve(path);
  await idle();
  isDown = true;
  tiers.near.files.clear();
  expect(await serve(LOOKUP)).toMatchObject({ kind: 'found' });
  expect(await serve('tile/8/0/000')).toMatchObject({ kind: 'found' });
  const asked = serve('latest');
  await clock.advance(RETRY_PAUSE_MS);
  const latest = await asked;
  expect(latest).toMatchObject({
    kind: 'found',
    cache: 'stale',
    source: { from: 'store', isStale: true },
  });
  expect(text(await bodyOf(latest))).toBe(log.treeHead());
});

it.each([
  [LOOKUP, utf8(`1\nexample.com/hello v1.0.0 h1:x\n\nunsigned\n`)],
  ['tile/8/0/000', new Uint8Array(8192)],
  ['tile/8/0/000.p/7', new Uint8Array(7 * 32)],
  ['tile/8/data/000', new Uint8Array(7)],
])(
  '%s that is in the bucket and cannot be proven is not served, and replaced',
  async (path, bytes) => {
    const { idle, serve, tiers } = setup();
    const key = checksumKey(log.name, path);
    await tiers.durable.write(key, { bytes, etag: '"planted"' }, 'create');
    const body = await bodyOf(await serve(path));
    expect(Buffer.from(body)).toEqual(Buffer.from(inLog(path)));
    await idle();
    expect(await tiers.durable.head(key)).toMatchObject({ checked: 'proven', size: body.length });
  },
);

it.each([LOOKUP, 'tile/8/0/000', 'tile/8/0/001.p/44', 'tile/8/data/000'])(
  '%s that was never proven is proven from the bucket, without a request, and marked',
  async (path) => {
    const { fetch, idle, serve, tiers } = setup();
    const key = checksumKey(log.name, path);
    // With the tiles that prove it.
    await serve(path);
    await idle();
    const { bytes, etag } = tiers.durable.files.get(key) ?? { bytes: new Uint8Array(), etag: '' };
    tiers.durable.files.set(key, { bytes, etag });
    tiers.near.files.clear();
    const before = fetch.calls.length;
    expect(await serve(path)).toMatchObject({
      kind: 'found',
      cache: 'proven',
      source: { from: 'store', tier: 'r2' },
    });
    expect(fetch.calls.length).toBe(before);
    await idle();
    expect(tiers.durable.files.get(key)?.checked).toBe('proven');
  },
);

it('a part of a full tile that cannot be proven is not served from it', async () => {
  const { serve, tiers } = setup();
  const key = checksumKey(log.name, 'tile/8/0/000');
  const path = 'tile/8/0/000.p/7';
  await tiers.durable.write(key, { bytes: new Uint8Array(8192), etag: '"planted"' }, 'create');
  expect(Buffer.from(await bodyOf(await serve(path)))).toEqual(Buffer.from(inLog(path)));
});

it('CVE-2026-56865: a tile beyond the tree that the database shows is not served, nor kept', async () => {
  const grown = log.fork(300);
  for (const at of [1, 2, 3]) grown.add(`grown.example/m${at} v1.0.0 h1:x\n`);
  const { idle, serve, tiers } = setup((path) =>
    path === '/latest' ? log.treeHead() : grown.answer(path),
  );
  const path = 'tile/8/0/001.p/47';
  expect(await serve(path)).toMatchObject({ kind: 'missing', status: 404, cache: 'failure' });
  await idle();
  expect([...tiers.durable.files.keys()]).not.toContain(checksumKey(log.name, path));
});

it('the stored tree head is moved by compare and swap alone', async () => {
  const { idle, operations, serve } = setup();
  await serve('latest');
  await idle();
  expect(Object.keys(operations.of(checksumKey(log.name, 'latest'))).toSorted()).toEqual([
    'durable readForSwap',
    'durable swap',
    'near read',
    'near write',
  ]);
});

// The durable tier takes one write a second to a key, and each operation has its price.
describe('in each tier there is one read and one write', () => {
  const COLD = { 'near read': 1, 'durable read': 1, 'near write': 1, 'durable write': 1 };
  // The platform allows few operations on the near tier.
  const OWN = { 'durable read': 1, 'durable write': 1 };

  it.each([LOOKUP, 'tile/8/0/000', 'tile/8/0/001.p/44', 'tile/8/data/000'])(
    'for %s that a client asks for',
    async (path) => {
      const { idle, operations, serve } = await coldStart();
      expect(await serve(path)).toMatchObject({ kind: 'found', cache: 'proven' });
      await idle();
      expect(operations.of(checksumKey(log.name, path))).toEqual(COLD);
      expect(operations.repeated()).toEqual({});
    },
  );

  it('for a look-up that modferry needs itself', async () => {
    const { checksums, idle, operations } = await coldStart();
    const expected = await checksums.expect(modulePath('example.com/hello'), version('v1.0.0'));
    expect(expected).toMatchObject({ kind: 'known', database: log.name });
    await idle();
    expect(operations.of(checksumKey(log.name, LOOKUP))).toEqual(OWN);
    expect(operations.repeated()).toEqual({});
  });

  it('for a full tile of a proof, and none for a partial one', async () => {
    const { idle, operations, serve } = await coldStart();
    await serve(LOOKUP);
    await idle();
    expect(operations.of(checksumKey(log.name, 'tile/8/0/000'))).toEqual(OWN);
    for (const path of ['tile/8/0/001.p/44', 'tile/8/0/001', 'tile/8/1/000.p/1', 'tile/8/1/000'])
      expect({ path, ...operations.of(checksumKey(log.name, path)) }).toEqual({ path });
  });
});

it('a file that two proofs of a request keep is written once', async () => {
  const { cache, idle, operations } = setup();
  for (const heals of [false, true]) cache.writeCache('tile/8/0/000', new Uint8Array(1), { heals });
  await idle();
  const key = checksumKey(log.name, 'tile/8/0/000');
  expect(operations.of(key)).toEqual({ 'durable write': 1 });
});

// The platform allows a request 50 of them on the free plan.
it('a look-up that modferry needs itself makes one request and those for tiles, and none to the near tier', async () => {
  const deep = logOf(70_000);
  const { checksums, fetch, idle, operations } = setupFor(deep, (path) => deep.answer(path));
  const expectKnown = async (module: string) => {
    const before = fetch.calls.length;
    const expected = await checksums.expect(modulePath(module), version('v1.0.0'));
    expect(expected.kind).toBe('known');
    await idle();
    return fetch.calls.length - before;
  };
  // Three tiles of the right edge, and two above the record.
  expect(await expectKnown('example.com/hello')).toBe(1 + 5);
  // The one that has the record.
  expect(await expectKnown('filler.example/m20000')).toBe(1 + 1);
  expect(await expectKnown('filler.example/m20001')).toBe(1);
  expect(operations.total('near')).toBe(0);
  expect(operations.repeated()).toEqual({});
});
