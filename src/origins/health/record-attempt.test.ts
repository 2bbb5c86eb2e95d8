import { describe, expect, it } from 'vitest';
import { originOf } from '../../../test/fakes/effects/fetch.ts';
import type { Attempt } from '../request/attempt.ts';
import { recordAttempt } from './record-attempt.ts';
import { percentile } from './latency.ts';
import { type Failure, type FailureReason, wrongContent } from '../failure.ts';
import type { Lane } from './health.ts';
import { HealthRegistry } from './registry.ts';
import { AttemptProgress } from '../request/attempt-progress.ts';

const origin = originOf('a');
const accepted: Attempt<unknown> = { kind: 'accepted', value: 'v1', origin: 'a' };
const missing: Attempt<unknown> = {
  kind: 'missing',
  missing: { status: 404, text: 'no', origin: 'a' },
};
const failed = (reason: FailureReason, rest: Partial<Failure> = {}): Attempt<unknown> => ({
  kind: 'failed',
  failure: { origin: 'a', reason, ...rest },
});
const TIMEOUT = { kind: 'timeout', ms: 10_000 } as const;
const UNREACHABLE = { kind: 'unreachable' } as const;
const UNCHECKED = { kind: 'unchecked', text: 'could not be asked for its hash' } as const;
const LIMIT = { kind: 'limit' } as const;
const STORE = { kind: 'store' } as const;
const NOT_ASKED = { kind: 'not asked', because: 'the time was up' } as const;
const NOT_NOW = { kind: 'not now', text: 'fetch timed out' } as const;
const MISMATCH = {
  kind: 'mismatch',
  hashes: { database: 'sum.example', expected: 'h1:a', found: 'h1:b' },
} as const;

/** How far a request got. */
const STAGES = {
  'before the headers': () => undefined,
  'in the queue': () => undefined,
  'in an answer without a body': (progress: AttemptProgress) => progress.headersArrived(),
  'while the body is read': (progress: AttemptProgress) => {
    progress.headersArrived();
    progress.readStarted();
    progress.readEnded(16_384);
    progress.readStarted();
  },
  'while modferry works on the body': (progress: AttemptProgress) => {
    progress.headersArrived();
    progress.readStarted();
    progress.readEnded(16_384);
  },
  'at the end of a long body': (progress: AttemptProgress) => {
    progress.headersArrived();
    progress.readStarted();
    progress.readEnded(100_000);
  },
} satisfies Record<string, (progress: AttemptProgress) => void>;
type Stage = keyof typeof STAGES;

function fresh() {
  let now = Date.UTC(2026, 0, 1);
  const clock = { now: () => now, steady: () => now };
  const health = new HealthRegistry({ clock, random: () => 0.5 });
  const record = (result: Attempt<unknown>, stage: Stage, lane: Lane = 'reach') => {
    const progress = new AttemptProgress(clock);
    if (stage !== 'in the queue') progress.connected();
    now += 80;
    STAGES[stage](progress);
    now += 20_000; // the current step takes so long
    recordAttempt(health, { origin, result, progress, lane, path: '/x' });
  };
  return { health, record };
}

