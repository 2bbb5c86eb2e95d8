import { within } from '../../effects/clock.ts';
import type { Effort } from '../../origins/race/answer.ts';
import { etagOf } from '../../store/etag.ts';
import type { Keeping } from '../../store/layered.ts';
import { NEAR_SECONDS } from '../cache-policy.ts';
import type { RequestContext } from '../context.ts';
import { missing, notCached, unavailable } from '../messages.ts';
import type { Found, Outcome, Source } from '../outcome.ts';
import { type Delivery, fetchShared } from '../shared-fetch.ts';
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
} from './stored-copy.ts';

/**
 * The part of its time left for which a request waits for the fetch of another one. That fetch has
 * a time limit of its own, but the platform may have ended it; the rest is for that case.
 */
const SHARE_OF_TIME_TO_WAIT = 0.9;

/** After this time without a fetched file the last good copy is served, if there is one. */
const LAST_GOOD_AFTER_MS = 3_000;

/** Into how many parts STALE_MAX is divided to keep the time of an unchanged copy. */
const RENEWALS = 10;

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
  const { flights } = context.shared;
  for (let abandoned: unknown; ;) {
    const waiting = flights.join(file.key);
    // No `await` may come between `join` and `lead`, or two requests would lead.
    if (!waiting || waiting === abandoned) {
      return fetchShared(file.key, context, () => obtain(file, copy, context));
    }
    const limitMs = context.timeLeftMs() * SHARE_OF_TIME_TO_WAIT;
    const shared = await within(context.clock, limitMs, waiting).catch(() => undefined);
    if (typeof shared === 'object') return shared;
    abandoned = waiting;
  }
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
  if (!context.mayFetch) return serveCached(job);
  const fetching = file.fetch();
  if (file.cache !== 'mutable') return deliver(job, await fetching);
  return (await lastGoodWhileLate(job, fetching)) ?? deliver(job, await fetching);
}

/**
 * The last good copy when the origins are late; undefined when they are not, or there is none. The
 * fetch goes on in the background, so that the copy is replaced.
 */
async function lastGoodWhileLate(
  job: Job,
  fetching: Promise<Fetched>,
): Promise<Delivery | undefined> {
  const { context, file } = job;
  const isLate = within(context.clock, LAST_GOOD_AFTER_MS, fetching).then(
    () => false,
    () => true,
  );
  const stale = (await isLate) ? await findStale(file, context, { isOutage: true }) : undefined;
  if (!stale) return undefined;
  const settled = fetching.then(async (fetched) => (await deliver(job, fetched)).settled);
  return { outcome: stale, settled };
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
  const stale = hasStaleCopy ? await findStale(file, context, { isOutage: false }) : undefined;
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
  const stale = mayBeStale ? await findStale(file, context, { isOutage: true, effort }) : undefined;
  return { outcome: stale ?? (await missingBefore(file, fetched, context)) };
}

async function deliverMissing(
  { file, context, hasStaleCopy }: Job,
  fetched: Extract<Fetched, { kind: 'missing' }>,
): Promise<Delivery> {
  const { effort, isUnanimous, missing: said } = fetched;
  const { clock, store } = context;
  if (said.status === 403) {
    // Others may have served it until they failed; a refusal of all is the answer.
    const stale = hasStaleCopy && !isUnanimous;
    const kept = stale ? await findStale(file, context, { isOutage: true, effort }) : undefined;
    if (kept) return { outcome: kept };
  }
  // Since Go 1.23 `go install p@v` fails without a list. So a module with stored versions keeps its
  // list, even after the origins have removed it. A module that had none is not looked for again
  // at once, because listing a bucket is an expensive operation.
  const isWithdrawn = said.status !== 403 && file.composeOffline !== undefined;
  const before = isWithdrawn ? await store.findRememberedMissing(file.key) : undefined;
  const isLookedFor = before && clock.now() - before.asOf < LIST_AGAIN_AFTER_MS;
  const kept =
    isWithdrawn && !isLookedFor
      ? await findStale(file, context, { isOutage: true, effort })
      : undefined;
  if (kept) return { outcome: kept };
  if (isUnanimous) {
    store.keepMissing(file.key, said, NEAR_SECONDS.negative);
    // An outage may repeat it for a prefix of an import path, and never for a version, which may
    // have been published since.
    if (file.cache === 'mutable' && !isLookedFor) store.rememberMissing(file.key, said);
  }
  const source: Source = { from: 'origin', origin: said.origin, effort };
  return { outcome: missing(file.subject, said, { isUnanimous, source }) };
}

function deliverFile(
  { file, context: { staleMaxMs, store }, isUnproven }: Job,
  { bytes, checked, keep, source }: FetchedFile,
): Delivery {
  const known = { bytes, etag: etagOf(bytes), checked };
  const outcome = foundBytes(file, known, source);
  if (keep === 'near') {
    store.keepNear(file.key, known, nearSecondsOf(file));
    return { outcome };
  }
  const reach = {
    ...reachOf(file),
    ...(checked === 'uncovered' && { nearSeconds: NEAR_SECONDS.uncovered }),
  };
  const durable = durableModeOf(file, isUnproven);
  const unchangedMs = staleMaxMs / RENEWALS;
  return { outcome, settled: store.keep(file.key, known, { ...reach, durable, unchangedMs }) };
}

/** An immutable file is created once, except that a fetched copy replaces an unproven one. */
function durableModeOf(file: SmallFile, isUnproven: boolean): Keeping['durable'] {
  if (file.cache === 'mutable') return 'if-changed';
  return isUnproven ? 'replace' : 'create';
}

/**
 * The outcome when the origins failed and there is no stale copy. `go install`, `go get` and `go
 * mod tidy` ask for every prefix of an import path and need a 404 for each that is no module: a
 * module that was not found before the outage is still not found. A file that exists and is wrong
 * or unchecked is never a 404.
 */
async function missingBefore(
  file: SmallFile,
  { failures, effort }: Extract<Fetched, { kind: 'failed' }>,
  context: RequestContext,
): Promise<Outcome> {
  const exists = failures.some(
    ({ reason: { kind } }) => kind === 'mismatch' || kind === 'unchecked',
  );
  const isPrefix = file.cache === 'mutable' && !exists;
  const remembered = isPrefix ? await context.store.findRememberedMissing(file.key) : undefined;
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

interface StaleOptions {
  /** Whether origins were asked in vain: then STALE_MAX bounds the age of the copy. */
  readonly isOutage: boolean;
  /** That of the failed fetch, where it has ended. */
  readonly effort?: Effort | undefined;
}

/** The last good copy, or a file composed from the store. */
async function findStale(
  file: SmallFile,
  { clock, staleMaxMs, store }: RequestContext,
  { effort, isOutage }: StaleOptions,
): Promise<Found | undefined> {
  const hit = await store.findDurable(file.key);
  const tier = hit?.tier ?? store.durableLabel ?? '';
  const source: Source = { from: 'store', tier, isStale: isOutage, effort };
  if (hit) {
    const ageMs = clock.now() - (hit.file.storedAt ?? 0);
    const isTooOld = isOutage && file.cache === 'mutable' && ageMs > staleMaxMs;
    return isTooOld ? undefined : { ...found(file, hit.file, source), cache: 'stale' };
  }
  const bytes = await file.composeOffline?.();
  return bytes && { ...foundBytes(file, { bytes, etag: etagOf(bytes) }, source), cache: 'stale' };
}
