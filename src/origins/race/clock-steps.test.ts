import { expect, it } from 'vitest';
import { askEffects } from '../../../test/fakes/effects/ask.ts';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { fakeFetch, never, originOf } from '../../../test/fakes/effects/fetch.ts';
import { success } from '../../effects/result.ts';
import { askOrigins } from './ask.ts';

const HOUR_MS = 3_600_000;
const STEP_MS = 10;

const question = { path: '/x', accept: async () => success('ok') };

/**
 * After how long the question is settled when the wall clock steps 100 ms after it was asked. The
 * first origin never answers, and the last one does if `isOneWell`.
 */
async function settledAfter(stepMs: number, isOneWell: boolean): Promise<number> {
  const clock = fakeClock();
  const fetch = fakeFetch({
    'https://a': never,
    'https://b': isOneWell ? () => new Response('ok') : never,
  });
  const settled = new AbortController();
  const asked = askOrigins(
    [originOf('a'), originOf('b')],
    question,
    askEffects({ clock, fetch }),
  ).finally(() => settled.abort());
  const start = clock.steady();
  await clock.advance(100);
  clock.step(stepMs);
  while (!settled.signal.aborted && clock.steady() - start < HOUR_MS / 10)
    await clock.advance(STEP_MS);
  await asked;
  return clock.steady() - start;
}

it.each([true, false])(
  'a step of the wall clock by an hour changes no limit of a request; another origin answers: %s',
  async (isOneWell) => {
    const usual = await settledAfter(0, isOneWell);
    expect(await settledAfter(-HOUR_MS, isOneWell)).toBe(usual);
    expect(await settledAfter(HOUR_MS, isOneWell)).toBe(usual);
  },
);
