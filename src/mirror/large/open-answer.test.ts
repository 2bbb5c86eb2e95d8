import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { asInWorkerd } from '../../platform/node/fetch.ts';
import {
  bigBytes,
  bigFile,
  hashOf,
  knownAs,
  type Sent,
  sends,
  STREAMED_BYTES,
  UNDECLARED_BYTES,
} from '../../../test/fakes/mirror/large-file.ts';
import { OriginBody } from '../../origins/request/body.ts';
import type { Expectation } from '../expectation.ts';
import { Budget } from '../memory-budget.ts';
import { discardAnswer, openAnswer } from './open-answer.ts';

const MIB = 1024 * 1024;

function setup(bytes: Uint8Array, sent?: Sent) {
  const clock = fakeClock();
  const budget = new Budget(8 * MIB, clock);
  const response = asInWorkerd(sends(bytes, sent)());
  const body = new OriginBody(response, { clock, stallMs: 20_000 });
  const open = (expected?: Expectation) =>
    openAnswer(body, bigFile(), { expecting: expected && Promise.resolve(expected), budget });
  /** Whether all of the budget is free. */
  const isReleased = () => {
    const release = budget.take(8 * MIB);
    release?.();
    return release !== undefined;
  };
  return { open, budget, isReleased };
}

describe('a whole answer', () => {
  it('of at most 8 MiB is held in memory until it is discarded', async () => {
    const right = bigBytes(8 * MIB);
    const { open, isReleased } = setup(right);
    const opened = await open(knownAs(right));
    if (!opened.ok) throw new Error(opened.reason.kind);
    expect(opened.value).toMatchObject({ state: 'whole', checked: hashOf(right) });
    expect(isReleased()).toBe(false);
    discardAnswer(opened.value);
    expect(isReleased()).toBe(true);
  });

  it('of undeclared length and less than 1 MiB takes nothing of the budget', async () => {
    const { open, isReleased } = setup(bigBytes(1000), { declares: false });
    expect(await open()).toMatchObject({ ok: true, value: { state: 'whole' } });
    expect(isReleased()).toBe(true);
  });

  it.each([
    ['no expectation', undefined, undefined],
    ['a version that no log covers', { kind: 'uncovered' }, 'uncovered'],
    ['a hash that cannot be had', { kind: 'unknown', failures: [] }, undefined],
  ] as const)('with %s has this check', async (_, expected, checked) => {
    const { open } = setup(bigBytes(1000));
    expect(await open(expected)).toMatchObject({ ok: true, value: { checked } });
  });

  it.each([
    ['is another kind of file', Buffer.from('PK'), undefined, 'wrong content'],
    ['is another kind of file than the log has', Buffer.from('PK'), 'known', 'mismatch'],
    ['does not end as it should', bigBytes(1000).subarray(0, -1), undefined, 'wrong content'],
    ['has another hash', bigBytes(1000, 1), 'known', 'mismatch'],
  ] as const)('that %s is refused, and its memory released', async (_, bytes, known, kind) => {
    const { open, isReleased } = setup(bytes);
    const expected = known && knownAs(bigBytes(1000));
    expect(await open(expected)).toMatchObject({ ok: false, reason: { kind } });
    expect(isReleased()).toBe(true);
  });

  it('that is shorter than declared rejects, and its memory is released', async () => {
    const { open, isReleased } = setup(bigBytes(1000), { length: 1001 });
    await expect(open()).rejects.toMatchObject({ reason: { kind: 'wrong length' } });
    expect(isReleased()).toBe(true);
  });
});

describe('an answer that streams', () => {
  it.each([
    ['over 8 MiB', STREAMED_BYTES, {}],
    ['of undeclared length from 1 MiB on', UNDECLARED_BYTES, { declares: false }],
  ])(
    'is one %s: it begins with its first bytes, and takes nothing of the budget',
    async (_, size, sent) => {
      const { open, isReleased } = setup(bigBytes(size), sent);
      const opened = await open();
      if (!opened.ok || opened.value.state !== 'begun') throw new Error('not begun');
      const { first } = opened.value;
      expect(first.length).toBeLessThan(size);
      expect(Buffer.compare(first, bigBytes(size).subarray(0, first.length))).toBe(0);
      expect(isReleased()).toBe(true);
      discardAnswer(opened.value);
    },
  );

  it('is also one for which there is no memory now', async () => {
    const { open, budget } = setup(bigBytes(MIB));
    budget.take(8 * MIB);
    expect(await open()).toMatchObject({ ok: true, value: { state: 'begun' } });
  });

  it('of another kind of file is refused before anything is sent', async () => {
    const { open } = setup(new Uint8Array(STREAMED_BYTES));
    expect(await open()).toMatchObject({ ok: false, reason: { kind: 'wrong content' } });
  });
});
