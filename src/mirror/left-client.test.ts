import { expect, it } from 'vitest';
import { fakeCarrier } from '../../test/fakes/effects/carrier.ts';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeFetch, never, originOf } from '../../test/fakes/effects/fetch.ts';
import { modulePath, version } from '../../test/fakes/effects/values.ts';
import { versionKey } from '../store/key.ts';
import type { Carrier } from './carrier.ts';
import type { Outcome } from './outcome.ts';
import { serveSmallFile } from './small-file.ts';

/** A file of the origin a. */
function serve(carrier: Carrier): Promise<Outcome> {
  return serveSmallFile(
    {
      subject: 'm@v1.0.0.mod',
      key: versionKey(modulePath('example.com/m'), version('v1.0.0'), 'mod'),
      contentType: 'text/plain',
      cache: 'immutable',
      kv: true,
      ask: () =>
        carrier.ask([originOf('a')], {
          path: '/file',
          accept: async (body) => ({ bytes: await body.all(100) }),
        }),
    },
    { carrier, cachedOnly: false },
  );
}

it('who waits for a request whose client leaves asks by itself', async () => {
  const clock = fakeClock();
  const fetch = fakeFetch({ 'https://a': [never, () => new Response('module m\n')] });
  const client = new AbortController();
  const leaving = fakeCarrier({ clock, fetch, signal: client.signal });
  const staying = { ...fakeCarrier({ clock, fetch }), flights: leaving.flights };
  const first = serve(leaving);
  await clock.advance(50);
  const second = serve(staying);
  await clock.advance(50);
  expect(fetch.calls.length).toBe(1);
  client.abort();
  await clock.advance(1_000);
  expect(await first).toMatchObject({ kind: 'unavailable' });
  expect(await second).toMatchObject({ kind: 'found' });
  expect(fetch.calls.length).toBe(2);
});
