import { bytesOf } from '../../bytes/streams.ts';
import { within } from '../../effects/clock.ts';
import type { FileToStore } from '../../store/contract.ts';
import { etagOf } from '../../store/etag.ts';
import type { Keeping, Reach } from '../../store/layered.ts';
import type { Hit } from '../../store/tiers.ts';
import { NEAR_SECONDS } from '../cache-policy.ts';
import type { RequestContext } from '../context.ts';
import { missing, notCached, unavailable } from '../messages.ts';
import type { Found, Outcome, Source } from '../outcome.ts';
import type { Effort } from '../../origins/race/answer.ts';
import { type Delivery, fetchShared } from '../shared-fetch.ts';
import type { Fetched, FetchedFile, SmallFile } from './small-file.ts';

/**
 * The part of its time left for which a request waits for the fetch of another one. That fetch has
 * a time limit of its own, but the platform may have ended it; the rest is for that case.
 */
const SHARE_OF_TIME_TO_WAIT = 0.9;

/** The result of a look-up in the store. */
type StoredCopy =
  | { readonly state: 'ready'; readonly outcome: Outcome }
  /** An unproven copy is served only when the file cannot be fetched. */
  | { readonly state: 'absent' | 'unproven' };

/**
 * Serves a small file: from the store unless it has to be fetched again, else from the first origin
 * that has it, else a stale copy.
 */
export async function serveSmall(file: SmallFile, context: RequestContext): Promise<Outcome> {
  const copy = await findStored(file, context);
  if (copy.state === 'ready') return copy.outcome;
  const hasStaleCopy = file.cache === 'mutable' || copy.state === 'unproven';
  if (!context.mayFetch) {
    const stale = hasStaleCopy ? await findStale(file, context) : undefined;
    // A header may have selected this answer, and a cache in front of the Worker ignores that
    // header.
    return stale ? { ...stale, cache: 'failure' } : notCached(file.subject);
  }
  const { flights } = context.shared;
  for (let abandoned: unknown; ;) {
    const waiting = flights.join(file.key);
    // No `await` may come between `join` and `lead`, or two requests would lead.
    if (!waiting || waiting === abandoned) {
      return fetchShared(file.key, context, () => deliver(file, context, copy.state));
    }
    const limitMs = context.timeLeftMs() * SHARE_OF_TIME_TO_WAIT;
    const shared = await within(context.clock, limitMs, waiting).catch(() => undefined);
    if (typeof shared === 'object') return shared;
    abandoned = waiting;
  }
}

async function findStored(file: SmallFile, context: RequestContext): Promise<StoredCopy> {
  const { store } = context;
  const hit =
    file.cache === 'mutable'
      ? await store.findNear(file.key)
      : await store.find(file.key, { ...reachOf(file), checkedOnly: file.verify !== undefined });
  const copy: StoredCopy = hit ? await check(file, hit, context) : { state: 'absent' };
  if (copy.state === 'ready') return copy;
  const derived = await file.derive?.();
  if (derived) {
    const source: Source = { from: 'store', tier: derived.tier };
    return { state: 'ready', outcome: await foundBytes(file, derived.bytes, source) };
  }
  const negative = await store.findMissing(file.key);
  if (!negative) return copy;
  const outcome = missing(file.subject, negative.missing, {
    isUnanimous: true,
    source: { from: 'store', tier: negative.tier, origin: negative.missing.origin },
  });
  return { state: 'ready', outcome };
}

/** Checks a stored copy that was never checked. A wrong one is removed. */
async function check(
  file: SmallFile,
  { file: stored, tier }: Hit,
  context: RequestContext,
): Promise<StoredCopy> {
  const source: Source = { from: 'store', tier };
  if (!file.verify || stored.checked) {
    return { state: 'ready', outcome: found(file, stored, source) };
  }
  const { emit, store } = context;
  const bytes = await bytesOf(stored.body);
  const verdict = await file.verify(bytes);
  const { etag, size } = stored;
  switch (verdict.kind) {
    case 'unproven':
      return { state: 'unproven' };
    case 'wrong':
      emit({
        event: 'security',
        kind: 'stored-mismatch',
        subject: file.subject,
        hashes: verdict.hashes,
      });
      await store.remove(file.key);
      return { state: 'absent' };
    case 'unknown': {
      // The copy passed the checks of its time, and an outage of the database must not break
      // builds.
      const outcome = found(file, { body: bytes, size, etag }, source);
      return { state: 'ready', outcome: { ...outcome, cache: 'stale' } };
    }
    case 'checked': {
      const { checked } = verdict;
      rememberCheck(file, { bytes, etag, checked }, context);
      return { state: 'ready', outcome: found(file, { body: bytes, size, etag, checked }, source) };
    }
  }
}

