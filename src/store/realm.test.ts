import { expect, it } from 'vitest';
import { durableClaims } from '../../test/contracts/durable-claims.ts';
import { bytes, modulePath } from '../../test/fakes/effects/values.ts';
import { memoryStore } from '../../test/fakes/store/memory-store.ts';
import { listKey } from './key.ts';
import { belowPrefix } from './realm.ts';

it.each(durableClaims)('below a prefix: $claim', async ({ check }) => {
  const store = memoryStore();
  await expect(check(belowPrefix(store, 'private/'))).resolves.toBeUndefined();
  for (const key of store.files.keys()) expect(key).toMatch(/^private\//);
});

it('two prefixes of a bucket have nothing in common', async () => {
  const store = memoryStore();
  const key = listKey(modulePath('corp.example/x'));
  const file = { bytes: bytes('v1.0.0\n'), etag: '"1"' };
  await belowPrefix(store, 'private/').write(key, file, 'create');
  const other = belowPrefix(store, 'hosted/');
  expect([await other.read(key), await store.read(key)]).toEqual([undefined, undefined]);
  expect([...store.files.keys()]).toEqual(['private/corp.example/x/@v/list']);
});
