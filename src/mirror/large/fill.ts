import { failed, type Result, success } from '../../effects/result.ts';
import { equalBytes } from '../../bytes/equal.ts';
import { startSha256 } from '../../bytes/sha256.ts';
import { type Failure, type FailureReason } from '../../origins/failure.ts';
import type { Upload } from '../../store/contract.ts';
import { newEtag } from '../../store/etag.ts';
import type { RangedFile } from '../../store/large-files.ts';
import { reportMismatch } from '../ask-for-file.ts';
import { asMismatch, type KnownHash } from '../expectation.ts';
import type { SentFile } from '../outcome.ts';
import type { Job } from './job.ts';
import type { BegunAnswer } from './open-answer.ts';
import { type Committed, relay, type RelayedFile } from './relay.ts';
import { CHUNK_BYTES, RING_CHUNKS, SMALL_RING_CHUNKS } from './ring.ts';
import { compareStored } from './stored-copy.ts';

/** How a fill ends: with the etag of the stored copy, or why there is none. */
export type FillEnd = Result<string, Failure>;

export type Fill =
  /** The store failed, and the file has to be compared there. */
  | { readonly state: 'not started' }
  /** The client gets the file while it is stored. */
  | {
      readonly state: 'streaming';
      readonly file: SentFile;
      readonly end: Promise<FillEnd>;
      /** Whether the client gets the end of the file only once the stored copy was compared. */
      readonly isVerified: boolean;
    }
  /** The file goes into the store alone. */
  | { readonly state: 'filling'; readonly end: Promise<FillEnd> };

/** Where the rest of a file comes from, and the hash that it must have, where that is known. */
interface FillOptions {
  /** Name of the origin. */
  readonly origin: string;
  readonly known: KnownHash | undefined;
}

/**
 * Streams a large file to the client and into the durable tier, and compares the stored copy before
 * the client gets the end. Without a durable tier nothing can be compared: then the file is passed
 * on as it is, because the operator chose to have no store. With one that fails it is not.
 *
 * From an origin that gave this very file wrong before, the client gets nothing before the stored
 * copy was compared: it then hears what is wrong, in place of one broken stream after the other.
 */
export async function startFill(job: Job, begun: BegunAnswer, options: FillOptions): Promise<Fill> {
  const { context, file, hasClient, leader } = job;
  const { known, origin } = options;
  const { store } = context;
  const size = begun.body.declaredBytes;
  const etag = newEtag();
  // A file for one request alone is stored to be compared; where nothing is compared it is only
  // passed on.
  const isStored = leader !== undefined || known !== undefined;
  const upload = isStored ? await store.large.upload(file.key, { etag, size }) : undefined;
  if (!upload && (!hasClient || (known && store.durableLabel !== undefined))) {
    await begun.body.cancel('it cannot be stored');
    return { state: 'not started' };
  }
  if (known && !upload) {
    const error = new Error(`${file.subject} is not checked: there is no durable store`);
    context.emit({ event: 'trouble', label: 'verify', error });
  }
  const isVerified = known !== undefined && upload !== undefined;
  const isSuspect = isVerified && context.shared.wrongFiles.has(file.key, origin);
  if (isSuspect || !hasClient) {
    const client = new WritableStream<Uint8Array>();
    return { state: 'filling', end: runFill(job, begun, { ...options, etag, upload, client }) };
  }
  const pipe = context.openPipe(size);
  const end = runFill(job, begun, { ...options, etag, upload, client: pipe.writable });
  return { state: 'streaming', file: { body: pipe.readable, size, etag }, end, isVerified };
}

interface RunOptions extends FillOptions {
  readonly etag: string;
  readonly upload: Upload | undefined;
  readonly client: WritableStream<Uint8Array>;
}