/** Stores the result of a check beside the copy, in the tiers that may keep it. */
function rememberCheck(
  file: SmallFile,
  known: FileToStore,
  { background, store }: RequestContext,
): void {
  if (known.checked === 'uncovered') store.keepNear(file.key, known, NEAR_SECONDS.uncovered);
  else background('mark', store.keep(file.key, known, { ...reachOf(file), durable: 'replace' }));
}

async function deliver(
  file: SmallFile,
  context: RequestContext,
  copy: 'absent' | 'unproven',
): Promise<Delivery> {
  const fetched = await file.fetch();
  if (fetched.kind === 'found') return deliverFile(file, fetched, { context, copy });
  const { effort } = fetched;
  const hasStaleCopy = file.cache === 'mutable' || copy === 'unproven';
  if (fetched.kind === 'missing') {
    // Since Go 1.23 `go install p@v` fails without a list. So a module with stored versions keeps
    // its list, even after the origins have removed it.
    const kept = file.composeOffline ? await findStale(file, context, effort) : undefined;
    if (kept) return { outcome: kept };
    const { isUnanimous } = fetched;
    if (isUnanimous) context.store.keepMissing(file.key, fetched.missing, NEAR_SECONDS.negative);
    const source: Source = { from: 'origin', origin: fetched.missing.origin, effort };
    return { outcome: missing(file.subject, fetched.missing, { isUnanimous, source }) };
  }
  const stale = hasStaleCopy ? await findStale(file, context, effort) : undefined;
  return { outcome: stale ?? (await missingBefore(file, fetched, context)) };
}

async function deliverFile(
  file: SmallFile,
  { bytes, checked, keep, source }: FetchedFile,
  { context, copy }: { readonly context: RequestContext; readonly copy: 'absent' | 'unproven' },
): Promise<Delivery> {
  const { store } = context;
  const known: FileToStore = { bytes, etag: etagOf(bytes), checked };
  const outcome = found(
    file,
    { body: bytes, size: bytes.length, etag: known.etag, checked },
    source,
  );
  if (keep === 'nowhere') return { outcome: { ...outcome, cache: 'failure' } };
  if (keep === 'near') {
    store.keepNear(file.key, known, nearSecondsOf(file));
    return { outcome };
  }
  const reach = {
    ...reachOf(file),
    ...(checked === 'uncovered' && { nearSeconds: NEAR_SECONDS.uncovered }),
  };
  const durable = durableModeOf(file, copy);
  return { outcome, settled: store.keep(file.key, known, { ...reach, durable }) };
}

/** An immutable file is created once, except that a fetched copy replaces an unproven one. */
function durableModeOf(file: SmallFile, copy: 'absent' | 'unproven'): Keeping['durable'] {
  if (file.cache === 'mutable') return 'if-changed';
  return copy === 'unproven' ? 'replace' : 'create';
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
  return bytes && { ...(await foundBytes(file, bytes, source)), cache: 'stale' };
}

async function foundBytes(file: SmallFile, bytes: Uint8Array, source: Source): Promise<Found> {
  return found(file, { body: bytes, size: bytes.length, etag: etagOf(bytes) }, source);
}

function found(file: SmallFile, stored: Found['file'], source: Source): Found {
  const cache = stored.checked === 'uncovered' ? 'uncovered' : file.cache;
  return { kind: 'found', file: stored, contentType: file.contentType, cache, source };
}

function reachOf(file: SmallFile): Reach {
  return { inWorldTier: file.inWorldTier, nearSeconds: nearSecondsOf(file) };
}

function nearSecondsOf({ cache }: SmallFile): number | undefined {
  return cache === 'immutable' ? undefined : NEAR_SECONDS[cache];
}
