import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { bytes } from '../../test/fakes/effects/values.ts';
import { createTrace } from '../effects/trace.ts';
import { malformed } from '../mirror/messages.ts';
import { LOCAL, type Outcome, type Source } from '../mirror/outcome.ts';
import type { Effort } from '../origins/race/answer.ts';
import { cacheStatus, serverTiming } from './response-headers.ts';

const ONE: Effort = { attempts: 1, hedged: false, breakers: {} };
const MANY: Effort = {
  attempts: 3,
  hedged: true,
  breakers: { a: 'open', 'b.example': 'half-open' },
};

const found = (source: Source): Outcome => ({
  kind: 'found',
  file: { body: bytes('x'), size: 1, etag: '"e"' },
  contentType: 'text/plain',
  cache: 'immutable',
  source,
});
const missing = (status: 404 | 410, source: Source): Outcome => ({
  ...malformed('no'),
  status,
  source,
});
const unavailable = (source: Source): Outcome => ({
  kind: 'unavailable',
  status: 502,
  text: 'no',
  retryAfterSeconds: undefined,
  source,
});

it.each<[string, Outcome, string]>([
  ['an own answer', missing(404, LOCAL), 'detail=local'],
  ['a stored file', found({ from: 'store', tier: 'r2' }), 'hit; detail=r2'],
  [
    'a negative entry',
    missing(404, { from: 'store', tier: 'edge', origin: 'a' }),
    'hit; detail=edge',
  ],
  [
    'a tier whose label is no token',
    found({ from: 'store', tier: 'my disk' }),
    'hit; detail="my disk"',
  ],
  [
    'a stale file',
    found({ from: 'store', tier: 'r2', isStale: true, effort: MANY }),
    'fwd=stale; detail=r2; attempts=3; hedged; breakers="a=open b.example=half-open"',
  ],
  [
    'a file of an origin',
    found({ from: 'origin', origin: 'a.example', effort: ONE }),
    'fwd=uri-miss; fwd-status=200; detail=a.example',
  ],
  [
    'an origin with a port',
    found({ from: 'origin', origin: 'a.example:8443', effort: ONE }),
    'fwd=uri-miss; fwd-status=200; detail=a.example:8443',
  ],
  [
    'an origin whose name is no token',
    found({ from: 'origin', origin: '192.0.2.1', effort: ONE }),
    'fwd=uri-miss; fwd-status=200; detail="192.0.2.1"',
  ],
  [
    'a 410 of an origin',
    missing(410, { from: 'origin', origin: 'a', effort: ONE }),
    'fwd=uri-miss; fwd-status=410; detail=a',
  ],
  [
    'a failure of every origin',
    unavailable({ from: 'origin', effort: MANY }),
    'fwd=uri-miss; attempts=3; hedged; breakers="a=open b.example=half-open"',
  ],
])('the Cache-Status of %s names the place and the effort', (_, outcome, expected) => {
  expect(cacheStatus(outcome)).toBe(`modferry; ${expected}`);
});

it('Server-Timing has every part in the order of its first measurement, and the total last', async () => {
  const clock = fakeClock();
  const trace = createTrace(clock);
  for (const [name, ms] of [
    ['edge', 2],
    ['origin', 30],
    ['edge', 3],
  ] as const) {
    const measuring = trace.measure(name, clock.sleep(ms));
    await clock.advance(ms);
    await measuring;
  }
  expect(serverTiming(trace, 40)).toBe('edge;dur=5, origin;dur=30, total;dur=40');
  expect(serverTiming(createTrace(clock), 0)).toBe('total;dur=0');
});