/** Runs the relay in the background. Resolves as soon as it is known whether the file is stored. */
async function runFill(
  job: Job,
  { body, first }: BegunAnswer,
  { client, etag, known, origin, upload }: RunOptions,
): Promise<FillEnd> {
  const { context } = job;
  const { background, clock, shared } = context;
  const releaseRing = shared.budgets.held.take(RING_CHUNKS * CHUNK_BYTES);
  const file = new FilledFile(job, { etag, known: upload && known });
  const { stored, done } = relay({
    clock,
    chunks: releaseRing ? RING_CHUNKS : SMALL_RING_CHUNKS,
    body,
    first,
    upload,
    client,
    file,
  });
  background(
    'relay',
    done.finally(() => releaseRing?.()),
  );
  const end = await stored;
  if (end.state === 'stored') return success(file.etag);
  if (end.state !== 'refused') return failed({ origin, reason: { kind: 'unreachable' } });
  blame(job, body.originNames ?? [origin], end.reason);
  return failed({ origin, reason: end.reason });
}

/**
 * Counts what is wrong with a file against its origins: of a resumed one nothing tells which of
 * them gave the wrong part.
 */
function blame({ context, file }: Job, names: readonly string[], reason: FailureReason): void {
  for (const origin of names) {
    context.origins.recordFailure({ origin, reason });
    if (reason.kind === 'mismatch')
      reportMismatch(file, { origin, hashes: reason.hashes }, context);
  }
}

/** The file of a fill, as the relay sees it. */
class FilledFile implements RelayedFile {
  /** Of the stored copy. */
  etag: string;
  readonly verify: RelayedFile['verify'];
  readonly #job: Job;
  readonly #known: KnownHash | undefined;

  constructor(
    job: Job,
    { etag, known }: { readonly etag: string; readonly known: KnownHash | undefined },
  ) {
    this.#job = job;
    this.etag = etag;
    this.#known = known;
    this.verify = known && ((committed) => this.#verify(committed, known));
  }

  checkEnd(tail: Uint8Array, size: number): Result<void, FailureReason> {
    const ended = this.#job.file.checkEnd(tail, size);
    return ended.ok ? ended : failed(asMismatch(ended.reason, this.#known));
  }

  readStored(offset: number, size: number): Promise<ReadableStream<Uint8Array> | undefined> {
    const { context, file } = this.#job;
    return context.store.large.readFrom(file.key, offset, { size, etag: this.etag });
  }

  /**
   * Compares the stored copy of what the client was sent, and writes its hash file; or removes it.
   */
  async #verify(committed: Committed, known: KnownHash): Promise<Result<void, FailureReason>> {
    const { context, file } = this.#job;
    const { large } = context.store;
    const stored = await large.open(file.key);
    if (!stored) throw new Error('The stored file could not be read');
    const isOurs = committed.isOurs && stored.etag === this.etag;
    if (!isOurs && !(await this.#isSame(stored, committed))) {
      throw new Error('Another file was stored meanwhile');
    }
    const compared = await compareStored(this.#job, stored, known);
    if (!compared.ok) {
      await large.remove(file.key, file.hashKey, stored.etag);
      return compared;
    }
    await large.writeHash(file.hashKey, known.hash, stored.etag);
    this.etag = stored.etag;
    return success(undefined);
  }

  /** Whether the stored file has the bytes that the client was sent. */
  async #isSame(stored: RangedFile, { size, digest }: Committed): Promise<boolean> {
    return stored.size === size && equalBytes(await digestOf(stored), digest);
  }

  isWanted(): boolean {
    return (this.#job.leader?.waiting ?? 0) > 0;
  }

  onProgress(): void {
    this.#job.leader?.touch();
  }

  onUploadFailed(error: unknown): void {
    this.#job.context.emit({ event: 'trouble', label: 'upload', error });
  }
}

/** Bytes that are read at a time to compare two files. */
const COMPARED_BYTES = 4 * 1024 * 1024;

async function digestOf(file: RangedFile): Promise<Uint8Array> {
  const hash = startSha256();
  for (let at = 0; at < file.size; at += COMPARED_BYTES) {
    hash.update(await file.read(at, Math.min(COMPARED_BYTES, file.size - at)));
  }
  return hash.digest();
}
