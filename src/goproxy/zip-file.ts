import { within } from '../clock.ts';
import type { OriginBody } from '../origins/body.ts';
import { BadAnswer, type Origin } from '../origins/origin.ts';
import type { Budget } from '../store/budget.ts';
import { etagOf, newEtag } from '../store/etag.ts';
import type { StoreKey } from '../store/key.ts';
import type { SelectRange } from '../store/layered.ts';
import { findNameOutside } from '../zip/check-names.ts';
import { looksLikeZipStart, readDirectory } from '../zip/directory.ts';
import type { Carrier } from './carrier.ts';
import { missing, notCached, unavailable } from './messages.ts';
import type { Found, Outcome, Source } from './outcome.ts';
import { EDGE_SECONDS } from './policy.ts';
import { type Fetched, fetchAndShare } from './shared-fetch.ts';
import { CHUNK_BYTES, relay, RING_CHUNKS, SMALL_RING_CHUNKS } from './relay.ts';

/** The part of its time that a request waits for another one's fill, which may well take longer than it has. */
const PATIENCE = 0.6;

export interface ZipFile {
  readonly subject: string;
  readonly key: StoreKey;
  /** Path below an origin's base URL. */
  readonly path: string;
  /** What every entry's name begins with: `example.com/hello@v1.1.0/`. */
  readonly prefix: string;
}

export interface ZipOptions {
  readonly carrier: Carrier;
  readonly cachedOnly: boolean;
  /** Chooses the part of a stored zip that is sent. */
  readonly select?: SelectRange;
}

/** Up to here a zip is checked whole before its first byte is sent, so that a bad one costs the client nothing. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/** How much of a zip of undeclared length is held before it is streamed. */
const MAX_UNDECLARED_BYTES = 1024 * 1024;

/** golang.org/x/mod/zip.MaxZipFile: the go command reads no more. */
const MAX_ZIP_BYTES = 500 * 1024 * 1024;

/** Serves a module zip: from the store, or from the first origin that has it. */
export async function serveZip(
  zip: ZipFile,
  origins: readonly Origin[],
  options: ZipOptions,
): Promise<Outcome> {
  const { carrier, cachedOnly } = options;
  const stored = await findStored(zip, options);
  if (stored) return stored;
  if (cachedOnly) return notCached(zip.subject);
  const known = await carrier.store.findMissing(zip.key);
  if (known)
    return missing(zip.subject, { missing: known, unanimous: true }, { tier: 'edge', origin: known.origin });

  const waiting = carrier.flights.join(zip.key);
  if (!waiting) {
    return fetchAndShare(zip.key, carrier, (touch) =>
      fetchZip(zip, origins, carrier, { store: true, onProgress: touch }),
    );
  }
  const shared = await within(carrier.clock, carrier.timeLeft() * PATIENCE, waiting).catch(() => undefined);
  if (typeof shared === 'object') return shared;
  const now = shared === 'stored' ? await findStored(zip, options) : undefined;
  // The other request still fetches, or could not store it: this one gets its own copy, past the store.
  return now ?? (await fetchZip(zip, origins, carrier, { store: false })).outcome;
}

async function findStored(zip: ZipFile, { carrier, select }: ZipOptions): Promise<Found | undefined> {
  const hit = await carrier.store.findLarge(zip.key, select);
  return hit && found(hit.file, { tier: hit.tier });
}

interface FetchOptions {
  readonly store: boolean;
  readonly onProgress?: () => void;
}

async function fetchZip(
  zip: ZipFile,
  origins: readonly Origin[],
  carrier: Carrier,
  options: FetchOptions,
): Promise<Fetched> {
  const answer = await carrier.ask(origins, {
    path: zip.path,
    accept: (body) => openZip(body, zip, carrier.budget),
  });
  const { attempts } = answer;
  if (answer.kind === 'accepted') {
    return deliver(
      zip,
      answer.value,
      { tier: 'origin', origin: answer.origin, attempts },
      { carrier, ...options },
    );
  }
  if (answer.kind === 'missing') {
    if (answer.unanimous) carrier.store.keepMissing(zip.key, answer.missing, EDGE_SECONDS.negative ?? 0);
    return {
      outcome: missing(zip.subject, answer, { tier: 'origin', origin: answer.missing.origin, attempts }),
    };
  }
  return { outcome: unavailable(zip.subject, answer.failures, { tier: 'origin', attempts }) };
}

