import { expect, it } from 'vitest';
import { sharedClaims } from '../../../test/contracts/shared-claims.ts';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { memorySharedState } from './shared-state.ts';

it.each(sharedClaims)('$claim', async ({ check }) => {
  const clock = fakeClock();
  const pass = (seconds: number) => clock.advance(seconds * 1000);
  await expect(check({ state: memorySharedState(clock), pass })).resolves.toBeUndefined();
});
