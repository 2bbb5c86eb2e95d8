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
        'probe: has not run yet\nlog heads: has not run yet\nstore check: has not run yet\n' +
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

describe('/-/api/origins', () => {
  it('is a JSON document with every origin and address of a database, in their order', async () => {
    const modferry = fakeModferry({ variables: { SUMDBS: 'sum.golang.org' } });
    const { status, headers, text } = await modferry.get('/-/api/origins');
    expect([status, headers.get('Content-Type'), headers.get('Cache-Control')]).toEqual([
      200,
      'application/json',
      'no-store',
    ]);
    expect(JSON.parse(text)).toMatchObject({
      origins: [
        { name: 'a.example', kind: 'modules' },
        { name: 'b.example', kind: 'modules' },
        { kind: 'checksums', database: 'sum.golang.org' },
        { kind: 'checksums', database: 'sum.golang.org' },
      ],
      at: '2026-01-01T00:00:00.000Z',
    });
    expect(modferry.lastRequest()).toMatchObject({ kind: 'origins', status: 200 });
  });

  it('has the state and the last failure of an origin that fails, and no address', async () => {
    const modferry = await withOpenBreakers();
    const { text } = await modferry.get('/-/api/origins');
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
