import { BadAnswer, type Failure, Mismatch } from '../origins/origin.ts';
import type { Upload } from '../store/contract.ts';
import { newEtag } from '../store/etag.ts';
import { blame } from './ask-for-file.ts';
import type { Carrier } from './carrier.ts';
import { checkEnd, type OpenedZip } from './open-zip.ts';
import type { SentFile } from './outcome.ts';
import { findWrong, hasDigest, type Known } from './prove-zip.ts';
import { type Committed, relay } from './relay.ts';
import { CHUNK_BYTES, RING_CHUNKS, SMALL_RING_CHUNKS } from './ring.ts';
import type { Flown } from './shared-fetch.ts';
import { asMismatch } from './verification.ts';
import type { ZipFile } from './zip-file.ts';

export interface StreamOptions {
  readonly carrier: Carrier;
  /** Who sends it. */
  readonly origin: string;
  /** Whether it is stored. */
  readonly store: boolean;
  /** What its hash must be, where that is known. */
  readonly known?: Known;
  /** Others may wait for it; undefined where it is for this request alone. */
  readonly flight: Flown | undefined;
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
  /** It is stored and proven: the client gets it from there. */
  | { readonly kind: 'stored'; readonly etag: string }
  | { readonly kind: 'refused'; readonly failure: Failure };

/**
 * Streams a zip to the client and into R2, and proves the stored copy before the client gets the
 * end. Without R2 there is nothing to prove: then a large zip is passed on unproven, as the
 * operator chose to have no store. With one that fails, it is not.
 *
 * From an origin that gave this very zip wrong before, the client gets nothing before it is proven:
 * instead of one broken stream after the other it then hears what is wrong.
 */
export async function streamZip(
  zip: ZipFile,
  opened: Extract<OpenedZip, { kind: 'begun' }>,
  options: StreamOptions,
): Promise<StreamedZip> {
  const { carrier, known, origin, store } = options;
  const { large } = carrier.store;
  const size = opened.body.declared;
  const etag = newEtag();
  const upload = store ? await large.upload(zip.key, { etag, size }) : undefined;
  if (known && !upload && large.isDurable) {
    await opened.body.cancel('it cannot be stored');
    return { kind: 'refused', failure: STORE_FAILED };
  }
  if (known && !upload)
    carrier.report('verify', new Error(`${zip.subject} is not checked: there is no R2`));
  const isProven = known !== undefined && upload !== undefined;

  if (isProven && carrier.setAside.has(zip.key, origin)) {
    const { stored, storedEtag, failure } = startFill(zip, opened, {
      ...options,
      etag,
      upload,
      client: new WritableStream(),
    });
    return (await stored)
      ? { kind: 'stored', etag: storedEtag() }
      : { kind: 'refused', failure: failure() };
  }
  const pipe = carrier.openPipe(size);
  const { stored } = startFill(zip, opened, { ...options, etag, upload, client: pipe.writable });
  return { kind: 'streamed', file: { body: pipe.readable, size, etag }, stored, isProven };
}

/** A zip that is checked in the store cannot be had without it. */
export const STORE_FAILED: Failure = {
  origin: 'modferry',
  cause: 'unreachable',
  text: 'its store failed, and a zip of this size is checked there',
};

interface FillOptions extends StreamOptions {
  readonly etag: string;
  readonly upload: Upload | undefined;
  readonly client: WritableStream<Uint8Array>;
}

/**
 * Runs the relay in the background. `storedEtag` is that of the stored copy, `failure` why there is
 * none, once that is known.
 */
function startFill(
  zip: ZipFile,
  { body, first }: Extract<OpenedZip, { kind: 'begun' }>,
  { client, upload, ...options }: FillOptions,
): {
  readonly stored: Promise<boolean>;
  readonly storedEtag: () => string;
  readonly failure: () => Failure;
} {
  const { carrier, etag, flight, known, origin } = options;
  const { budgets, clock } = carrier;
  const { large } = carrier.store;
  let storedEtag = etag;
  let failure: Failure = { origin, cause: 'unreachable', text: 'connection failed' };
  const refuse = (error: unknown): unknown => {
    // Where it was continued, nobody knows which of them gave the wrong part.
    const givers = body.givers ?? [origin];
    if (error instanceof BadAnswer) {
      for (const giver of givers)
        carrier.distrust({ origin: giver, cause: 'answer', text: error.message });
    }
    if (!(error instanceof Mismatch)) return error;
    const { hashes, message } = error;
    failure = { origin, cause: 'mismatch', text: message, hashes };
    for (const giver of givers) blame(zip, { carrier, origin: giver, hashes });
    return error;
  };
  const releaseRing = budgets.held.take(RING_CHUNKS * CHUNK_BYTES);
  const { stored, done } = relay({
    clock,
    chunks: releaseRing ? RING_CHUNKS : SMALL_RING_CHUNKS,
    body,
    first,
    upload,
    client,
    resume: (offset, end) => large.readFrom(zip.key, offset, { size: end, etag: storedEtag }),
    checkEnd(tail, size) {
      const { zipRules: rules } = carrier.verification;
      try {
        checkEnd(tail, size, { prefix: zip.prefix, rules });
      } catch (error) {
        throw refuse(asMismatch(error, 'zip', known));
      }
    },
    ...(known && upload
      ? {
          async prove(committed) {
            try {
              storedEtag = await proveFill(zip, committed, { ...options, known });
            } catch (error) {
              throw refuse(error);
            }
          },
        }
      : {}),
    isWanted: () => flight !== undefined && flight.joined > 0,
    onProgress: () => flight?.touch(),
    onUploadError: (error) => carrier.report('upload', error),
  });
  carrier.background(
    'relay',
    done.finally(() => releaseRing?.()),
  );
  return { stored, storedEtag: () => storedEtag, failure: () => failure };
}

interface ProofOptions extends StreamOptions {
  readonly known: Known;
  readonly etag: string;
}

/**
 * Proves the stored copy of what the client was sent, and marks it. Returns its etag. Throws when
 * it is not the zip in the log, and then removes it; and when the stored copy is not what the
 * client was sent.
 */
async function proveFill(
  zip: ZipFile,
  committed: Committed,
  options: ProofOptions,
): Promise<string> {
  const { carrier, flight, known } = options;
  const { large } = carrier.store;
  const file = await large.open(zip.key);
  if (!file) throw new Error('The stored file could not be read');
  const ours = committed.ours && file.etag === options.etag;
  if (!ours && (file.size !== committed.size || !(await hasDigest(file, committed.digest)))) {
    throw new Error('Another file was stored meanwhile');
  }
  const wrong = await findWrong(file, zip, {
    carrier,
    hash: known.zip,
    onProgress: () => flight?.touch(),
  });
  if (wrong === undefined) {
    await large.mark(zip.mark, known.zip, file.etag);
    return file.etag;
  }
  await large.remove(zip.key, zip.mark, file.etag);
  throw new Mismatch({ database: known.database, expected: known.zip, found: wrong });
}
