import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { createTrace } from './trace.ts';

it('a trace adds up the time by name, of failures too', async () => {
  const clock = fakeClock();
  const trace = createTrace(clock);
  const first = trace.measure('r2', clock.sleep(5));
  await clock.advance(5);
  await first;
  const second = trace.measure(
    'r2',
    clock.sleep(7).then(() => {
      throw new Error('away');
    }),
  );
  second.catch(() => undefined);
  await clock.advance(7);
  await expect(second).rejects.toThrow('away');
  expect(await trace.measure('edge', Promise.resolve('value'))).toBe('value');
  expect([...trace.timings]).toEqual([
    ['r2', 12],
    ['edge', 0],
  ]);
});
