import { describe, expect, it } from 'vitest';
import { originOf } from '../../../test/fakes/effects/fetch.ts';
import type { Attempt } from '../request/attempt.ts';
import { learn } from './record-attempt.ts';
import { percentile } from './latency.ts';
import type { Failure } from '../origin.ts';
import { Pool } from './pool.ts';
import { Vitals } from '../request/attempt-progress.ts';

const origin = originOf('a');
const accepted: Attempt<unknown> = { kind: 'accepted', value: 'v1', origin: 'a' };
const missing: Attempt<unknown> = {
  kind: 'missing',
  missing: { status: 404, text: 'no', origin: 'a' },
};
const failed = (cause: Failure['cause'], rest: Partial<Failure> = {}): Attempt<unknown> => ({
  kind: 'failed',
  failure: { origin: 'a', cause, text: cause, ...rest },
});

/** How far a request came: whose turn it is, and what has come. */
const STAGES = {
  'before the headers': () => undefined,
  'in an answer without a body': (vitals: Vitals) => vitals.headersCame(),
  'while the body is read': (vitals: Vitals) => {
    vitals.headersCame();
    vitals.readBegins();
    vitals.readEnds(16_384);
    vitals.readBegins();
  },
  'while modferry works on the body': (vitals: Vitals) => {
    vitals.headersCame();
    vitals.readBegins();
    vitals.readEnds(16_384);
  },
  'at the end of a long body': (vitals: Vitals) => {
    vitals.headersCame();
    vitals.readBegins();
    vitals.readEnds(100_000);
  },
} satisfies Record<string, (vitals: Vitals) => void>;
type Stage = keyof typeof STAGES;

function fresh() {
  let now = Date.UTC(2026, 0, 1);
  const clock = { now: () => now };
  const pool = new Pool({ clock, random: () => 0.5 });
  const tell = (result: Attempt<unknown>, stage: Stage, isZip = false) => {
    const vitals = new Vitals(clock);
    now += 80;
    STAGES[stage](vitals);
    now += 20_000; // so long is whoever's turn it is
    learn(pool, { origin, result, vitals, isZip });
  };
  return { pool, tell };
}

describe('what an attempt says of its origin', () => {
  type Case = [
    what: string,
    isZip: boolean,
    result: Attempt<unknown>,
    stage: Stage,
    unwell: string,
  ];
  it.each<Case>([
    ['no answer', false, failed('timeout'), 'before the headers', 'reach'],
    ['no answer', true, failed('timeout'), 'before the headers', 'reach'],
    ['no connection', true, failed('unreachable'), 'before the headers', 'reach'],
    ['a body that stalls', false, failed('timeout'), 'while the body is read', 'reach'],
    ['a body that stalls', true, failed('timeout'), 'while the body is read', 'bulk'],
    ['a body that breaks off', true, failed('unreachable'), 'while the body is read', 'bulk'],
    ['a status', true, failed('status'), 'in an answer without a body', 'reach'],
    ['a status', false, failed('overloaded'), 'while modferry works on the body', 'reach'],
    ['a page', true, failed('answer'), 'while modferry works on the body', 'reach'],
    ['a page', true, failed('answer'), 'while the body is read', 'reach'],
    ['a wrong hash', true, failed('mismatch'), 'while modferry works on the body', 'reach'],
    // none of these is the origin's
    ['our own time was up', true, failed('timeout'), 'while modferry works on the body', ''],
    ['our own time was up', false, failed('timeout'), 'in an answer without a body', ''],
    ['our store broke off', true, failed('unreachable'), 'while modferry works on the body', ''],
    ['no checksum', true, failed('unchecked'), 'while modferry works on the body', ''],
    ['no checksum', true, failed('unchecked'), 'while the body is read', ''],
    [
      '"fetch timed out"',
      false,
      failed('timeout', { isBlameless: true }),
      'while the body is read',
      '',
    ],
  ])('%s (zip %s) %j %s: unwell is its %j', (_, isZip, result, stage, unwell) => {
    const { pool, tell } = fresh();
    tell(result, stage, isZip);
    const { bulk, reach } = pool.health(origin);
    const found = Object.entries({ reach, bulk }).filter(([, { failures }]) => failures > 0);
    expect(found.map(([name]) => name).join()).toBe(unwell);
    expect(pool.counters(origin).failed).toBe(unwell === '' ? 0 : 1);
  });

  it('the bytes that came before a zip broke off are those that a longer one has to pass', () => {
    const { pool, tell } = fresh();
    tell(failed('timeout'), 'while the body is read', true);
    // and as much as a read may have had that was not completed
    expect(pool.health(origin).brokeAfter).toBe(2 * 16_384);
  });

  it('a time that was up before its usual time is not held against it', () => {
    let now = Date.UTC(2026, 0, 1);
    const pool = new Pool({ clock: { now: () => now }, random: () => 0.5 });
    const vitals = new Vitals({ now: () => now });
    now += 400;
    learn(pool, { origin, result: failed('timeout'), vitals, isZip: false });
    expect(pool.isUnwell(origin, false)).toBe(false);
    now += 100;
    learn(pool, { origin, result: failed('timeout'), vitals, isZip: false });
    expect(pool.isUnwell(origin, false)).toBe(true);
  });

  it('the Retry-After of a failure is heard', () => {
    const { pool, tell } = fresh();
    tell(failed('overloaded', { retryAfter: 60 }), 'while modferry works on the body');
    expect(pool.state(origin, false)).toBe('open');
  });
});

describe.each([
  ['a 404', missing],
  ['a 404 that means "not now"', failed('timeout', { isBlameless: true })],
])('%s', (_, answer) => {
  it('is an answer: it closes the breaker and tells the latency', () => {
    const { pool, tell } = fresh();
    for (let at = 0; at < 3; at++) tell(failed('timeout'), 'before the headers');
    expect(pool.state(origin, false)).toBe('open');
    for (let at = 0; at < 3; at++) tell(answer, 'while modferry works on the body');
    expect([pool.isUnwell(origin, false), pool.isUnwell(origin, true)]).toEqual([false, false]);
    expect(percentile(pool.health(origin).latency, 0.95)).toBeLessThan(100);
  });

  it('says nothing of the bodies of zips, however long its text is, where a zip does', () => {
    const { pool, tell } = fresh();
    tell(failed('timeout'), 'while the body is read', true);
    tell(answer, 'at the end of a long body', true);
    expect(pool.isUnwell(origin, true)).toBe(true);
    tell(accepted, 'at the end of a long body', true);
    expect(pool.isUnwell(origin, true)).toBe(false);
  });
});

it('an accepted file is a success', () => {
  const { pool, tell } = fresh();
  tell(failed('timeout'), 'before the headers');
  tell(accepted, 'while modferry works on the body');
  expect(pool.isUnwell(origin, false)).toBe(false);
});
