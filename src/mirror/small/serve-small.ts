import { bytesOf } from '../../bytes/streams.ts';
import { within } from '../../effects/clock.ts';
import type { FileToStore } from '../../store/contract.ts';
import { etagOf } from '../../store/etag.ts';
import type { Reach } from '../../store/layered.ts';
import type { Hit } from '../../store/tiers.ts';
import { NEAR_SECONDS } from '../cache-policy.ts';
import type { RequestContext } from '../context.ts';
import { missing, notCached, unavailable } from '../messages.ts';
import type { Found, Outcome, Source } from '../outcome.ts';
import type { Effort } from '../../origins/race/answer.ts';
import { type Delivery, fetchShared } from '../shared-fetch.ts';
import type { Fetched, FetchedFile, SmallFile } from './small-file.ts';

/**
 * The part of its time that a request waits for another one's fetch. That one ends in its own time
 * unless the platform ended it: the rest is for that case.
 */
const SHARE_OF_TIME_TO_WAIT = 0.9;

/**
 * What the store has of a file: an answer, or nothing that can be served without asking origins
 * first.
 */
type StoredCopy =
  | { readonly state: 'ready'; readonly outcome: Outcome }
  /** A copy that nothing shows to be right is served only when the file cannot be fetched. */
  | { readonly state: 'absent' | 'unproven' };

/**
 * Serves a small file: from the store unless it has to be fetched anew, else from the first origin
 * that has it, else as it was before the outage.
 */
export async function serveSmall(file: SmallFile, context: RequestContext): Promise<Outcome> {
  const copy = await findStored(file, context);
  if (copy.state === 'ready') return copy.outcome;
  const hasStaleCopy = file.cache === 'mutable' || copy.state === 'unproven';
  if (!context.mayFetch) {
    const stale = hasStaleCopy ? await findStale(file, context) : undefined;
    // A header may have asked for this, and a cache in front of the Worker does not look at it.
    return stale ? { ...stale, cache: 'failure' } : notCached(file.subject);
  }
  const { flights } = context.shared;
  for (let abandoned: unknown; ;) {
    const waiting = flights.join(file.key);
    // Nothing may be awaited between this look and the lead that follows from it.
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

/** A stored copy, checked first if it never was. One that is wrong is removed. */
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
      // It was good enough when it was stored, and an outage of the database breaks no build.
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

/** Writes down beside a stored copy that it is right, for as long as that stays true. */
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
    // Since Go 1.23 `go install p@v` fails without a list: a module whose versions are stored keeps
    // one, also after it was withdrawn from the origins.
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
  const durable =
    file.cache === 'mutable' ? 'if-changed' : copy === 'unproven' ? 'replace' : 'create';
  const reach = {
    ...reachOf(file),
    ...(checked === 'uncovered' && { nearSeconds: NEAR_SECONDS.uncovered }),
  };
  return { outcome, settled: store.keep(file.key, known, { ...reach, durable }) };
}

/**
 * The answer when the origins failed. `go install`, `go get` and `go mod tidy` ask for every prefix
 * of an import path and need the 404s of those that are no module: what was not found before the
 * outage is not found now. A file that exists and is wrong is no 404, whatever an origin said
 * before.
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

/** The last good copy, or what can be made of the store. */
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
