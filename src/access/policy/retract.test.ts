import { describe, expect, it } from 'vitest';
import { bytes, version } from '../../../test/fakes/effects/values.ts';
import { retractionsOf, withoutRetracted } from './retract.ts';

function retracted(goMod: string): string[] {
  return retractionsOf(bytes(goMod)).map(({ high, low }) =>
    low === high ? low : `${low}-${high}`,
  );
}

describe('the retractions of a go.mod', () => {
  it.each([
    ['module m\n', []],
    ['module m\nretract v1.0.0\n', ['v1.0.0']],
    ['module m\nretract v1.0.0 // by mistake', ['v1.0.0']],
    ['retract "v1.0.0"\nretract `v1.1.0`', ['v1.0.0', 'v1.1.0']],
    ['retract [v1.0.0, v1.1.0]', ['v1.0.0-v1.1.0']],
    ['retract [v1.0.0,v1.1.0] // both', ['v1.0.0-v1.1.0']],
    ['retract [v1.0.0 , "v1.1.0"]', ['v1.0.0-v1.1.0']],
    [
      'retract (\n\t// all of these\n\tv1.0.0 // a\n\n\t[v1.2.0, v1.3.0]\n)\nretract v2.0.0-rc.1\n',
      ['v1.0.0', 'v1.2.0-v1.3.0', 'v2.0.0-rc.1'],
    ],
    ['retract v1.0.0\r\nretract v1.1.0\r\n', ['v1.0.0', 'v1.1.0']],
    ['retract v3.0.0+incompatible', ['v3.0.0+incompatible']],
    ['require (\n\ta.example v1.0.0\n)\n// retract v1.0.0\n', []],
    ['exclude (\n\tv1.0.0\n)\n', []],
    ['retract v1', ['v1.0.0']],
    // What the go command leaves out of the go.mod of a dependency.
    ['retract\nretract master\nretract v1.0.0 v1.1.0\nretract [v1.0.0]\n', []],
    ['retract [v1.0.0, v1.1.0)\nretract [v1.0.0, v1.1.0\nretract [v1.0.0 v1.1.0]', []],
    ['retract [v1.0.0, v1.1.0, v1.2.0]\nretract v1.0.0]\nretract ()', []],
  ])('%j are %j', (goMod, expected) => {
    expect(retracted(goMod)).toEqual(expected);
  });
});

describe('of the versions v1.0.0 to v1.4.0', () => {
  const all = ['v1.0.0', 'v1.1.0', 'v1.2.0-rc.1', 'v1.2.0', 'v1.3.0', 'v1.4.0'].map(version);

  it.each([
    [[], [0, 1, 2, 3, 4, 5]],
    [
      ['v1.4.0', 'v1.0.0', 'v0.9.0', 'v1.9.0'],
      [1, 2, 3, 4],
    ],
    [['v1.1.0-v1.2.0'], [0, 4, 5]],
    [['v1.0.0-v1.3.0', 'v1.1.0-v1.1.0'], [5]],
    [
      ['v1.1.0-v1.2.0', 'v1.2.0-v1.3.0'],
      [0, 5],
    ],
    [['v1.3.0-v1.1.0'], [0, 1, 2, 3, 4, 5]],
    [['v0.0.0-v9.0.0'], []],
  ])('without %j, those at %j are left', (retractions, left) => {
    const intervals = retractions.map((text) => {
      const [low = '', high = low] = text.split('-v');
      return { low: version(low), high: version(high.startsWith('v') ? high : `v${high}`) };
    });
    expect(withoutRetracted(all, intervals)).toEqual(left.map((at) => all[at]));
  });
});
