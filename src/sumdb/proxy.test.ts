import { expect, it } from 'vitest';
import { fakeCarrier, memoryTiers } from '../../test/fakes/carrier.ts';
import { fakeClock } from '../../test/fakes/clock.ts';
import { fakeFetch } from '../../test/fakes/fetch.ts';
import { parsePatterns } from '../access/patterns.ts';
import { bytesOf } from '../store/layered.ts';
import { parseDatabases } from './parse-databases.ts';
import { proxyChecksums } from './proxy.ts';
import { parseChecksumRequest } from './request.ts';

const databases = parseDatabases('sum.golang.org https://a|https://b', {
  limits: { headers: 1000, stall: 1000 },
  problems: [],
});
const HEAD = 'go.sum database tree\n9\nhash=\n\n— sum.golang.org sig\n';
const RECORD = `7\na.example/x v1.0.0 h1:xyz=\na.example/x v1.0.0/go.mod h1:abc=\n\n${HEAD}`;

function setup(replies: Parameters<typeof fakeFetch>[0]) {
  const fetch = fakeFetch(replies);
  const clock = fakeClock();
  const carrier = fakeCarrier({ clock, fetch, tiers: memoryTiers(clock) });
  const parsed = parsePatterns('*.corp.example');
  const privateModules = parsed.kind === 'parsed' ? parsed.patterns : [];
  const serve = async (path: string) => {
    const request = parseChecksumRequest(`/sumdb/sum.golang.org/${path}`, databases);
    if (!request) throw new Error(`no request: ${path}`);
    return proxyChecksums(request, { carrier, privateModules });
  };
  return { fetch, carrier, serve };
}

it('"supported" is answered here', async () => {
  const { serve, fetch } = setup({});
  expect(await serve('supported')).toMatchObject({ kind: 'found', file: { size: 0 } });
  expect(fetch.calls.length).toBe(0);
});

it('a private module is told to no database', async () => {
  const { serve, fetch } = setup({ 'https://a': () => new Response(RECORD) });
  expect(await serve('lookup/git.corp.example/x@v1.0.0')).toMatchObject({ kind: 'refused' });
  expect(fetch.calls.length).toBe(0);
});

it.each([
  ['lookup/a.example/x@v1.0.0', RECORD, 'immutable'],
  ['latest', HEAD, 'mutable'],
  ['tile/8/0/001', 'h'.repeat(256 * 32), 'immutable'],
  ['tile/8/0/001.p/3', 'h'.repeat(3 * 32), 'immutable'],
  ['tile/8/data/001', RECORD, 'immutable'],
])('%s is carried as it is', async (path, body, cache) => {
  const { serve, fetch } = setup({ 'https://a': () => new Response(body) });
  const outcome = await serve(path);
  expect(outcome).toMatchObject({
    kind: 'found',
    cache,
    file: { size: new TextEncoder().encode(body).length },
  });
  expect(fetch.calls[0]?.url).toBe(`https://a/${path}`);
});

it.each([
  ['lookup/a.example/x@v1.0.0', '<html>'],
  ['lookup/a.example/x@v1.0.1', RECORD],
  ['lookup/a.example/x@v1.0.0', RECORD.slice(0, 40)],
  ['lookup/a.example/x@v1.0.0', RECORD.slice(0, RECORD.indexOf('hash='))],
  ['lookup/a.example/x@v1.0.0', RECORD.trimEnd()],
  ['lookup/a.example/x@v1.0.0', RECORD.replace('— sum.golang.org', '— sum.example.test')],
  ['latest', '<html>'],
  ['tile/8/0/001', 'h'.repeat(256 * 32 - 1)],
  ['tile/8/0/001.p/3', 'h'.repeat(256 * 32)],
  ['tile/8/data/001', ' <html>'],
])('%s that is something else comes from the next address', async (path, body) => {
  const { serve, fetch } = setup({ 'https://a': () => new Response(body) });
  expect((await serve(path)).kind).toBe('unavailable');
  expect(fetch.calls.map(({ url }) => new URL(url).host)).toEqual(['a', 'b']);
});

it('a partial tile is cut from the full one that is stored', async () => {
  const { serve, fetch, carrier } = setup({ 'https://a': () => new Response('h'.repeat(256 * 32)) });
  await serve('tile/8/0/001');
  await carrier.idle();
  const outcome = await serve('tile/8/0/001.p/3');
  expect(outcome.kind === 'found' && (await bytesOf(outcome.file.body)).length).toBe(96);
  expect(fetch.calls.length).toBe(1);
});
