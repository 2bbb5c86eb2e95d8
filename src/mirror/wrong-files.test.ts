import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { modulePath, version } from '../../test/fakes/effects/values.ts';
import { versionKey } from '../store/key.ts';
import { WrongFiles } from './wrong-files.ts';

const hello = modulePath('example.com/hello');
const zip = versionKey(hello, version('v1.0.0'), 'zip');
const mod = versionKey(hello, version('v1.0.0'), 'mod');

it('an origin that gave a wrong file is asked last for that file for ten minutes, and for no other file', async () => {
  const clock = fakeClock();
  const wrongFiles = new WrongFiles(clock);
  wrongFiles.add(zip, 'a');
  expect([wrongFiles.has(zip, 'a'), wrongFiles.has(zip, 'b'), wrongFiles.has(mod, 'a')]).toEqual([
    true,
    false,
    false,
  ]);
  await clock.advance(10 * 60_000 - 1);
  expect(wrongFiles.has(zip, 'a')).toBe(true);
  await clock.advance(1);
  expect(wrongFiles.has(zip, 'a')).toBe(false);
});

it('of more than a thousand wrong files the latest ones are remembered', () => {
  const wrongFiles = new WrongFiles(fakeClock());
  wrongFiles.add(zip, 'a');
  wrongFiles.add(mod, 'a');
  for (let at = 0; at < 999; at++) {
    wrongFiles.add(versionKey(hello, version(`v2.0.${at}`), 'zip'), 'a');
  }
  expect([wrongFiles.has(zip, 'a'), wrongFiles.has(mod, 'a')]).toEqual([false, true]);
});
