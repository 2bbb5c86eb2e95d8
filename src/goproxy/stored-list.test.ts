import { expect, it } from 'vitest';
import { fakeContext, memoryTiers } from '../../test/fakes/mirror/context.ts';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { bytes, modulePath, text } from '../../test/fakes/effects/values.ts';
import { listedKey } from '../store/key.ts';
import { listStored } from './stored-list.ts';

it.each([
  ['example.com/a', [], undefined],
  ['example.com/a', ['example.com/a/@v/list', 'example.com/a/@latest'], undefined],
  [
    'example.com/a',
    ['example.com/a/@v/v1.10.0.info', 'example.com/a/@v/v1.9.0.info'],
    'v1.9.0\nv1.10.0\n',
  ],
  ['example.com/a', ['example.com/a/@v/v1.0.0.mod', 'example.com/a/@v/v1.0.0.zip'], ''],
  ['example.com/a', ['example.com/a/@v/v1.0.0-!r!c1.info'], 'v1.0.0-RC1\n'],
  ['example.com/a', ['example.com/a/@v/v0.0.0-20240115100000-abcdefabcdef.info'], ''],
  ['example.com/a', ['example.com/a/@v/main.info'], undefined],
  ['example.com/a', ['example.com/a/b/@v/v1.0.0.info', 'example.com/ab/@v/v1.0.0.info'], undefined],
  // The .info of v3.0.0 may say v3.0.0+incompatible: v3.0.0 is no version of this path.
  ['example.com/a', ['example.com/a/@v/v3.0.0.info'], undefined],
  ['github.com/Azure/x', ['github.com/!azure/x/@v/v1.0.0.info'], 'v1.0.0\n'],
  [
    'golang.org/toolchain',
    ['golang.org/toolchain/@v/v0.0.1-go1.24.0.linux-amd64.zip'],
    'v0.0.1-go1.24.0.linux-amd64\n',
  ],
])('the list of %s made of the stored files %j is %j', async (module, keys, expected) => {
  const tiers = memoryTiers(fakeClock());
  for (const key of keys)
    tiers.durable.files.set(listedKey(key), { bytes: bytes('x'), etag: '"x"' });
  const list = await listStored(fakeContext({ tiers }).store, modulePath(module));
  expect(list && text(list)).toBe(expected);
});
