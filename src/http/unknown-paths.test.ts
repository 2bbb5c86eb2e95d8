import { describe, expect, it } from 'vitest';
import { type FakeModferry, fakeModferry } from '../../test/fakes/modferry.ts';
import { as } from '../../test/fakes/tokens.ts';

const KNOWN = '/example.com/hello/@v/list';
const replies = {
  'https://a.example': ({ url }: { readonly url: string }) =>
    url.endsWith('/hello/@v/list')
      ? new Response('v1.0.0\n')
      : new Response('not found: no such module', { status: 404 }),
};

const fake = (variables = {}) =>
  fakeModferry({ variables: { ORIGINS: 'https://a.example', ...variables }, replies });

type Headers = Readonly<Record<string, string>>;

async function statuses(modferry: FakeModferry, paths: readonly string[], headers: Headers = {}) {
  const seen = new Set<number>();
  for (const path of paths) seen.add((await modferry.get(path, headers)).status);
  return [...seen];
}

const from = (address: string) => ({ 'CF-Connecting-IP': address });

const unknown = (count: number, start = 'm') =>
  Array.from({ length: count }, (_, at) => `/example.com/${start}${at}/@v/list`);

describe('a client that asks for 300 paths that no origin knows', () => {
  it('gets 404 for them and 429 for the next one, by GET and HEAD, until the time that is named', async () => {
    const modferry = fake();
    expect(await statuses(modferry, unknown(300))).toEqual([404]);
    const { status, headers, text } = await modferry.get('/example.com/more/@v/list');
    expect(status).toBe(429);
    expect(headers.get('Retry-After')).toBe('60');
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(headers.get('Content-Type')).toBe('text/plain; charset=utf-8');
    expect(text).toMatch(/^too many requests: more than 300 paths .* in 60 s \(request .*\)\n$/);
    const head = await modferry.request('/example.com/more/@latest', { method: 'HEAD' });
    expect([head.status, head.headers.get('Retry-After')]).toEqual([429, '60']);
    await modferry.clock.advance(60_000);
    expect((await modferry.get('/example.com/more/@v/list')).status).toBe(404);
  });

  it('gets files that exist as ever, from the origin and from the store', async () => {
    const modferry = fake();
    await statuses(modferry, unknown(301));
    expect((await modferry.get(KNOWN)).status).toBe(200);
    expect((await modferry.get(KNOWN)).status).toBe(200);
    expect(modferry.fetch.calls.filter(({ url }) => url.endsWith('/hello/@v/list'))).toHaveLength(
      1,
    );
  });

  it('may have asked for each of them many times and in many spellings', async () => {
    const modferry = fake();
    await statuses(modferry, [...unknown(299), ...unknown(299)]);
    const spellings = ['/example.com/%6D1/@v/list', '/example.com/m1/@v/%6Cist'];
    expect(await statuses(modferry, spellings)).toEqual([404]);
    expect(await statuses(modferry, unknown(2, 'n'))).toEqual([404, 429]);
  });

  it('is not limited by paths that no origin is asked for', async () => {
    const modferry = fake({ PRIVATE: 'corp.example' });
    const malformed = unknown(301).map((path) => path.replace('/@v/', '/@w/'));
    const uncached = unknown(301).map((path) => `/cached-only${path}`);
    const ofNoOrigin = unknown(301).map((path) => path.replace('example.com', 'corp.example'));
    const free = [...malformed, ...uncached, ...ofNoOrigin];
    expect(await statuses(modferry, free, as('private'))).toEqual([404]);
    expect(await statuses(modferry, unknown(301), as('private'))).toEqual([404, 429]);
    const stillFree = [...malformed.slice(0, 1), ...ofNoOrigin.slice(0, 1)];
    expect(await statuses(modferry, stillFree, as('private'))).toEqual([404]);
  });

  it('is one address, or one token', async () => {
    const modferry = fake();
    expect(await statuses(modferry, unknown(301), from('192.0.2.1'))).toEqual([404, 429]);
    expect(await statuses(modferry, unknown(301), from('192.0.2.2'))).toEqual([404, 429]);
    const withToken = { ...from('192.0.2.1'), ...as('read') };
    expect(await statuses(modferry, unknown(301), withToken)).toEqual([404, 429]);
    const elsewhere = { ...from('192.0.2.3'), ...as('read') };
    expect(await statuses(modferry, unknown(1, 'n'), elsewhere)).toEqual([429]);
    expect(await statuses(modferry, unknown(1, 'n'), from('192.0.2.3'))).toEqual([404]);
  });
});
