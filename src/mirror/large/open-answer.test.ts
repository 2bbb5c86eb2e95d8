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
import { UPLOAD_PART_BYTES } from '../../store/contract.ts';
import { Budget } from '../memory-budget.ts';
import { discardAnswer, openAnswer } from './open-answer.ts';

const MIB = 1024 * 1024;

/** What of the budget a stream takes that is stored; without a declared length also a part of it. */
const STREAM_BYTES = 4 * MIB;
const UNDECLARED_STREAM_BYTES = STREAM_BYTES + MIB + UPLOAD_PART_BYTES;

const BUDGET = 40 * MIB;

function setup(bytes: Uint8Array, sent?: Sent) {
  const clock = fakeClock();
  const budget = new Budget(BUDGET, clock);
  const response = asInWorkerd(sends(bytes, sent)());
  const body = new OriginBody(response, { clock, stallMs: 20_000 });
  const open = (expected?: Expectation, hasStore = true) => {
    const expecting = expected && Promise.resolve(expected);
    const waitUntil = clock.now() + 10_000;
    return openAnswer(body, bigFile(), { expecting, budget, hasStore, waitUntil });
  };
  /** Whether so much of the budget is free, and no more. */
  const isFree = (bytes: number) => {
    const release = budget.take(bytes);
    const more = budget.take(1);
    release?.();
    more?.();
    return release !== undefined && more === undefined;
  };
  return { open, budget, clock, isFree, isReleased: () => isFree(BUDGET) };
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

  it('of undeclared length and less than 1 MiB takes its length of the budget', async () => {
    const { open, isFree } = setup(bigBytes(1000), { declares: false });
    expect(await open()).toMatchObject({ ok: true, value: { state: 'whole' } });
    expect(isFree(BUDGET - 1000)).toBe(true);
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
    ['over 8 MiB', STREAMED_BYTES, {}, STREAM_BYTES],
    [
      'of undeclared length from 1 MiB on',
      UNDECLARED_BYTES,
      { declares: false },
      UNDECLARED_STREAM_BYTES,
    ],
  ])(
    'is one %s: it begins with its first bytes, and takes of the budget what its ring and its upload hold',
    async (_, size, sent, held) => {
      const { open, isFree, isReleased } = setup(bigBytes(size), sent);
      const opened = await open();
      if (!opened.ok || opened.value.state !== 'begun') throw new Error('not begun');
      const { chunks, first } = opened.value;
      expect([first.length < size, chunks]).toEqual([true, 16]);
      expect(Buffer.compare(first, bigBytes(size).subarray(0, first.length))).toBe(0);
      expect(isFree(BUDGET - held)).toBe(true);
      discardAnswer(opened.value);
      expect(isReleased()).toBe(true);
    },
  );

  it.each([
    [4 * MIB, 16],
    [MIB, 4],
  ])(
    'is also one that is small, with %i bytes of memory left: its ring has %i chunks',
    async (left, chunks) => {
      const { open, budget } = setup(bigBytes(5 * MIB));
      budget.take(BUDGET - left);
      expect(await open()).toMatchObject({ ok: true, value: { state: 'begun', chunks } });
      expect(budget.take(1)).toBeUndefined();
    },
  );

  it.each([
    [24 * MIB, 16],
    [24 * MIB - 1, 4],
    [9 * MIB, 4],
    [9 * MIB - 1, undefined],
  ])(
    'leaves memory for files that are held whole: of %i bytes its ring takes %j chunks',
    async (left, chunks) => {
      const { open, budget, clock } = setup(bigBytes(STREAMED_BYTES));
      budget.take(BUDGET - left);
      const opening = open();
      await clock.advance(10_000);
      const opened = await opening;
      const isBegun = opened.ok && opened.value.state === 'begun';
      expect(isBegun ? opened.value.chunks : undefined).toBe(chunks);
    },
  );

  it('waits for the memory of a small ring, and is refused without it', async () => {
    const { open, budget, clock, isFree } = setup(bigBytes(STREAMED_BYTES));
    const release = budget.take(BUDGET - MIB + 1);
    const opening = open();
    await clock.advance(9_000);
    release?.();
    await clock.advance(50);
    expect(await opening).toMatchObject({ ok: true, value: { state: 'begun', chunks: 16 } });
    expect(isFree(BUDGET - STREAM_BYTES)).toBe(true);
    budget.take(BUDGET - STREAM_BYTES);
    const refused = setup(bigBytes(STREAMED_BYTES));
    refused.budget.take(BUDGET - MIB + 1);
    const answer = refused.open();
    await refused.clock.advance(10_000);
    expect(await answer).toEqual({ ok: false, reason: { kind: 'no memory' } });
  });

  it('has never a small ring without a store, where nothing else shows its end', async () => {
    const { open, budget, clock } = setup(bigBytes(STREAMED_BYTES));
    budget.take(BUDGET - STREAM_BYTES + 1);
    const answer = open(undefined, false);
    await clock.advance(10_000);
    expect(await answer).toMatchObject({ ok: false, reason: { kind: 'no memory' } });
  });

  it('of another kind of file is refused before anything is sent', async () => {
    const { open } = setup(new Uint8Array(STREAMED_BYTES));
    expect(await open()).toMatchObject({ ok: false, reason: { kind: 'wrong content' } });
  });
});
