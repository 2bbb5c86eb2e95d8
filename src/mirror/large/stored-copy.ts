/**
 * The copy of a large file in the store.
 *
 *     absent      nothing is stored
 *     ready       it may be served as it is: it was checked, or nothing is compared
 *     unchecked   a bucket that was filled without checks, or another request's fill that is not checked yet
 *
 * An unchecked copy is compared with the log when it is first asked for.
 */
import { discard } from '../../bytes/streams.ts';
import type { Found, Outcome, Source } from '../outcome.ts';
import type { LargeHit, RangedFile } from '../../store/large-files.ts';
import { type CacheClass, NEAR_SECONDS } from '../cache-policy.ts';
import { asMismatch, type Comparable, type Expectation, type KnownHash } from '../expectation.ts';
import { unavailable } from '../messages.ts';
import type { Job } from './job.ts';
import type { FileSource, LargeFile } from './large-file.ts';

export type StoredCopy =
  | { readonly state: 'ready'; readonly outcome: Found }
  | { readonly state: 'unchecked' | 'absent' };

/**
 * What comparing a stored file holds at a time: two windows of the file, and what is inflated from
 * them.
 */
const VERIFY_BYTES = 16 * 1024 * 1024;

/** Looks a file up in the store. */
export async function findStored({ file, context }: Job): Promise<StoredCopy> {
  const { expect, hashKey, key } = file;
  const hit = await context.store.large.find(key, {
    select: context.select,
    hashKey: expect ? hashKey : undefined,
  });
  if (!hit) return { state: 'absent' };
  if (!expect || hit.file.checked) return { state: 'ready', outcome: foundStored(file, hit) };
  discard(hit.file.body);
  return { state: 'unchecked' };
}

/**
 * Compares an unchecked copy with what is expected of it, and answers with it. Undefined when it is
 * wrong, and removed; or gone meanwhile. Rejects when the store cannot be read.
 */
export async function verifyStored(job: Job, expected: Expectation): Promise<Outcome | undefined> {
  const { context, file } = job;
  const { large } = context.store;
  const stored = await large.open(file.key);
  if (!stored) return undefined;
  if (expected.kind === 'unknown') {
    const tier = context.store.durableLabel ?? '';
    const stale = await serveByHashFile(job, stored);
    return stale ?? unavailable(file.subject, expected.failures, { from: 'store', tier });
  }
  if (expected.kind === 'uncovered') {
    large.copyToNear(file.key, { ...stored, checked: 'uncovered' }, NEAR_SECONDS.uncovered);
  } else {
    const compared = await compareStored(job, stored, expected);
    if (!compared.ok) {
      const reason = asMismatch(compared.reason, expected);
      if (reason.kind === 'mismatch') {
        const { hashes } = reason;
        context.emit({ event: 'security', kind: 'stored-mismatch', subject: file.subject, hashes });
      }
      await large.remove(file.key, file.hashKey, stored.etag);
      return undefined;
    }
    await large.writeHash(file.hashKey, expected.hash, stored.etag);
  }
  return serveVerified(job, stored.etag, expected);
}

/** Reads a stored file in ranges, under the budget of such reads. */
export function compareStored(
  { context, file, leader }: Job,
  stored: FileSource,
  expected: Comparable,
): ReturnType<LargeFile['verify']> {
  return context.shared.budgets.verifications.holding(VERIFY_BYTES, () =>
    file.verify(stored, expected, () => leader?.touch()),
  );
}

/** The copy that was compared just now, unless another one came to lie in its place. */
export async function serveVerified(
  { context, file }: Job,
  etag: string,
  expected: Comparable,
): Promise<Found | undefined> {
  // With the hash key, as without it an unmarked copy would go to the near tier.
  const hit = await context.store.large.find(file.key, {
    select: context.select,
    hashKey: file.hashKey,
  });
  if (!hit) return undefined;
  if (expected.kind !== 'known') return foundStored(file, hit, 'uncovered');
  // The hash file may not have been written; what was compared is this very file all the same.
  if (hit.file.checked || hit.file.etag === etag) return foundStored(file, hit, 'immutable');
  discard(hit.file.body);
  return undefined;
}

/**
 * A stored copy whose hash cannot be asked for now, as a stale one: if it has the hash in the hash
 * file beside it, as in a bucket that was copied from a module cache. Without a hash file it may be
 * another request's fill that is not checked yet: unlike a small file it is not served on trust.
 */
async function serveByHashFile(job: Job, stored: RangedFile): Promise<Found | undefined> {
  const { context, file } = job;
  const { large } = context.store;
  const known = await large.readHash(file.hashKey);
  if (!known) return undefined;
  const expected: KnownHash = { kind: 'known', database: '', hash: known.hash };
  if (!(await compareStored(job, stored, expected)).ok) return undefined;
  const hit = await large.find(file.key, { select: context.select });
  if (hit?.file.etag === stored.etag) {
    const source: Source = { from: 'store', tier: hit.tier, isStale: true };
    return { ...foundStored(file, hit, 'stale'), source };
  }
  if (hit) discard(hit.file.body);
  return undefined;
}

/**
 * The answer with a stored file. By default what a checksum database has of it decides how long it
 * is kept.
 */
function foundStored(file: LargeFile, hit: LargeHit, cache?: CacheClass): Found {
  const { tier, isUnsatisfiable } = hit;
  const sent = isUnsatisfiable ? { ...hit.file, isUnsatisfiable } : hit.file;
  return found(file, sent, { source: { from: 'store', tier }, cache });
}

export function found(
  { contentType }: LargeFile,
  file: Found['file'],
  { source, cache }: { readonly source: Source; readonly cache?: CacheClass | undefined },
): Found {
  const byCheck = file.checked === 'uncovered' ? 'uncovered' : 'immutable';
  return { kind: 'found', file, contentType, cache: cache ?? byCheck, source };
}
