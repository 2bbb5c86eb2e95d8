import type { Effort } from '../../origins/race/answer.ts';
import { etagOf } from '../../store/etag.ts';
import type { Keeping } from '../../store/layered.ts';
import { NEAR_SECONDS } from '../cache-policy.ts';
import type { RequestContext } from '../context.ts';
import { missing, notCached, unavailable } from '../messages.ts';
import type { Found, Outcome, Source } from '../outcome.ts';
import { type Delivery, fetchOnce } from '../shared-fetch.ts';
import type { Fetched, FetchedFile, SmallFile } from './small-file.ts';
import {
  findDerived,
  findStored,
  found,
  foundBytes,
  nearSecondsOf,
  reachOf,
  type StoredCopy,
  verifyStored,
  withMemory,
} from './stored-copy.ts';

/** How long a module for which nothing was stored is not looked for in the bucket again. */
const LIST_AGAIN_AFTER_MS = 600_000;

/**
 * Serves a small file: from the store unless it has to be fetched again, else from the first origin
 * that has it, else a stale copy.
 */
export async function serveSmall(file: SmallFile, context: RequestContext): Promise<Outcome> {
  const copy = await findStored(file, context);
  if (copy.state === 'ready') return copy.outcome;
  if (!context.mayFetch) return (await obtain(file, copy, context)).outcome;
  const find = async () => {
    const now = await findStored(file, context);
    return now.state === 'ready' ? now.outcome : undefined;
  };
  const fetch = () => obtain(file, copy, context);
  const shared = { key: file.key, subject: file.subject, find, fetch };
  const outcome = await fetchOnce(shared, context);
  const held = copy.state === 'unchecked' ? copy.held : undefined;
  if (outcome.kind !== 'found' || outcome.file.held !== held) held?.drop(); // another one led
  return outcome;
}

/** Verifies the stored copy, or fetches the file where there is none or it is not proven. */
async function obtain(
  file: SmallFile,
  copy: Exclude<StoredCopy, { state: 'ready' }>,
  context: RequestContext,
): Promise<Delivery> {
  const isUnchecked = copy.state === 'unchecked';
  const checked = isUnchecked ? await verifyStored(file, copy, context) : copy;
  if (checked.state === 'ready') return checked;
  const other = isUnchecked ? await findDerived(file) : checked;
  if (other.state === 'ready') return other;
  const isUnproven = checked.state === 'unproven';
  const job: Job = {
    file,
    context,
    isUnproven,
    hasStaleCopy: isUnproven || file.cache === 'mutable',
  };
  return context.mayFetch ? deliver(job, await file.fetch()) : serveCached(job);
}

/** A small file that the store cannot answer alone. */
interface Job {
  readonly file: SmallFile;
  readonly context: RequestContext;
  /** Whether the store has a copy that nothing shows to be right. */
  readonly isUnproven: boolean;
  /** Whether the store may have a copy to serve when the file cannot be fetched. */
  readonly hasStaleCopy: boolean;
}

async function serveCached({ file, context, hasStaleCopy }: Job): Promise<Delivery> {
  const stale = hasStaleCopy ? await findStale(file, context) : undefined;
  // A header may have selected this answer, and a cache in front of the Worker ignores that header.
  return { outcome: stale ? { ...stale, cache: 'failure' } : notCached(file.subject) };
}

async function deliver(job: Job, fetched: Fetched): Promise<Delivery> {
  const { file, context, hasStaleCopy } = job;
  if (fetched.kind === 'found') return deliverFile(job, fetched);
  const { effort } = fetched;
  if (fetched.kind === 'missing') {
    return deliverMissing(job, fetched);
  }
  // Without a client the fetch was ended, and shows no outage: those who wait fetch for themselves.
  const mayBeStale = hasStaleCopy && !context.signal.aborted;
  const stale = mayBeStale ? await findStale(file, context, effort) : undefined;
  return { outcome: stale ?? (await missingBefore(file, fetched, context)) };
}