/** A whole zip, which `release` gives the memory of back, or the start of one that is not held. */
type OpenedZip =
  | { readonly kind: 'whole'; readonly bytes: Uint8Array; readonly release: () => void }
  | { readonly kind: 'begun'; readonly first: Uint8Array<ArrayBuffer>; readonly body: OriginBody };

async function openZip(body: OriginBody, zip: ZipFile, budget: Budget): Promise<OpenedZip> {
  const { declared } = body;
  if (declared !== undefined && declared > MAX_ZIP_BYTES) {
    throw new BadAnswer(`a zip of ${declared} bytes, over Go's limit`);
  }
  const holds = declared !== undefined && declared <= MAX_BUFFERED_BYTES && budget.take(declared);
  const release = () => {
    if (holds) budget.release(declared);
  };
  try {
    const wanted = holds ? declared : declared === undefined ? MAX_UNDECLARED_BYTES : CHUNK_BYTES;
    const first = await body.start(wanted);
    if (!looksLikeZipStart(first)) throw new BadAnswer('a body that is no zip');
    if (!holds && first.length === wanted) return { kind: 'begun', first, body };
    body.checkLength(first.length);
    checkEnd(first, first.length, zip);
    await body.cancel('all of it was read');
    return { kind: 'whole', bytes: first, release };
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * A zip has a directory at its end, and every name in it belongs to this version: otherwise it is another file. A
 * directory that begins before the bytes at hand (28,000 files and more) is left to the hash.
 */
function checkEnd(tail: Uint8Array, size: number, zip: ZipFile): void {
  if (size > MAX_ZIP_BYTES) throw new BadAnswer(`a zip of ${size} bytes, over Go's limit`);
  const directory = readDirectory(tail, size);
  if (directory.kind === 'broken') throw new BadAnswer(`a broken zip: ${directory.reason}`);
  if (directory.kind === 'beyond-tail') return;
  const outside = findNameOutside(directory.entries, zip.prefix);
  if (outside !== undefined)
    throw new BadAnswer(`a zip with the entry ${JSON.stringify(outside)}, outside of ${zip.prefix}`);
}

async function deliver(
  zip: ZipFile,
  opened: OpenedZip,
  source: Source,
  { carrier, store, onProgress }: FetchOptions & { readonly carrier: Carrier },
): Promise<Fetched> {
  if (opened.kind === 'whole') {
    const { bytes, release } = opened;
    const file = { bytes, etag: await etagOf(bytes) };
    const outcome = found({ body: bytes, size: bytes.length, etag: file.etag }, source);
    const kept = store ? carrier.store.keep(zip.key, file, { kv: false }) : Promise.resolve();
    return { outcome, settled: kept.finally(release) };
  }

  const { body, first } = opened;
  const size = body.declared;
  const etag = newEtag();
  const pipe = carrier.openPipe(size);
  const hasRing = carrier.budget.take(RING_CHUNKS * CHUNK_BYTES);
  const { stored, done } = relay({
    clock: carrier.clock,
    chunks: hasRing ? RING_CHUNKS : SMALL_RING_CHUNKS,
    body,
    first,
    upload: store ? await carrier.store.upload(zip.key, { etag, size }) : undefined,
    client: pipe.writable,
    resume: (offset, end) => carrier.store.readFrom(zip.key, offset, { size: end, etag }),
    checkEnd: (tail, total) => checkEnd(tail, total, zip),
    onProgress: () => onProgress?.(),
    onUploadError: (error) => carrier.report('upload', error),
  });
  const over = done.finally(() => hasRing && carrier.budget.release(RING_CHUNKS * CHUNK_BYTES));
  carrier.background('relay', over);
  return { outcome: found({ body: pipe.readable, size, etag }, source), streamed: stored };
}

function found(file: Found['file'], source: Source): Found {
  return { kind: 'found', file, contentType: 'application/zip', cache: 'immutable', source };
}
