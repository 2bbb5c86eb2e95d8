import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FakePlatform, startPlatform } from '../../../test/fakes/cloudflare/platform.ts';
import { platformApi } from './api.ts';
import { ensureBucket, ensureNamespace } from './storage.ts';

let platform: FakePlatform;
beforeEach(async () => {
  platform = await startPlatform();
});
afterEach(() => platform.close());

const api = () =>
  platformApi({ baseUrl: platform.url, credentials: { Authorization: 'Bearer api-token' } });

it('a namespace on the third page is found', async () => {
  platform.state.namespaces = Array.from({ length: 250 }, (_, index) => ({
    id: `id${index}`,
    title: `t${index}`,
  }));
  const found = await ensureNamespace(api(), 'a1', 't249');
  expect(found).toEqual({ ok: true, value: { id: 'id249', isNew: false } });
  expect(platform.count(/^POST/)).toBe(0);
});

it('a namespace is made where a full page is the last one', async () => {
  platform.state.namespaces = Array.from({ length: 100 }, (_, index) => ({
    id: `id${index}`,
    title: `t${index}`,
  }));
  expect(await ensureNamespace(api(), 'a1', 'x')).toMatchObject({ value: { isNew: true } });
});

it('a bucket is made once', async () => {
  const bucket = { id: 'files' };
  expect(await ensureBucket(api(), 'a1', 'files')).toMatchObject({
    value: { ...bucket, isNew: true },
  });
  expect(await ensureBucket(api(), 'a1', 'files')).toMatchObject({
    value: { ...bucket, isNew: false },
  });
});

it('R2 that is off is told from a failure', async () => {
  platform.state.hasR2 = false;
  expect(await ensureBucket(api(), 'a1', 'files')).toMatchObject({ reason: { kind: 'off' } });
  platform.state.hasR2 = true;
  platform.failOnce(/buckets/);
  expect(await ensureBucket(api(), 'a1', 'files')).toMatchObject({ reason: { kind: 'failed' } });
});

it('a token without the permission is told which one it lacks', async () => {
  const stranger = platformApi({ baseUrl: platform.url, credentials: {} });
  expect(await ensureNamespace(stranger, 'a1', 'x')).toMatchObject({
    reason: expect.stringContaining('"Account: Workers KV Storage: Edit"'),
  });
  expect(await ensureBucket(stranger, 'a1', 'x')).toMatchObject({
    reason: { text: expect.stringContaining('"Account: Workers R2 Storage: Edit"') },
  });
});
