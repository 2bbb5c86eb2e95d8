import { expect, it } from 'vitest';
import { fakeCarrier, memoryTiers } from '../../test/fakes/effects/carrier.ts';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeFetch } from '../../test/fakes/effects/fetch.ts';
import { logOf } from '../../test/fakes/sumdb/log-client.ts';
import type { Address } from '../../test/fakes/sumdb/log-effects.ts';
import { text } from '../../test/fakes/effects/values.ts';
import { parsePatterns } from '../module/patterns.ts';
import { bytesOf } from '../store/guard.ts';
import { checksumKey } from '../store/key.ts';
import { LogClient } from './log-client.ts';
import { logEffects } from './log-effects.ts';
import { LogMemory } from './log-memory.ts';
import { parseDatabases } from '../config/databases-syntax.ts';
import { proxyChecksums } from './resolve.ts';
import { parseChecksumRequest } from './request.ts';

const log = logOf(300);

function setup(address: Address = (path) => log.answer(path)) {
  const databases = parseDatabases(`${log.verifierKey} https://a|https://b`, {
    limits: { headersMs: 1000, stallMs: 1000 },
  });
  const [database] = databases.ok ? databases.value : [];
  if (!database) throw new Error('no database');
  const reply = ({ url }: { readonly url: string }) => {
    const body = address(decodeURIComponent(new URL(url).pathname));
    if (body === undefined) return new Response('not found', { status: 404 });
    return new Response(typeof body === 'string' ? body : new Uint8Array(body));
  };
  const fetch = fakeFetch({ 'https://': reply });
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const carrier = fakeCarrier({ clock, fetch, tiers });
  const parsed = parsePatterns('*.corp.example');
  const privateModules = parsed.ok ? parsed.value : [];
  const { name, key } = database;
  const client = new LogClient({
    name,
    key,
    memory: new LogMemory(),
    effects: logEffects(database, carrier),
  });
  const serve = async (path: string) => {
    const request = parseChecksumRequest(`/sumdb/${log.name}/${path}`, [database]);
    if (!request) throw new Error(`no request: ${path}`);
    return proxyChecksums(request, { carrier, client, privateModules });
  };
  return { fetch, carrier, tiers, serve };
}

it('"supported" is answered here', async () => {
  const { serve, fetch } = setup();
  expect(await serve('supported')).toMatchObject({ kind: 'found', file: { size: 0 } });
  expect(fetch.calls.length).toBe(0);
});

it('a private module is told to no database', async () => {
  const { serve, fetch } = setup();
  expect(await serve('lookup/git.corp.example/x@v1.0.0')).toMatchObject({ kind: 'refused' });
  expect(fetch.calls.length).toBe(0);
});

it.each([
  ['lookup/example.com/hello@v1.0.0', 'immutable'],
  ['latest', 'mutable'],
  ['tile/8/0/000', 'immutable'],
  ['tile/8/0/001.p/3', 'immutable'],
  ['tile/8/data/000', 'immutable'],
])('%s is carried as it is, and kept', async (path, cache) => {
  const { serve, tiers, carrier } = setup();
  const outcome = await serve(path);
  expect(outcome).toMatchObject({ kind: 'found', cache });
  const body = outcome.kind === 'found' ? await bytesOf(outcome.file.body) : new Uint8Array();
  expect(text(body)).toBe(text(new Uint8Array(Buffer.from(log.answer(`/${path}`) ?? ''))));
  await carrier.idle();
  expect([...tiers.r2.files.keys()]).toContain(`sumdb/${log.name}/${path}`);
});

it('a full tile that is stored answers for its parts without a question', async () => {
  const { serve, carrier, fetch } = setup();
  await serve('tile/8/0/000');
  await carrier.idle();
  const before = fetch.calls.length;
  expect(await serve('tile/8/0/000.p/7')).toMatchObject({ kind: 'found', file: { size: 7 * 32 } });
  expect(fetch.calls.length).toBe(before);
});

it('what was carried is served while the database is down, and the last tree head as a stale copy', async () => {
  let down = false;
  const { serve, carrier, tiers } = setup((path) => {
    if (down) throw new TypeError('refused');
    return log.answer(path);
  });
  for (const path of ['lookup/example.com/hello@v1.0.0', 'tile/8/0/000', 'latest'])
    await serve(path);
  await carrier.idle();
  down = true;
  tiers.edge.files.clear();
  expect(await serve('lookup/example.com/hello@v1.0.0')).toMatchObject({ kind: 'found' });
  expect(await serve('tile/8/0/000')).toMatchObject({ kind: 'found' });
  const latest = await serve('latest');
  expect(latest).toMatchObject({ kind: 'found', cache: 'stale', source: { stale: true } });
  expect(latest.kind === 'found' && text(await bytesOf(latest.file.body))).toBe(log.treeHead());
});

it.each([
  ['lookup/example.com/hello@v1.0.0', `1\nexample.com/hello v1.0.0 h1:x\n\nunsigned\n`],
  ['tile/8/0/000', new Uint8Array(8192)],
  ['tile/8/0/000.p/7', new Uint8Array(7 * 32)],
])(
  '%s that lies in the bucket and was never proven is not passed on, and written over',
  async (path, planted) => {
    const { serve, tiers, carrier } = setup();
    const key = checksumKey(log.name, path);
    const bytes = typeof planted === 'string' ? new TextEncoder().encode(planted) : planted;
    await tiers.r2.write(key, { bytes, etag: '"planted"' }, 'create');
    const outcome = await serve(path);
    const body = outcome.kind === 'found' ? await bytesOf(outcome.file.body) : new Uint8Array();
    expect(Buffer.from(body)).toEqual(Buffer.from(log.answer(`/${path}`) ?? ''));
    await carrier.idle();
    expect(await tiers.r2.head(key)).toMatchObject({ checked: 'proven', size: body.length });
  },
);

it('what was never proven is proven from the bucket, without a question, and marked', async () => {
  const { serve, tiers, carrier, fetch } = setup();
  const path = 'lookup/example.com/hello@v1.0.0';
  const key = checksumKey(log.name, path);
  await serve(path);
  await carrier.idle();
  const { bytes, etag } = tiers.r2.files.get(key) ?? { bytes: new Uint8Array(), etag: '' };
  tiers.r2.files.set(key, { bytes, etag });
  tiers.edge.files.clear();
  const before = fetch.calls.length;
  expect(await serve(path)).toMatchObject({
    kind: 'found',
    cache: 'immutable',
    source: { tier: 'r2' },
  });
  expect(fetch.calls.length).toBe(before);
  await carrier.idle();
  expect(tiers.r2.files.get(key)?.checked).toBe('proven');
});
