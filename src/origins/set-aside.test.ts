import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/clock.ts';
import { originOf } from '../../test/fakes/fetch.ts';
import { modulePath, version } from '../../test/fakes/values.ts';
import { versionKey } from '../store/key.ts';
import { SetAside } from './set-aside.ts';

const hello = modulePath('example.com/hello');
const zip = versionKey(hello, version('v1.0.0'), 'zip');
const mod = versionKey(hello, version('v1.0.0'), 'mod');
const origins = [originOf('a'), originOf('b')];
const names = (aside: SetAside, key = zip) => aside.order(key, origins).map(({ name }) => name);

it('an origin that gave a wrong file is the last to be asked for that file for ten minutes, and for others as ever', async () => {
  const clock = fakeClock();
  const aside = new SetAside(clock);
  aside.add(zip, 'a');
  expect([names(aside), names(aside, mod)]).toEqual([
    ['b', 'a'],
    ['a', 'b'],
  ]);
  await clock.advance(10 * 60_000 - 1);
  expect(names(aside)).toEqual(['b', 'a']);
  await clock.advance(1);
  expect(names(aside)).toEqual(['a', 'b']);
});

it('of several that gave a wrong file the one of longest ago is asked first', async () => {
  const clock = fakeClock();
  const aside = new SetAside(clock);
  aside.add(zip, 'a');
  await clock.advance(1);
  aside.add(zip, 'b');
  expect(names(aside)).toEqual(['a', 'b']);
  await clock.advance(1);
  aside.add(zip, 'a');
  expect([names(aside), aside.has(zip, 'a'), aside.has(mod, 'a')]).toEqual([['b', 'a'], true, false]);
});

it('a flood of wrong files is remembered up to a limit, the latest ones', () => {
  const aside = new SetAside(fakeClock());
  aside.add(zip, 'a');
  aside.add(mod, 'a');
  for (let at = 0; at < 999; at++) aside.add(versionKey(hello, version(`v2.0.${at}`), 'zip'), 'a');
  expect([names(aside), names(aside, mod)]).toEqual([
    ['a', 'b'],
    ['b', 'a'],
  ]);
});
