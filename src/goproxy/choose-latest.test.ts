import { expect, it } from 'vitest';
import { bytes, modulePath, version } from '../../test/fakes/effects/values.ts';
import { chooseLatest, isWrittenGoMod } from './choose-latest.ts';

const choose = (versions: string, hasGoMod: boolean) =>
  chooseLatest(versions.split(' ').filter(Boolean).map(version), async () => hasGoMod);

it.each([
  ['', undefined],
  ['v1.0.0 v1.10.0 v1.9.0', 'v1.10.0'],
  ['v1.0.0 v1.1.0-rc.1', 'v1.0.0'],
  ['v1.0.0-rc.1 v1.0.0-rc.10 v1.0.0-rc.2', 'v1.0.0-rc.10'],
  ['v0.0.0-20240101000000-abcdefabcdef v0.1.0-rc.1', 'v0.1.0-rc.1'],
  [
    'v0.0.0-20240101000000-abcdefabcdef v0.0.0-20250101000000-abcdefabcdef',
    'v0.0.0-20250101000000-abcdefabcdef',
  ],
  ['v2.0.0+incompatible', 'v2.0.0+incompatible'],
  ['v1.0.0 v2.0.0+incompatible', 'v1.0.0'],
])('of %j the latest is %j', async (versions, expected) => {
  expect(await choose(versions, true)).toBe(expected);
});

it('a version with +incompatible counts where the highest without has no go.mod', async () => {
  expect(await choose('v1.0.0 v2.0.0+incompatible', false)).toBe('v2.0.0+incompatible');
  expect(await choose('v1.0.0 v2.0.0-rc.1+incompatible', false)).toBe('v1.0.0');
});

it.each([
  ['module example.com/x\n', false],
  ['module "example.com/x"\n', false],
  ['module example.com/x\n\ngo 1.21\n', true],
  ['module example.com/x', true],
])('whether %j was written by somebody: %s', (body, expected) => {
  expect(isWrittenGoMod(bytes(body), modulePath('example.com/x'))).toBe(expected);
});
