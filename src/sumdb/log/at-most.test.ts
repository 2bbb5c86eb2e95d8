import { expect, it } from 'vitest';
import { settled } from '../../../test/fakes/effects/clock.ts';
import { atMost } from './at-most.ts';

it('runs as many at once as it may, and the next one when one has ended', async () => {
  const inTurn = atMost(2);
  const started: number[] = [];
  const works = [0, 1, 2, 3].map(() => Promise.withResolvers<string>());
  const results = works.map(({ promise }, at) =>
    inTurn(() => {
      started.push(at);
      return promise;
    }),
  );
  await settled();
  expect(started).toEqual([0, 1]);
  works[1]?.reject(new Error('refused'));
  await expect(results[1]).rejects.toThrow('refused');
  await settled();
  expect(started).toEqual([0, 1, 2]);
  for (const { resolve } of works) resolve('done');
  expect(await Promise.all([results[0], results[2], results[3]])).toEqual(['done', 'done', 'done']);
});
