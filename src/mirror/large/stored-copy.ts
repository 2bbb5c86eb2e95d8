/**
 * The copy of a large file in the store.
 *
 *     absent      nothing is stored
 *     ready       it may be served: it was checked, or nothing is compared
 *     missing     no origin had the file a moment ago
 *     unchecked   it is from a bucket that was filled without checks, or from another request's
 *                 fill whose check has not ended yet
 *
 * An unchecked copy is compared with the log when it is first requested.
 */
import { discard } from '../../bytes/streams.ts';
import type { Found, Outcome, Source } from '../outcome.ts';
import type { LargeHit, Verified } from '../../store/large-files.ts';
import type { RangedFile } from '../../store/ranged-file.ts';
import { type CacheClass, NEAR_SECONDS } from '../cache-policy.ts';
import { asMismatch, type Comparable, type Expectation, type KnownHash } from '../expectation.ts';
import { missingStored, unavailable } from '../messages.ts';
import type { Job } from './job.ts';
import type { ByteSource } from '../../bytes/byte-source.ts';
import type { LargeFile } from './large-file.ts';

export type StoredCopy =
  | { readonly state: 'ready'; readonly outcome: Found }
  | { readonly state: 'missing'; readonly outcome: Outcome }
  | UnreadyCopy;

export interface UnreadyCopy {
  readonly state: 'unchecked' | 'absent';
}

/**
 * The memory that one comparison holds: two windows of the file, and what is inflated from them.
 */
export const VERIFY_BYTES = 16 * 1024 * 1024;

/** Looks a file up in the store. Does not check it. */
export async function findStored({ file, context }: Job): Promise<StoredCopy> {
  const { expect, hashKey, key } = file;
  const hit = await context.store.large.find(key, {
    select: context.select,
    hashKey: expect ? hashKey : undefined,
  });
  if (!hit) return { state: 'absent' };
  if (hit.kind === 'missing')
    return { state: 'missing', outcome: missingStored(file.subject, hit) };
  if (!expect || hit.file.checked) return { state: 'ready', outcome: foundStored(file, hit) };
  discard(hit.file.body);
  return { state: 'unchecked' };
}

/**
 * Compares an unchecked copy with its expected hash, and answers with it. Undefined when the copy
 * was wrong and was removed, or when it is not stored any more. Rejects when the store cannot be
 * read.
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
  if (expected.kind === 'known') {
    if (!(await compareCopy(job, stored, expected))) return undefined;
    await large.writeHash(file.hashKey, expected.hash, stored.etag);
  }
  return serveVerified(job, stored.etag, expected);
}

/**
 * Whether the stored copy has the expected hash. A wrong one is removed everywhere, and reported.
 * Rejects when the store cannot be read.
 */
export async function compareCopy(
  job: Job,
  stored: RangedFile,
  expected: KnownHash,
): Promise<boolean> {
  const { emit, store } = job.context;
  const { hashKey, key, subject } = job.file;
  const compared = await compareStored(job, stored, expected);
  if (compared.ok) return true;
  const reason = asMismatch(compared.reason, expected);
  if (reason.kind === 'mismatch') {
    emit({ event: 'security', kind: 'stored-mismatch', subject, hashes: reason.hashes });
  }
  await store.large.remove(key, hashKey, stored.etag);
  return false;
}

/**
 * Compares a stored file with its expected hash, in ranged reads within the memory budget. Rejects
 * when the store cannot be read.
 */
export function compareStored(
  { context, file }: Job,
  stored: ByteSource,
  expected: Comparable,
): ReturnType<LargeFile['verify']> {
  return context.shared.budgets.verifications.holding(VERIFY_BYTES, () =>
    file.verify(stored, expected),
  );
}

/** As `compareStored`, for a file that is compared with nothing: checks its end. */
export function checkStored(
  { context, file }: Job,
  stored: ByteSource,
): ReturnType<LargeFile['checkStored']> {
  return context.shared.budgets.verifications.holding(VERIFY_BYTES, () => file.checkStored(stored));
}

/** Answers with the copy that was just compared; undefined when it was replaced or removed. */
export async function serveVerified(
  { context, file }: Job,
  etag: string,
  expected: Comparable,
): Promise<Found | undefined> {
  const verified: Verified =
    expected.kind === 'known'
      ? { etag, checked: expected.hash }
      : { etag, checked: 'uncovered', nearSeconds: NEAR_SECONDS.uncovered };
  const { hashKey, key } = file;
  const hit = await context.store.large.find(key, { select: context.select, hashKey, verified });
  if (hit?.kind !== 'file') return undefined;
  if (hit.file.checked) return foundStored(file, hit);
  discard(hit.file.body);
  return undefined;
}

/**
 * Answers with a stale copy while no database can be asked, if the copy has the hash in the hash
 * file beside it. Such a hash file may come from a bucket that was copied from a module cache.
 * Without one the copy may be another request's fill that was not checked yet, so it is not served,
 * unlike a small file.
 */
async function serveByHashFile(job: Job, stored: RangedFile): Promise<Found | undefined> {
  const { context, file } = job;
  const { large } = context.store;
  const known = await large.readHash(file.hashKey);
  if (!known) return undefined;
  const expected: KnownHash = { kind: 'known', database: '', hash: known.hash };
  if (!(await compareStored(job, stored, expected)).ok) return undefined;
  const hit = await large.find(file.key, { select: context.select });
  if (hit?.kind !== 'file') return undefined;
  if (hit.file.etag === stored.etag) {
    const source: Source = { from: 'store', tier: hit.tier, isStale: true };
    return { ...foundStored(file, hit, 'stale'), source };
  }
  discard(hit.file.body);
  return undefined;
}

/** The outcome for a stored file. By default its check decides the cache class. */
function foundStored(file: LargeFile, hit: LargeHit, cache?: CacheClass): Found {
  const { tier, isUnsatisfiable } = hit;
  const sent = isUnsatisfiable ? { ...hit.file, isUnsatisfiable } : hit.file;
  return found(file, sent, { source: { from: 'store', tier }, cache });
}

/** The outcome for a large file. By default its check decides the cache class. */
export function found(
  { contentType }: LargeFile,
  file: Found['file'],
  { source, cache }: { readonly source: Source; readonly cache?: CacheClass | undefined },
): Found {
  const byCheck = file.checked === 'uncovered' ? 'uncovered' : 'immutable';
  return { kind: 'found', file, contentType, cache: cache ?? byCheck, source };
}
