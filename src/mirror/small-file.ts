import { within } from '../effects/clock.ts';
import { type Answer, type Effort, effortOf } from '../origins/race/ask.ts';
import type { Checked, FileToStore } from '../store/contract.ts';
import { etagOf } from '../store/etag.ts';
import { bytesOf, discard } from '../store/guard.ts';
import type { StoreKey } from '../store/key.ts';
import type { Hit, Keeping } from '../store/layered.ts';
import type { Carrier } from './carrier.ts';
import { missing, notCached, unavailable } from './messages.ts';
import type { Found, Outcome, Source } from './outcome.ts';
import { type CacheClass, EDGE_SECONDS } from './cache-policy.ts';
import { type Fetched, fetchAndShare } from './shared-fetch.ts';
import type { Verdict } from './verification.ts';

/**
 * The part of its time that a request waits for another one's fetch, which ends in its own time
 * unless the platform ended it: what is left is for that case.
 */
const PATIENCE = 0.9;

/** A file that is held whole in memory: everything but zips. */
export interface SmallFile {
  /** What messages call it, such as `example.com/hello@v1.1.0.mod`. */
  readonly subject: string;
  readonly key: StoreKey;
  readonly contentType: string;
  readonly cache: Extract<CacheClass, 'immutable' | 'canonicalInfo' | 'mutable'>;
  /** Whether KV holds files of this kind. */
  readonly kv: boolean;
  /** Gets the file from where it comes from, and checks it. */
  readonly ask: () => Promise<Answer<Asked>>;
  /** Where a checksum database has a say: what it says of a stored copy that was never checked. */
  readonly recheck?: (bytes: Uint8Array) => Promise<Verdict>;
  /**
   * A stored copy counts only if it was checked: `ask` knows better what to make of one that was
   * not.
   */
  readonly onlyChecked?: true;
  /** The file made of other stored files, where that can be done. */
  readonly derive?: () => Promise<
    { readonly bytes: Uint8Array; readonly tier: Source['tier'] } | undefined
  >;
  /** What can be said without an origin that has it, and without a last good copy. */
  readonly makeUp?: () => Promise<Uint8Array | undefined>;
}

/** What was got. */
export interface Asked {
  readonly bytes: Uint8Array;
  readonly checked?: Checked;
  /**
   * `near`: the edge cache alone, as something else keeps it for good. `no`: it could not be
   * checked as it should be.
   */
  readonly keep?: 'near' | 'no';
}

/**
 * Serves a small file: from the store if it is there and need not be asked for again, else from the
 * first origin that has it, else what was known before the outage.
 */
export async function serveSmallFile(
  file: SmallFile,
  { carrier, cachedOnly }: { readonly carrier: Carrier; readonly cachedOnly: boolean },
): Promise<Outcome> {
  const stored = await findStored(file, carrier);
  if (stored) return stored;
  if (cachedOnly) {
    // A header may have asked for this, and no cache in front of the Worker sees it: not kept by
    // any.
    return (await findLastGood(file, carrier, { cache: 'failure' })) ?? notCached(file.subject);
  }
  const { clock, flights, timeLeft } = carrier;
  for (let silent: unknown; ;) {
    const waiting = flights.join(file.key);
    // Nothing may be awaited between this look and the lead that follows from it.
    if (!waiting || waiting === silent) {
      return fetchAndShare(file.key, carrier, () => fetchFile(file, carrier));
    }
    const shared = await within(clock, timeLeft() * PATIENCE, waiting).catch(() => undefined);
    if (typeof shared === 'object') return shared;
    silent = waiting;
  }
}

async function findStored(file: SmallFile, carrier: Carrier): Promise<Outcome | undefined> {
  const { store } = carrier;
  const hit =
    file.cache === 'mutable'
      ? await store.findFresh(file.key)
      : await store.findSmall(file.key, {
          ...keeping(file),
          checkedOnly: file.recheck !== undefined || file.onlyChecked === true,
        });
  if (hit && file.onlyChecked && !hit.file.checked) discard(hit.file.body);
  else if (hit) {
    const good = await serveStored(file, hit, carrier);
    if (good) return good;
  }
  const derived = await file.derive?.();
  if (derived) return foundBytes(file, derived.bytes, { tier: derived.tier });
  const known = await store.findMissing(file.key);
  return (
    known &&
    missing(
      file.subject,
      { missing: known, unanimous: true },
      { tier: 'edge', origin: known.origin },
    )
  );
}

/**
 * A stored copy, checked first if it never was. Undefined when it is wrong: then it is gone, and to
 * be fetched anew.
 */