describe('the outcome of an attempt', () => {
  type Case = [what: string, lane: Lane, result: Attempt<unknown>, stage: Stage, suspect: string];
  it.each<Case>([
    ['no answer', 'reach', failed(TIMEOUT), 'before the headers', 'reach'],
    ['no answer', 'bulk', failed(TIMEOUT), 'before the headers', 'reach'],
    ['no connection', 'bulk', failed(UNREACHABLE), 'before the headers', 'reach'],
    ['a body that stalls', 'reach', failed(TIMEOUT), 'while the body is read', 'reach'],
    ['a body that stalls', 'bulk', failed(TIMEOUT), 'while the body is read', 'bulk'],
    ['a body that breaks off', 'bulk', failed(UNREACHABLE), 'while the body is read', 'bulk'],
    [
      'a status',
      'bulk',
      failed({ kind: 'status', status: 500 }),
      'in an answer without a body',
      'reach',
    ],
    [
      'a status',
      'reach',
      failed({ kind: 'overloaded', status: 503 }),
      'while modferry works on the body',
      'reach',
    ],
    ['a page', 'bulk', failed(wrongContent('a page')), 'while modferry works on the body', 'reach'],
    ['a page', 'bulk', failed(wrongContent('a page')), 'while the body is read', 'reach'],
    ['a wrong hash', 'bulk', failed(MISMATCH), 'while modferry works on the body', 'reach'],
    // none of these is the origin's fault
    [
      'a timeout while modferry works',
      'bulk',
      failed(TIMEOUT),
      'while modferry works on the body',
      '',
    ],
    ['a timeout while modferry works', 'reach', failed(TIMEOUT), 'in an answer without a body', ''],
    ['a failure of our store', 'bulk', failed(UNREACHABLE), 'while modferry works on the body', ''],
    ['no checksum', 'bulk', failed(UNCHECKED), 'while modferry works on the body', ''],
    ['no checksum', 'bulk', failed(UNCHECKED), 'while the body is read', ''],
    ['a timeout in the queue', 'reach', failed(TIMEOUT), 'in the queue', ''],
    ['a call too many', 'reach', failed(LIMIT), 'before the headers', ''],
    ['a call too many', 'bulk', failed(LIMIT), 'while the body is read', ''],
    ['a store that fails', 'bulk', failed(STORE), 'while the body is read', ''],
    ['no connection in time', 'reach', failed(NOT_ASKED), 'in the queue', ''],
    ['"fetch timed out"', 'reach', failed(NOT_NOW), 'while the body is read', ''],
  ])('%s in the lane %s %j %s: suspect is its %j', (_, lane, result, stage, suspect) => {
    const { health, record } = fresh();
    record(result, stage, lane);
    const { bulk, reach } = health.of(origin);
    const found = Object.entries({ reach, bulk }).filter(([, { failures }]) => failures > 0);
    expect(found.map(([name]) => name).join()).toBe(suspect);
    expect(health.counters(origin).failures).toBe(suspect === '' ? 0 : 1);
  });

  it('the bytes before a zip broke off are those that a longer one has to exceed', () => {
    const { health, record } = fresh();
    record(failed(TIMEOUT), 'while the body is read', 'bulk');
    // and as much as a read may have had that was not completed
    expect(health.of(origin).brokeAfter).toBe(2 * 16_384);
  });

  it('a timeout within the hedge delay is not counted against the origin', () => {
    let now = Date.UTC(2026, 0, 1);
    const health = new HealthRegistry({
      clock: { now: () => now, steady: () => now },
      random: () => 0.5,
    });
    const progress = new AttemptProgress({ steady: () => now });
    progress.connected();
    now += 400;
    recordAttempt(health, { origin, result: failed(TIMEOUT), progress, lane: 'reach', path: '/x' });
    expect(health.isSuspect(origin, 'reach')).toBe(false);
    now += 100;
    recordAttempt(health, { origin, result: failed(TIMEOUT), progress, lane: 'reach', path: '/x' });
    expect(health.isSuspect(origin, 'reach')).toBe(true);
  });

  it('the Retry-After of a failure opens the breaker', () => {
    const { health, record } = fresh();
    record(
      failed({ kind: 'overloaded', status: 503 }, { retryAfterSeconds: 60 }),
      'while modferry works on the body',
    );
    expect(health.state(origin, 'reach')).toBe('open');
  });
});

describe.each([
  ['a 404', missing],
  ['a 404 that means "not now"', failed(NOT_NOW)],
])('%s', (_, answer) => {
  it('is an answer: it closes the breaker and shows the latency', () => {
    const { health, record } = fresh();
    for (let at = 0; at < 3; at++) record(failed(TIMEOUT), 'before the headers');
    expect(health.state(origin, 'reach')).toBe('open');
    for (let at = 0; at < 3; at++) record(answer, 'while modferry works on the body');
    expect([health.isSuspect(origin, 'reach'), health.isSuspect(origin, 'bulk')]).toEqual([
      false,
      false,
    ]);
    expect(percentile(health.of(origin).latency, 0.95)).toBeLessThan(100);
  });

  it('shows nothing of the bodies of zips, however long its text is', () => {
    const { health, record } = fresh();
    record(failed(TIMEOUT), 'while the body is read', 'bulk');
    record(answer, 'at the end of a long body', 'bulk');
    expect(health.isSuspect(origin, 'bulk')).toBe(true);
    record(accepted, 'at the end of a long body', 'bulk');
    expect(health.isSuspect(origin, 'bulk')).toBe(false);
  });
});

it('an accepted file is a success', () => {
  const { health, record } = fresh();
  record(failed(TIMEOUT), 'before the headers');
  record(accepted, 'while modferry works on the body');
  expect(health.isSuspect(origin, 'reach')).toBe(false);
});
