import { expect, it } from 'vitest';
import { type FakeClock, fakeClock } from '../../../test/fakes/effects/clock.ts';
import { fakeFetch, originOf } from '../../../test/fakes/effects/fetch.ts';
import { fakeContext, memoryTiers } from '../../../test/fakes/mirror/context.ts';
import {
  bigBytes,
  bigFile,
  knownAs,
  readOutcome,
  sends,
  STREAMED_BYTES,
} from '../../../test/fakes/mirror/large-file.ts';
import { serveLarge } from './serve-large.ts';

const MIB = 1024 * 1024;
const right = bigBytes(STREAMED_BYTES);
const wrong = bigBytes(STREAMED_BYTES, 1);

type Replies = (clock: FakeClock) => Parameters<typeof fakeFetch>[0];

/** What sixty clients get that ask for a cold file at the same moment, and for how many requests. */
async function sixty(repliesOf: Replies, seconds: number) {
  const clock = fakeClock();
  const replies = repliesOf(clock);
  const fetch = fakeFetch(replies);
  const context = fakeContext({ clock, fetch, tiers: memoryTiers(clock) });
  const origins = Object.keys(replies).map((url) => originOf(new URL(url).host));
  const file = bigFile({ origins, expected: knownAs(right) });
  const deadline = clock.now() + 25_000;
  const timeLeftMs = () => deadline - clock.now();
  const counts: Record<string, number> = {};
  const served = Array.from({ length: 60 }, async () => {
    const outcome = await serveLarge(file, { ...context, timeLeftMs });
    const got = outcome.kind === 'unavailable' ? outcome.status : await readOutcome(outcome, right);
    counts[got] = (counts[got] ?? 0) + 1;
  });
  for (let second = 0; second < seconds; second += 1) await clock.advance(1_000);
  await Promise.all(served);
  await context.idle();
  const { held, verifications } = context.shared.budgets;
  const free = [held.take(40 * MIB), verifications.take(32 * MIB)].map((taken) => typeof taken);
  return { counts, requests: fetch.calls.length, free };
}

const RELEASED = ['function', 'function'];

it('a stream keeps its memory reserved for as long as it takes', async () => {
  const clock = fakeClock();
  const slow = sends(right, { pause: () => clock.sleep(10_000) }); // seven minutes
  const context = fakeContext({ clock, fetch: fakeFetch({ 'https://a': slow }) });
  const file = bigFile({ origins: [originOf('a')] });
  const serving = serveLarge(file, context);
  await clock.advance(22_000);
  const reading = readOutcome(await serving, right);
  for (let minute = 0; minute < 6; minute += 1) await clock.advance(60_000);
  expect(context.shared.budgets.held.take(40 * MIB)).toBeUndefined();
  for (let minute = 0; minute < 3; minute += 1) await clock.advance(60_000);
  expect(await reading).toBe('right');
  expect(context.shared.budgets.held.take(40 * MIB)).toBeDefined();
});

it('sixty clients of a file that the first origin has wrong cost one request more', async () => {
  const result = await sixty(() => ({ 'https://a': sends(wrong), 'https://b': sends(right) }), 20);
  expect(result).toEqual({ counts: { broken: 1, right: 59 }, requests: 2, free: RELEASED });
});

it('sixty clients of a file that both origins have wrong cost four requests, and get 502', async () => {
  const result = await sixty(() => ({ 'https://a': sends(wrong), 'https://b': sends(wrong) }), 20);
  expect(result).toEqual({ counts: { broken: 2, 502: 58 }, requests: 4, free: RELEASED });
});

it.each([
  ['that all wait for', 11, 250, { right: 60 }, 1],
  ['for which three fetches are all there is', 60, 1_400, { right: 3, 503: 57 }, 3],
] as const)(
  'sixty clients of a file %s, of an origin that takes %i s for it, cost few requests',
  async (_, seconds, pieceMs, counts, requests) => {
    const slow = (clock: FakeClock) => ({
      'https://a': sends(right, { pause: () => clock.sleep(pieceMs) }),
    });
    const result = await sixty(slow, 2 * seconds + 30);
    expect(result).toEqual({ counts, requests, free: RELEASED });
  },
);
