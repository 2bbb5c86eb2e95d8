import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { fakeFetch } from '../../../test/fakes/effects/fetch.ts';
import { bytes } from '../../../test/fakes/effects/values.ts';
import { fakeContext, memoryTiers } from '../../../test/fakes/mirror/context.ts';
import {
  bigBytes,
  bigFile,
  hashOf,
  knownAs,
  readOutcome,
  sends,
} from '../../../test/fakes/mirror/large-file.ts';
import { failed } from '../../effects/result.ts';
import { wrongContent } from '../../origins/failure.ts';
import type { RequestContext } from '../context.ts';
import type { Expectation } from '../expectation.ts';
import type { Outcome } from '../outcome.ts';
import type { LargeFile } from './large-file.ts';
import { serveLarge } from './serve-large.ts';

const right = bigBytes(1000);
const wrong = bigBytes(1000, 1);
const { key, hashKey } = bigFile();
const UNKNOWN: Expectation = {
  kind: 'unknown',
  failures: [{ origin: 'sum.example', reason: { kind: 'timeout', ms: 10_000 } }],
};

const read = (outcome: Outcome) => readOutcome(outcome, right);

/** A store with this copy, which was never checked. */
function setup(
  copy: Uint8Array,
  expected: Expectation = knownAs(right),
  replies: Parameters<typeof fakeFetch>[0] = {},
) {
  const clock = fakeClock();
  const { durable, near } = memoryTiers(clock);
  durable.files.set(key, { bytes: copy, etag: '"seeded"' });
  const context = fakeContext({ clock, fetch: fakeFetch(replies), tiers: { durable, near } });
  const file = bigFile({ expected });
  const serve = (change: Partial<RequestContext> = {}) =>
    serveLarge(file, { ...context, ...change });
  return { durable, near, context, serve };
}

describe('a stored copy without a hash file', () => {
  it('is verified once, for all requests at that time', async () => {
    const { serve, context, durable } = setup(right);
    let verified = 0;
    const { head } = durable;
    durable.head = async (asked) => {
      verified += 1;
      return head.call(durable, asked);
    };
    const outcomes = await Promise.all([serve(), serve(), serve()]);
    expect(await Promise.all(outcomes.map(read))).toEqual(['right', 'right', 'right']);
    await context.idle();
    expect(durable.files.get(hashKey)?.etag).toBe('"seeded"');
    expect(verified).toBe(1);
  });

  it('is not read again once it is verified', async () => {
    const { serve, context } = setup(right);
    expect(await serve()).toMatchObject({ cache: 'immutable', source: { tier: 'r2' } });
    await context.idle();
    expect(await serve()).toMatchObject({
      cache: 'immutable',
      file: { checked: hashOf(right) },
    });
  });

  it('that is wrong is never served, and the file is fetched anew', async () => {
    const { serve, context, durable } = setup(wrong, knownAs(right), { 'https://a': sends(right) });
    expect(await read(await serve())).toBe('right');
    await context.idle();
    expect(context.alarms).toMatchObject([{ kind: 'stored-mismatch' }]);
    const stored = durable.files.get(key)?.bytes ?? new Uint8Array();
    expect(Buffer.compare(stored, right)).toBe(0);
  });

  it('that cannot be hashed at all is not served either', async () => {
    const { durable, context } = setup(wrong, knownAs(right), { 'https://a': sends(right) });
    const file = bigFile({ expected: knownAs(right) });
    const verify: LargeFile['verify'] = async (source, ...rest) => {
      const start = await source.read(0, 5);
      return start[4] === 1 ? failed(wrongContent('a broken file')) : file.verify(source, ...rest);
    };
    expect(await read(await serveLarge({ ...file, verify }, context))).toBe('right');
    await context.idle();
    expect(context.alarms).toMatchObject([
      { kind: 'stored-mismatch', hashes: { found: 'a broken file' } },
    ]);
    expect(durable.files.get(key)?.etag).not.toBe('"seeded"');
  });

  it('is refused while the durable store cannot read it', async () => {
    const { serve, durable, context } = setup(right);
    const readStored = durable.read.bind(durable);
    durable.read = (asked, range) =>
      range ? Promise.reject(new Error('R2 is away')) : readStored(asked, range);
    expect(await serve()).toMatchObject({ kind: 'unavailable', status: 502 });
    expect(context.troubles).toEqual(['verify: R2 is away']);
  });

  it('that no log covers is served for a day, and copied to the near tier so marked', async () => {
    const { serve, context, durable, near } = setup(right, { kind: 'uncovered' });
    expect(await serve()).toMatchObject({ cache: 'uncovered' });
    await context.idle();
    expect(await near.read(key)).toMatchObject({ file: { checked: 'uncovered' } });
    expect([...durable.files.keys()]).toEqual([key]);
  });

  it('is not served on trust while its hash cannot be had', async () => {
    const { serve, durable } = setup(right, UNKNOWN);
    expect(await serve()).toMatchObject({ kind: 'unavailable' });
    expect(durable.files.has(key)).toBe(true);
  });

  it('is a 404 that is not kept for a request that may not fetch where it is wrong, and that is no answer to one that may', async () => {
    const { serve } = setup(wrong, knownAs(right), { 'https://a': sends(right) });
    const [cached, fetching] = await Promise.all([serve({ mayFetch: false }), serve()]);
    expect(cached).toMatchObject({ kind: 'missing', cache: 'failure' });
    expect(await read(fetching)).toBe('right');
  });
});

describe('a stored copy with a hash file of another etag, while its hash cannot be had,', () => {
  it.each([
    ['is served as a stale copy where it has that hash', right, 'found', 'stale'],
    ['is refused where it has another hash', wrong, 'unavailable', undefined],
  ])('%s', async (_, copy, kind, cache) => {
    const { serve, durable } = setup(copy, UNKNOWN);
    durable.files.set(hashKey, { bytes: bytes(hashOf(right)), etag: '"another"' });
    const outcome = await serve();
    expect(outcome).toMatchObject({ kind, ...(cache && { cache, source: { isStale: true } }) });
    expect(await read(outcome)).toMatch(kind === 'found' ? /^right$/ : /^unavailable/);
  });
});