async function deliverMissing(
  { file, context }: Job,
  fetched: Extract<Fetched, { kind: 'missing' }>,
): Promise<Delivery> {
  const { effort, isUnanimous, missing: said } = fetched;
  const { clock, store } = context;
  // Since Go 1.23 `go install p@v` fails without a list. So a module with stored versions keeps its
  // list, even after the origins have removed it. A module that had none is not looked for again
  // at once, because listing a bucket is an expensive operation.
  const before = file.composeOffline && (await store.findRememberedMissing(file.key));
  const isLookedFor = before && clock.now() - before.asOf < LIST_AGAIN_AFTER_MS;
  const kept =
    file.composeOffline && !isLookedFor ? await findStale(file, context, effort) : undefined;
  if (kept) return { outcome: kept };
  if (isUnanimous) {
    store.keepMissing(file.key, said, NEAR_SECONDS.negative);
    if (!isLookedFor) store.rememberMissing(file.key, said);
  }
  const source: Source = { from: 'origin', origin: said.origin, effort };
  return { outcome: missing(file.subject, said, { isUnanimous, source }) };
}

function deliverFile(
  { file, context: { store }, isUnproven }: Job,
  { bytes, checked, held, keep, source }: FetchedFile,
): Delivery {
  const known = { bytes, etag: etagOf(bytes), checked };
  const outcome = withMemory(foundBytes(file, known, source), held);
  if (keep === 'nowhere') return { outcome: { ...outcome, cache: 'failure' } };
  if (keep === 'near') {
    store.keepNear(file.key, known, nearSecondsOf(file));
    return { outcome };
  }
  const reach = {
    ...reachOf(file),
    ...(checked === 'uncovered' && { nearSeconds: NEAR_SECONDS.uncovered }),
  };
  const durable = durableModeOf(file, isUnproven);
  const kept = store.keep(file.key, known, { ...reach, durable });
  return { outcome, settled: kept.finally(held?.use()) };
}

/** An immutable file is created once, except that a fetched copy replaces an unproven one. */
function durableModeOf(file: SmallFile, isUnproven: boolean): Keeping['durable'] {
  if (file.cache === 'mutable') return 'if-changed';
  return isUnproven ? 'replace' : 'create';
}

/**
 * The outcome when the origins failed and there is no stale copy. `go install`, `go get` and `go
 * mod tidy` ask for every prefix of an import path and need a 404 for each that is no module: a
 * file that was not found before the outage is still not found. A file that exists and is wrong or
 * unchecked is never a 404.
 */
async function missingBefore(
  file: SmallFile,
  { failures, effort }: Extract<Fetched, { kind: 'failed' }>,
  context: RequestContext,
): Promise<Outcome> {
  const exists = failures.some(
    ({ reason: { kind } }) => kind === 'mismatch' || kind === 'unchecked',
  );
  const remembered = exists ? undefined : await context.store.findRememberedMissing(file.key);
  if (!remembered) return unavailable(file.subject, failures, { from: 'origin', effort });
  return missing(file.subject, remembered.missing, {
    isUnanimous: false,
    source: {
      from: 'store',
      tier: remembered.tier,
      origin: remembered.missing.origin,
      isStale: true,
      effort,
    },
  });
}

/**
 * The last good copy, or a file composed from the store. `effort` is that of the failed fetch, if
 * there was one.
 */
async function findStale(
  file: SmallFile,
  { store }: RequestContext,
  effort?: Effort,
): Promise<Found | undefined> {
  const hit = await store.findDurable(file.key);
  const tier = hit?.tier ?? store.durableLabel ?? '';
  const source: Source = { from: 'store', tier, isStale: effort !== undefined, effort };
  if (hit) return { ...found(file, hit.file, source), cache: 'stale' };
  const bytes = await file.composeOffline?.();
  return bytes && { ...foundBytes(file, { bytes, etag: etagOf(bytes) }, source), cache: 'stale' };
}
