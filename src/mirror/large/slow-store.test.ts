import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
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
import type { DurableStore } from '../../store/contract.ts';
import type { Expectation } from '../expectation.ts';
import { serveLarge } from './serve-large.ts';

const MIB = 1024 * 1024;
const STALL_MS = 20_000;
const right = bigBytes(STREAMED_BYTES);

const never = () => new Promise<never>(() => undefined);
const away = () => Promise.reject(new Error('R2 is away'));
type Change = (durable: DurableStore) => Partial<DurableStore>;

const hangingUpload =
  (how: 'write' | 'commit' | 'abort'): Change =>
  (durable) => ({
    upload: async (...args) => {
      const upload = await durable.upload(...args);
      return { ...upload, ...(how === 'abort' && { write: away }), [how]: never };
    },
  });
const hangingRanges: Change = (durable) => ({
  read: async (key, range) => {
    const stored = await durable.read(key, range);
    return range && stored ? { ...stored, body: new ReadableStream({ type: 'bytes' }) } : stored;
  },
});

/** Serves a file while the store does not answer, and advances the time, by the stall limit by default. */
async function serve(change: Change, expected: Expectation | undefined, ms = STALL_MS) {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const durable = { ...tiers.durable, ...change(tiers.durable) };
  const fetch = fakeFetch({ 'https://a': sends(right) });
  const context = fakeContext({ clock, fetch, tiers: { durable } });
  const file = bigFile({ origins: [originOf('a')], expected });
  const outcome = await serveLarge(file, context);
  let got = 'still open';
  void readOutcome(outcome, right).then((how) => (got = how));
  await clock.advance(ms);
  return { clock, context, file, got: () => got };
}

const MUST_STORE: readonly (readonly [string, Change])[] = [
  ['does not take a chunk', hangingUpload('write')],
  ['does not end the upload', hangingUpload('commit')],
  ['fails, and does not abort the upload', hangingUpload('abort')],
  ['sends nothing of the copy that is to be compared', hangingRanges],
];

describe('a store that', () => {
  it.each(MUST_STORE)(
    '%s breaks a stream within the stall limit, is logged, and keeps no memory and no flight',
    async (_, change) => {
      const { clock, context, file, got } = await serve(change, knownAs(right));
      expect(got()).toBe('broken');
      expect(context.troubles.length).toBeGreaterThan(0);
      await clock.advance(STALL_MS);
      const { budgets, flights } = context.shared;
      expect([flights.join(file.key), typeof budgets.held.take(40 * MIB)]).toEqual([
        undefined,
        'function',
      ]);
      await context.idle();
    },
  );

  it.each(MUST_STORE.slice(0, 3))(
    '%s does not hold up a client of a file that is compared with nothing',
    async (_, change) => {
      const { clock, context, got } = await serve(change, undefined);
      expect(got()).toBe('right');
      await clock.advance(STALL_MS);
      expect(context.troubles.length).toBeGreaterThan(0);
      expect(typeof context.shared.budgets.held.take(40 * MIB)).toBe('function');
      await context.idle();
    },
  );
});

it('a store that fails breaks a stream at once, however long the end of its upload takes', async () => {
  const { got } = await serve(hangingUpload('abort'), knownAs(right), 0);
  expect(got()).toBe('broken');
});

it('the client of an origin that was wrong before has an answer in time, and the file is stored later', async () => {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const slow = sends(right, { pause: () => clock.sleep(1_000) }); // 42 s
  const context = fakeContext({ clock, fetch: fakeFetch({ 'https://a': slow }), tiers });
  const file = bigFile({ origins: [originOf('a')], expected: knownAs(right) });
  context.shared.wrongFiles.add(file.key, 'a');
  const deadline = clock.now() + 25_000;
  const timeLeftMs = () => deadline - clock.now();
  const serving = serveLarge(file, { ...context, timeLeftMs });
  for (let second = 0; second < 25; second += 1) await clock.advance(1_000);
  expect(await serving).toMatchObject({ kind: 'unavailable', status: 504, retryAfterSeconds: 5 });
  for (let second = 0; second < 40; second += 1) await clock.advance(1_000);
  await context.idle();
  expect(tiers.durable.files.has(file.key)).toBe(true);
  expect(await readOutcome(await serveLarge(file, context), right)).toBe('right');
});
