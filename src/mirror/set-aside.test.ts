import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { modulePath, version } from '../../test/fakes/effects/values.ts';
import { versionKey } from '../store/key.ts';
import { SetAside } from './set-aside.ts';

const hello = modulePath('example.com/hello');
const zip = versionKey(hello, version('v1.0.0'), 'zip');
const mod = versionKey(hello, version('v1.0.0'), 'mod');

it('an origin that gave a wrong file is set aside for that file for ten minutes, and for no other', async () => {
  const clock = fakeClock();
  const aside = new SetAside(clock);
  aside.add(zip, 'a');
  expect([aside.has(zip, 'a'), aside.has(zip, 'b'), aside.has(mod, 'a')]).toEqual([
    true,
    false,
    false,
  ]);
  await clock.advance(10 * 60_000 - 1);
  expect(aside.has(zip, 'a')).toBe(true);
  await clock.advance(1);
  expect(aside.has(zip, 'a')).toBe(false);
});

it('a flood of wrong files is remembered up to a limit, the latest ones', () => {
  const aside = new SetAside(fakeClock());
  aside.add(zip, 'a');
  aside.add(mod, 'a');
  for (let at = 0; at < 999; at++) aside.add(versionKey(hello, version(`v2.0.${at}`), 'zip'), 'a');
  expect([aside.has(zip, 'a'), aside.has(mod, 'a')]).toEqual([false, true]);
});
