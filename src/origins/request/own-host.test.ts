import { expect, it } from 'vitest';
import { openHttpDriver } from '../../../test/fakes/effects/ask.ts';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { fakeFetch, originOf } from '../../../test/fakes/effects/fetch.ts';
import type { TroubleEvent } from '../../effects/emit.ts';
import { isOwnHost, OwnHostGuard } from './own-host.ts';

it.each([
  ['https://go.example', 'go.example', true],
  ['https://go.example/sumdb/sum.golang.org', 'go.example', true],
  ['https://go.example:8443', 'go.example', false],
  ['http://127.0.0.1:8787', '127.0.0.1:8787', true],
  ['https://other.example/go.example', 'go.example', false],
])('%s is at the own host %s: %s', (url, host, is) => {
  expect(isOwnHost({ url }, host)).toBe(is);
});

function setup() {
  const fetch = fakeFetch({ 'https://': () => new Response('ok') });
  const events: TroubleEvent[] = [];
  const guard = new OwnHostGuard();
  const http = openHttpDriver({ fetch, clock: fakeClock() });
  const { signal } = new AbortController();
  return {
    fetch,
    events,
    ask: (name: string, host?: string) =>
      guard.openDriver(http, host, (event) => events.push(event))(originOf(name))('/x', {
        headers: {},
        signal,
      }),
  };
}

it('an origin at the host of the request is not asked, and that is logged once', async () => {
  const { ask, events, fetch } = setup();
  for (let times = 0; times < 3; times++) {
    await expect(ask('go.example', 'go.example')).rejects.toMatchObject({
      reason: { kind: 'not asked', because: 'its address is that of this modferry' },
    });
  }
  expect(fetch.calls).toEqual([]);
  expect(events).toEqual([
    {
      event: 'trouble',
      label: 'origin',
      error:
        'go.example is at go.example, where this modferry is: remove it from ORIGINS and SUMDBS',
    },
  ]);
});

it('other origins are asked, and so is the same one by a request that came by another host', async () => {
  const { ask, fetch } = setup();
  await ask('go.example', 'go.example').catch(() => undefined);
  await ask('a.example', 'go.example');
  await ask('go.example', 'other.example');
  await ask('go.example');
  expect(fetch.calls.map(({ url }) => url)).toEqual([
    'https://a.example/x',
    'https://go.example/x',
    'https://go.example/x',
  ]);
});
