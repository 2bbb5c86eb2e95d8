import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeFetch } from '../../test/fakes/effects/fetch.ts';
import { bytes } from '../../test/fakes/effects/values.ts';
import { fakeContext, memoryTiers } from '../../test/fakes/mirror/context.ts';
import { bigBytes, bigFile, knownAs } from '../../test/fakes/mirror/large-file.ts';
import { versionKey } from '../store/key.ts';
import { modulePath, version } from '../../test/fakes/effects/values.ts';
import type { Verdict } from './expectation.ts';
import { recheck } from './recheck.ts';
import type { SmallFile } from './small/small-file.ts';

const key = versionKey(modulePath('example.com/hello'), version('v1.0.0'), 'mod');
const RIGHT = bytes('module right');
const hashes = { database: 'sum.example', expected: 'h1:right', found: 'h1:wrong' };

/** A small file whose right content is `RIGHT`, with a stored copy that was found right before. */
async function storedSmall(content: string, verdict: (bytes: Uint8Array) => Verdict) {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const context = fakeContext({ clock, tiers });
  await tiers.durable.write(
    key,
    { bytes: bytes(content), etag: '"old"', checked: 'h1:right' },
    'create',
  );
  await context.store.find(key, { inWorldTier: true });
  await context.idle();
  const file: SmallFile = {
    subject: 'example.com/hello@v1.0.0.mod',
    key,
    contentType: 'text/plain',
    cache: 'immutable',
    inWorldTier: true,
    verify: async (stored) => verdict(stored),
    fetch: async () => ({
      kind: 'found',
      bytes: RIGHT,
      checked: 'h1:right',
      source: { from: 'local' },
    }),
  };
  const result = await recheck({ size: 'small', file }, context);
  await context.idle();
  return { context, result, tiers };
}

const compare = (stored: Uint8Array): Verdict =>
  stored.length === RIGHT.length
    ? { kind: 'checked', checked: 'h1:right' }
    : { kind: 'wrong', hashes };

describe('a small file that is checked again', () => {
  it('and is right stays as it is', async () => {
    const { context, result, tiers } = await storedSmall('module right', compare);
    expect([result, tiers.durable.files.get(key)?.etag]).toEqual(['right', '"old"']);
    expect(context.alarms).toEqual([]);
  });

  it('and is wrong is reported, removed and fetched again, and its copies are worthless', async () => {
    const { context, result, tiers } = await storedSmall('module wrong!', compare);
    expect(result).toBe('wrong');
    expect(context.alarms).toMatchObject([{ kind: 'stored-mismatch', hashes }]);
    expect(tiers.durable.files.get(key)).toMatchObject({ bytes: RIGHT, checked: 'h1:right' });
    const hit = await context.store.findWhole(key, { inWorldTier: true });
    expect(hit?.file.bytes).toEqual(RIGHT);
  });

  it.each<[string, Verdict]>([
    ['whose database cannot be asked', { kind: 'unknown', failures: [] }],
    ['that no database has', { kind: 'checked', checked: 'uncovered' }],
  ])('%s stays as it is', async (_, verdict) => {
    const { result, tiers } = await storedSmall('module wrong!', () => verdict);
    expect([result, tiers.durable.files.get(key)?.etag]).toEqual(['unknown', '"old"']);
  });
});

describe('a large file that is checked again', () => {
  const right = bigBytes(1_000);

  async function storedLarge(content: Uint8Array) {
    const clock = fakeClock();
    const tiers = memoryTiers(clock);
    const fetch = fakeFetch({ 'https://a': () => new Response(right) });
    const context = fakeContext({ clock, tiers, fetch });
    const file = bigFile({ expected: knownAs(right) });
    const stored = { bytes: content, etag: '"old"', checked: 'h1:stale' } as const;
    await tiers.durable.write(file.key, stored, 'create');
    const result = await recheck({ size: 'large', file }, context);
    await context.idle();
    return { context, file, result, tiers };
  }

  it('and is right stays as it is', async () => {
    const { file, result, tiers } = await storedLarge(right);
    expect([result, tiers.durable.files.get(file.key)?.etag]).toEqual(['right', '"old"']);
  });

  it('and is wrong is reported, removed and fetched again', async () => {
    const { context, file, result, tiers } = await storedLarge(bigBytes(1_000, 7));
    expect(result).toBe('wrong');
    expect(context.alarms).toMatchObject([{ kind: 'stored-mismatch' }]);
    expect(tiers.durable.files.get(file.key)?.bytes).toEqual(right);
  });

  it('and is not there is no finding', async () => {
    const context = fakeContext();
    const file = bigFile({ expected: knownAs(right) });
    expect(await recheck({ size: 'large', file }, context)).toBe('absent');
  });
});
