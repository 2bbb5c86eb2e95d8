import { type Failure, Mismatch } from '../origins/origin.ts';
import { newEtag } from '../store/etag.ts';
import { blame } from './ask-for-file.ts';
import type { Carrier } from './carrier.ts';
import { blaming, checkEnd, type OpenedZip } from './open-zip.ts';
import type { SentFile } from './outcome.ts';
import { findWrong, hasDigest, type Known } from './prove-zip.ts';
import { type Committed, relay } from './relay.ts';
import { CHUNK_BYTES, RING_CHUNKS, SMALL_RING_CHUNKS } from './ring.ts';
import type { ZipFile } from './zip-file.ts';

export interface StreamOptions {
  readonly carrier: Carrier;
  /** Who sends it. */
  readonly origin: string;
  /** Whether it is stored. */
  readonly store: boolean;
  /** What its hash must be, where that is known. */
  readonly known?: Known;
  readonly onProgress: () => void;
}

export type StreamedZip =
  | {
      readonly kind: 'streamed';
      readonly file: SentFile;
      /** Whether it is in the store, once that is known. */
      readonly stored: Promise<boolean>;
      /** Whether the client gets the end of it only once it was proven. */
      readonly isProven: boolean;
    }
  | { readonly kind: 'unstorable'; readonly failure: Failure };

/**
 * Streams a zip to the client and into R2, and proves the stored copy before the client gets the end. Without R2 there is nothing
 * to prove: then a large zip is passed on unproven, as the operator chose to have no store. With one that fails, it is not.
 */
export async function streamZip(
  zip: ZipFile,
  { body, first }: Extract<OpenedZip, { kind: 'begun' }>,
  options: StreamOptions,
): Promise<StreamedZip> {
  const { carrier, known, onProgress, store } = options;
  const { budget, clock } = carrier;
  const { large } = carrier.store;
  const size = body.declared;
  const etag = newEtag();
  const upload = store ? await large.upload(zip.key, { etag, size }) : undefined;
  if (known && !upload && large.isDurable) return { kind: 'unstorable', failure: STORE_FAILED };
  if (known && !upload) carrier.report('verify', new Error(`${zip.subject} is not checked: there is no R2`));
  const isProven = known !== undefined && upload !== undefined;

  let storedEtag = etag;
  const prove = async (committed: Committed): Promise<void> => {
    if (known) storedEtag = await proveFill(zip, committed, { ...options, known, etag });
  };
  const pipe = carrier.openPipe(size);
  const hasRing = budget.take(RING_CHUNKS * CHUNK_BYTES);
  const { stored, done } = relay({
    clock,
    chunks: hasRing ? RING_CHUNKS : SMALL_RING_CHUNKS,
    body,
    first,
    upload,
    client: pipe.writable,
    resume: (offset, end) => large.readFrom(zip.key, offset, { size: end, etag: storedEtag }),
    checkEnd: (tail, total) => checkFill(zip, { ...options, tail, size: total }),
    ...(isProven ? { prove } : {}),
    onProgress,
    onUploadError: (error) => carrier.report('upload', error),
  });
  const over = done.finally(() => hasRing && budget.release(RING_CHUNKS * CHUNK_BYTES));
  carrier.background('relay', over);
  return { kind: 'streamed', file: { body: pipe.readable, size, etag }, stored, isProven };
}

/** Throws `BadAnswer` when the last bytes of a zip show that it is not what was asked for. */
async function checkFill(
  { key, prefix, subject }: ZipFile,
  {
    carrier,
    known,
    origin,
    size,
    tail,
  }: StreamOptions & { readonly tail: Uint8Array; readonly size: number },
): Promise<void> {
  const rules = carrier.verification.zipRules;
  try {
    await blaming(known, () => checkEnd(tail, size, { prefix, rules }));
  } catch (error) {
    if (error instanceof Mismatch) blame({ key, subject }, { carrier, origin, hashes: error.hashes });
    throw error;
  }
}

const STORE_FAILED: Failure = {
  origin: 'modferry',
  cause: 'unreachable',
  text: 'its store failed, and a zip of this size is checked there',
};

interface ProofOptions extends StreamOptions {
  readonly known: Known;
  readonly etag: string;
}

/**
 * Proves the stored copy of what the client was sent, and marks it. Returns its etag. Throws when it is not the zip in the
 * log, and then removes it; and when the stored copy is not what the client was sent.
 */
async function proveFill(zip: ZipFile, committed: Committed, options: ProofOptions): Promise<string> {
  const { carrier, known, onProgress, origin } = options;
  const { large } = carrier.store;
  const file = await large.open(zip.key);
  if (!file) throw new Error('The stored file could not be read');
  const ours = committed.ours && file.etag === options.etag;
  if (!ours && (file.size !== committed.size || !(await hasDigest(file, committed.digest)))) {
    throw new Error('Another file was stored meanwhile');
  }
  const wrong = await findWrong(file, zip, { carrier, expected: known, onProgress });
  if (wrong === undefined) {
    await large.mark(zip.mark, known.zip, file.etag);
    return file.etag;
  }
  await carrier.store.remove(zip.key, zip.mark);
  const hashes = { database: known.database, expected: known.zip, found: wrong };
  blame(zip, { carrier, origin, hashes });
  throw new Mismatch(hashes);
}