async function serveStored(
  file: SmallFile,
  hit: Hit,
  carrier: Carrier,
): Promise<Found | undefined> {
  const source: Source = { tier: hit.tier };
  if (!file.recheck || hit.file.checked) return found(file, hit.file, source);
  const { store } = carrier;
  const { etag, size } = hit.file;
  const bytes = await bytesOf(hit.file.body);
  const verdict = await file.recheck(bytes);
  if (verdict.kind === 'wrong') {
    carrier.alarm({ kind: 'stored-mismatch', subject: file.subject, hashes: verdict.hashes });
    await store.remove(file.key);
    return undefined;
  }
  // It was good enough when it was stored, and an outage of the database breaks no build that
  // worked before.
  if (verdict.kind === 'unknown')
    return { ...found(file, { body: bytes, size, etag }, source), cache: 'stale' };
  const { checked } = verdict;
  const known: FileToStore = { bytes, etag, checked };
  if (checked === 'uncovered') store.keepNear(file.key, known, EDGE_SECONDS.uncovered);
  else carrier.background('mark', store.replace(file.key, known, keeping(file)));
  return found(file, { body: bytes, size, etag, checked }, source);
}

async function fetchFile(file: SmallFile, carrier: Carrier): Promise<Fetched> {
  const answer = await file.ask();
  const effort = effortOf(answer);
  if (answer.kind === 'accepted') {
    const { bytes, checked, keep } = answer.value;
    // Nobody was asked where a stored copy was proven instead.
    const source: Source =
      effort.attempts === 0 ? { tier: 'r2' } : { tier: 'origin', origin: answer.origin, ...effort };
    const known: FileToStore = {
      bytes,
      etag: await etagOf(bytes),
      ...(checked ? { checked } : {}),
    };
    const outcome = found(file, { body: bytes, size: bytes.length, ...known }, source);
    if (keep === 'no') return { outcome: { ...outcome, cache: 'failure' } };
    return { outcome, settled: keepFile(file, known, { carrier, near: keep === 'near' }) };
  }
  if (answer.kind === 'missing') {
    // Since Go 1.23 `go install p@v` fails without a list: a module whose versions are stored keeps
    // one, also after it was withdrawn from the origins. Nothing that was once fetched is lost.
    const kept = file.makeUp && (await findLastGood(file, carrier, { cache: 'stale', effort }));
    if (kept) return { outcome: kept };
    if (answer.unanimous)
      carrier.store.keepMissing(file.key, answer.missing, EDGE_SECONDS.negative ?? 0);
    return {
      outcome: missing(file.subject, answer, {
        tier: 'origin',
        origin: answer.missing.origin,
        ...effort,
      }),
    };
  }
  const stale = await findLastGood(file, carrier, { cache: 'stale', effort });
  if (stale) return { outcome: stale };
  // `go install`, `go get` and `go mod tidy` ask for every prefix of an import path and need the
  // 404s of those that are no module: what an origin said no to before an outage is no outage. A
  // file that is there and wrong is no 404, whatever was said before.
  const isThere = answer.failures.some(
    ({ cause }) => cause === 'mismatch' || cause === 'unchecked',
  );
  const said = isThere ? undefined : await carrier.store.findSaidMissing(file.key);
  if (said) {
    const source: Source = { tier: 'edge', origin: said.origin, ...effort, stale: true };
    return { outcome: missing(file.subject, { missing: said, unanimous: false }, source) };
  }
  return { outcome: unavailable(file.subject, answer.failures, { tier: 'origin', ...effort }) };
}

async function keepFile(
  file: SmallFile,
  known: FileToStore,
  { carrier, near }: { readonly carrier: Carrier; readonly near: boolean },
): Promise<void> {
  const { store } = carrier;
  if (near) return store.keepNear(file.key, known, EDGE_SECONDS[file.cache]);
  if (file.onlyChecked) return store.replace(file.key, known, keeping(file));
  if (file.cache === 'mutable')
    return store.keepLastGood(file.key, known, EDGE_SECONDS.mutable ?? 0);
  if (known.checked === 'uncovered')
    return store.keepUncovered(file.key, known, EDGE_SECONDS.uncovered);
  await store.keep(file.key, known, keeping(file));
}

/** What was known before: the last good copy, or what can be made up from the store. */
async function findLastGood(
  file: SmallFile,
  { store }: Carrier,
  { cache, effort }: { readonly cache: 'stale' | 'failure'; readonly effort?: Effort },
): Promise<Found | undefined> {
  if (file.cache !== 'mutable' && !file.onlyChecked) return undefined;
  const source: Source = { tier: 'r2', ...(effort ? { ...effort, stale: true } : {}) };
  const hit = await store.findLastGood(file.key);
  if (hit) return { ...found(file, hit.file, source), cache };
  const bytes = await file.makeUp?.();
  return bytes && { ...(await foundBytes(file, bytes, source)), cache };
}

async function foundBytes(file: SmallFile, bytes: Uint8Array, source: Source): Promise<Found> {
  return found(file, { body: bytes, size: bytes.length, etag: await etagOf(bytes) }, source);
}

function found(file: SmallFile, stored: Found['file'], source: Source): Found {
  const cache = stored.checked === 'uncovered' ? 'uncovered' : file.cache;
  return { kind: 'found', file: stored, contentType: file.contentType, cache, source };
}

function keeping(file: SmallFile): Keeping {
  const seconds = EDGE_SECONDS[file.cache];
  return { kv: file.kv, ...(seconds === undefined ? {} : { seconds }) };
}
