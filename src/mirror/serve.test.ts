import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeFetch, originOf } from '../../test/fakes/effects/fetch.ts';
import { fakeContext, memoryTiers } from '../../test/fakes/mirror/context.ts';
import { bigBytes, bigFile, readOutcome, sends } from '../../test/fakes/mirror/large-file.ts';
import { type Outcome } from './outcome.ts';
import { serve } from './serve.ts';

const MIB = 1024 * 1024;
const BUDGET = 40 * MIB;

/** Twenty different cold files at the same moment, whose clients do not read for half a minute. */
async function twentyFiles(bytes: Uint8Array, declares: boolean) {
  const clock = fakeClock();
  const fetch = fakeFetch({ 'https://a': sends(bytes, { declares }) });
  const context = fakeContext({ clock, fetch, tiers: memoryTiers(clock) });
  const outcomes: Outcome[] = [];
  const serving = Array.from({ length: 20 }, async (_, at) => {
    const file = bigFile({ version: `v1.0.${at}`, origins: [originOf('a')] });
    outcomes.push(await serve({ size: 'large', file }, context));
  });
  for (let ms = 0; ms < 30_000; ms += 1_000) await clock.advance(1_000);
  await Promise.all(serving);
  const isFree = context.shared.budgets.held.take(BUDGET) !== undefined;
  return { outcomes, isFree };
}

const isRefused = (outcome: Outcome) => outcome.kind === 'unavailable' && outcome.status === 503;

it.each([
  ['7 MiB', 7 * MIB, true],
  ['9 MiB', 9 * MIB, true],
  ['3 MiB of undeclared length', 3 * MIB, false],
])(
  'twenty clients that do not read hold nothing of the budget once their files of %s are stored, and read on',
  async (_, size, declares) => {
    const right = bigBytes(size);
    const { outcomes, isFree } = await twentyFiles(right, declares);
    expect(isFree).toBe(true);
    const served = outcomes.filter((outcome) => !isRefused(outcome));
    expect(served.length).toBeGreaterThanOrEqual(10);
    for (const outcome of served) expect(await readOutcome(outcome, right)).toBe('right');
  },
);
