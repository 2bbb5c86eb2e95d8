import { within } from '../clock.ts';
import type { Question } from '../origins/attempt.ts';
import type { OriginBody } from '../origins/body.ts';
import type { Origin } from '../origins/origin.ts';
import type { FileToStore } from '../store/contract.ts';
import { etagOf } from '../store/etag.ts';
import type { StoreKey } from '../store/key.ts';
import type { Carrier } from './carrier.ts';
import { missing, notCached, unavailable } from './messages.ts';
import type { Found, Outcome, Source } from './outcome.ts';
import { type CacheClass, EDGE_SECONDS } from './policy.ts';
import { type Fetched, fetchAndShare } from './shared-fetch.ts';

/**
 * The part of its time that a request waits for another one's fetch, which ends in its own time unless the platform ended
 * it: what is left is for that case.
 */
const PATIENCE = 0.9;

/** A file that is held whole in memory: everything but zips. */
export interface SmallFile {
  /** What messages call it, such as `example.com/hello@v1.1.0.mod`. */
  readonly subject: string;
  readonly key: StoreKey;
  /** Path below an origin's base URL. */
  readonly path: string;
  readonly contentType: string;
  readonly cache: Extract<CacheClass, 'immutable' | 'canonicalInfo' | 'mutable'>;
  /** Whether KV holds files of this kind. */
  readonly kv: boolean;
  /** Bytes. */
  readonly limit: number;
  /** Throws `BadAnswer` when the answer cannot be this file. */
  readonly check: (bytes: Uint8Array) => void;
  /** The file made of another stored file, where that can be done. */
  readonly derive?: () => Promise<{ readonly bytes: Uint8Array; readonly tier: Source['tier'] } | undefined>;
  /** What can be said without an origin that has it, and without a last good copy. */
  readonly makeUp?: () => Promise<Uint8Array | undefined>;
}

/**
 * Serves a small file: from the store if it is there and need not be asked for again, else from the first origin that has
 * it, else what was known before the outage.
 */
export async function serveSmallFile(
  file: SmallFile,
  origins: readonly Origin[],
  { carrier, cachedOnly }: { readonly carrier: Carrier; readonly cachedOnly: boolean },
): Promise<Outcome> {
  const stored = await findStored(file, carrier);
  if (stored) return stored;
  if (cachedOnly) {
    // A header may have asked for this, and no cache in front of the Worker sees it: not kept by any.
    return (await findLastGood(file, carrier, { cache: 'failure' })) ?? notCached(file.subject);
  }
  const { clock, flights, timeLeft } = carrier;
  for (let silent: unknown; ;) {
    const waiting = flights.join(file.key);
    // Nothing may be awaited between this look and the lead that follows from it.
    if (!waiting || waiting === silent) {
      return fetchAndShare(file.key, carrier, () => fetchFile(file, origins, carrier));
    }
    const shared = await within(clock, timeLeft() * PATIENCE, waiting).catch(() => undefined);
    if (typeof shared === 'object') return shared;
    silent = waiting;
  }
}

async function findStored(file: SmallFile, { store }: Carrier): Promise<Outcome | undefined> {
  const hit =
    file.cache === 'mutable'
      ? await store.findFresh(file.key)
      : await store.findSmall(file.key, keeping(file));
  if (hit) return found(file, hit.file, { tier: hit.tier });
  const derived = await file.derive?.();
  if (derived) return foundBytes(file, derived.bytes, { tier: derived.tier });
  const known = await store.findMissing(file.key);
  return (
    known &&
    missing(file.subject, { missing: known, unanimous: true }, { tier: 'edge', origin: known.origin })
  );
}

async function fetchFile(file: SmallFile, origins: readonly Origin[], carrier: Carrier): Promise<Fetched> {
  const question: Question<FileToStore> = { path: file.path, accept: (body) => readAnswer(body, file) };
  const answer = await carrier.ask(origins, question);
  const { attempts } = answer;
  if (answer.kind === 'accepted') {
    const { bytes, etag } = answer.value;
    const source: Source = { tier: 'origin', origin: answer.origin, attempts };
    return {
      outcome: found(file, { body: bytes, size: bytes.length, etag }, source),
      settled: keep(file, answer.value, carrier),
    };
  }
  if (answer.kind === 'missing') {
    // Since Go 1.23 `go install p@v` fails without a list: a module whose versions are stored keeps one, also after it
    // was withdrawn from the origins. Nothing that was once fetched is lost.
    const kept = file.makeUp && (await findLastGood(file, carrier, { cache: 'stale', attempts }));
    if (kept) return { outcome: kept };
    if (answer.unanimous) carrier.store.keepMissing(file.key, answer.missing, EDGE_SECONDS.negative ?? 0);
    return {
      outcome: missing(file.subject, answer, { tier: 'origin', origin: answer.missing.origin, attempts }),
    };
  }
  const stale = await findLastGood(file, carrier, { cache: 'stale', attempts });
  if (stale) return { outcome: stale };
  // `go install`, `go get` and `go mod tidy` ask for every prefix of an import path and need the 404s of those that are no
  // module: what an origin said no to before an outage is no outage.
  const said = await carrier.store.findSaidMissing(file.key);
  if (said) {
    const source: Source = { tier: 'edge', origin: said.origin, attempts, stale: true };
    return { outcome: missing(file.subject, { missing: said, unanimous: false }, source) };
  }
  return { outcome: unavailable(file.subject, answer.failures, { tier: 'origin', attempts }) };
}

async function readAnswer(body: OriginBody, file: SmallFile): Promise<FileToStore> {
  const bytes = await body.all(file.limit);
  file.check(bytes);
  return { bytes, etag: await etagOf(bytes) };
}

function keep(file: SmallFile, answer: FileToStore, { store }: Carrier): Promise<void> {
  return file.cache === 'mutable'
    ? store.keepLastGood(file.key, answer, EDGE_SECONDS.mutable ?? 0)
    : store.keep(file.key, answer, keeping(file));
}

/** What was known before: the last good copy, or what can be made up from the store. */
async function findLastGood(
  file: SmallFile,
  { store }: Carrier,
  { cache, attempts }: { readonly cache: 'stale' | 'failure'; readonly attempts?: number },
): Promise<Found | undefined> {
  if (file.cache !== 'mutable') return undefined;
  const source: Source = { tier: 'r2', ...(attempts === undefined ? {} : { attempts, stale: true }) };
  const hit = await store.findLastGood(file.key);
  if (hit) return { ...found(file, hit.file, source), cache };
  const bytes = await file.makeUp?.();
  return bytes && { ...(await foundBytes(file, bytes, source)), cache };
}

async function foundBytes(file: SmallFile, bytes: Uint8Array, source: Source): Promise<Found> {
  return found(file, { body: bytes, size: bytes.length, etag: await etagOf(bytes) }, source);
}

function found(file: SmallFile, stored: Found['file'], source: Source): Found {
  return { kind: 'found', file: stored, contentType: file.contentType, cache: file.cache, source };
}

function keeping(file: SmallFile): { readonly kv: boolean; readonly seconds?: number } {
  const seconds = EDGE_SECONDS[file.cache];
  return { kv: file.kv, ...(seconds === undefined ? {} : { seconds }) };
}
