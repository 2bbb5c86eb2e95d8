import { as } from '../../test/fakes/tokens.ts';
import { describe, expect, it } from 'vitest';
import { untilDone } from '../../test/fakes/mirror/context.ts';
import { fakeModferry } from '../../test/fakes/modferry.ts';

const down = () => {
  throw new TypeError('refused');
};

/** modferry after three requests that no origin answered: their breakers are open. */
async function withOpenBreakers() {
  const modferry = fakeModferry({ replies: { 'https://': down } });
  for (const version of ['v1.0.0', 'v1.1.0', 'v1.2.0']) {
    await untilDone(modferry.clock, modferry.get(`/example.com/hello/@v/${version}.mod`));
  }
  return modferry;
}

describe('/readyz', () => {
  it('is 200 while nothing is known of the origins', async () => {
    const modferry = fakeModferry();
    const { status, headers, text } = await modferry.get('/readyz');
    expect([status, headers.get('Cache-Control')]).toEqual([200, 'no-store']);
    expect(text).toBe(
      'ready\na.example: not probed, breaker closed\nb.example: not probed, breaker closed\n' +
        'probe: has not run yet\nlog heads: has not run yet\n' +
        'takedown check: has not run yet\nstore check: has not run yet\n' +
        'edge cache: works, written in 0 ms, read in 0 ms\n',
    );
    expect(modferry.fetch.calls).toEqual([]);
  });

  it('is 503 while the breakers of all origins are open, and says which', async () => {
    const modferry = await withOpenBreakers();
    const { status, headers, text } = await modferry.get('/readyz');
    expect([status, headers.get('Cache-Control')]).toEqual([503, 'no-store']);
    expect(text).toMatch(/^not ready: no origin of modules can be reached\n/);
    expect(text).toContain('a.example: not probed, breaker open\n');
    expect(modferry.lastRequest()).toMatchObject({ kind: 'readiness', status: 503 });
  });

  it('shows the verdict of the last probe', async () => {
    const modferry = fakeModferry({ replies: { 'https://': down } });
    await untilDone(modferry.clock, modferry.runCron(modferry.incoming, 'cron'));
    await modferry.clock.advance(60_000);
    const { status, text } = await modferry.get('/readyz');
    expect(status).toBe(503);
    expect(text).toMatch(/a\.example: connection failed, probed 1 min ago/);
  });
});

describe('a checksum database whose own addresses are down', () => {
  const CARRIER = 'https://a.example/sumdb/sum.golang.org';
  async function probed() {
    const modferry = fakeModferry({
      variables: { SUMDBS: 'sum.golang.org' },
      replies: {
        [`${CARRIER}/supported`]: () => new Response(''),
        [`${CARRIER}/latest`]: () => new Response('go.sum database tree\n1\n'),
        'https://b.example': () => new Response('', { status: 404 }),
      },
    });
    await untilDone(modferry.clock, modferry.runCron(modferry.incoming, 'cron'));
    return modferry;
  }

  it('is shown to be reachable through an origin that carries it', async () => {
    const { text } = await (await probed()).get('/readyz');
    expect(text.split('\n').filter((line) => line.startsWith('sum.'))).toEqual([
      'sum.golang.org at sum.golang.org: connection failed, probed 0 min ago, breaker closed',
      'sum.golang.org at sum.golang.google.cn: connection failed, probed 0 min ago, breaker closed',
      'sum.golang.org at a.example/sumdb/sum.golang.org: ok, probed 0 min ago, breaker closed',
      'sum.golang.org at b.example/sumdb/sum.golang.org: it does not carry the database, probed 0 min ago, breaker closed',
    ]);
  });

  it('costs a probe two requests to an origin that carries it, and one to another', async () => {
    const { fetch } = await probed();
    const toCarriers = fetch.calls.map(({ url }) => url).filter((url) => url.includes('/sumdb/'));
    // The next job of the scheduler reads the head of the log.
    expect(toCarriers.slice(0, 3)).toEqual([
      `${CARRIER}/supported`,
      `${CARRIER}/latest`,
      'https://b.example/sumdb/sum.golang.org/supported',
    ]);
  });

  it('has no failure counted against an origin that does not carry it', async () => {
    const { text } = await (await probed()).get('/-/api/origins', as('read'));
    expect(JSON.parse(text).origins.at(-1)).toMatchObject({
      name: 'b.example/sumdb/sum.golang.org',
      counters: { failed: 0 },
      breakers: { reach: { failures: 0 } },
      probe: { small: { isUp: true, verdict: 'it does not carry the database' } },
    });
  });
});

describe('/-/api/origins', () => {
  it('is a JSON document with every origin and address of a database, in their order', async () => {
    const modferry = fakeModferry({ variables: { SUMDBS: 'sum.golang.org' } });
    const { status, headers, text } = await modferry.get('/-/api/origins', as('read'));
    expect([status, headers.get('Content-Type'), headers.get('Cache-Control')]).toEqual([
      200,
      'application/json',
      'no-store',
    ]);
    expect(JSON.parse(text)).toMatchObject({
      origins: [
        { name: 'a.example', kind: 'modules' },
        { name: 'b.example', kind: 'modules' },
        { name: 'sum.golang.org', kind: 'checksums', database: 'sum.golang.org' },
        { name: 'sum.golang.google.cn', kind: 'checksums', database: 'sum.golang.org' },
        { name: 'a.example/sumdb/sum.golang.org', database: 'sum.golang.org' },
        { name: 'b.example/sumdb/sum.golang.org', database: 'sum.golang.org' },
      ],
      at: '2026-01-01T00:00:00.000Z',
    });
    expect(modferry.lastRequest()).toMatchObject({ kind: 'origins', status: 200 });
  });

  it('has the state and the last failure of an origin that fails, and no address', async () => {
    const modferry = await withOpenBreakers();
    const { text } = await modferry.get('/-/api/origins', as('read'));
    expect(JSON.parse(text)).toMatchObject({
      origins: [
        { breakers: { reach: { state: 'open' } }, lastFailure: { text: 'connection failed' } },
        { breakers: { reach: { state: 'open' } }, lastFailure: { text: 'connection failed' } },
      ],
    });
    expect(text).not.toContain('https://');
    expect(text).not.toContain('example.com/hello');
  });
});

it('an origin with private modules is named to those alone who may read them', async () => {
  const modferry = fakeModferry({
    variables: {
      ORIGINS: JSON.stringify([
        { name: 'internal-host', url: 'https://a.example', modules: 'corp.example' },
        { name: 'open', url: 'https://b.example', modules: 'open.example', public: true },
        { name: 'mirror', url: 'https://c.example' },
      ]),
    },
  });
  for (const path of ['/', '/readyz']) {
    for (const headers of [{}, as('read')]) {
      const { text } = await modferry.get(path, headers);
      expect(text).toContain('open');
      expect(text).not.toContain('internal-host');
    }
  }
  expect((await modferry.get('/readyz', as('private'))).text).toContain(
    'internal-host: not probed',
  );
});
