import { failed, type Result, success } from '../../effects/result.ts';
import { equalBytes } from '../../bytes/equal.ts';
import { startSha256 } from '../../bytes/sha256.ts';
import { type Failure, type FailureReason } from '../../origins/failure.ts';
import type { Upload } from '../../store/contract.ts';
import { newEtag } from '../../store/etag.ts';
import type { RangedFile } from '../../store/ranged-file.ts';
import { reportMismatch } from '../ask-for-file.ts';
import { asMismatch, type KnownHash } from '../expectation.ts';
import type { SentFile } from '../outcome.ts';
import type { Job } from './job.ts';
import type { BegunAnswer } from './open-answer.ts';
import { type Committed, relay, type RelayedFile } from './relay.ts';
import { CHUNK_BYTES, RING_CHUNKS, SMALL_RING_CHUNKS } from './ring.ts';
import { compareStored } from './stored-copy.ts';

export type Fill =
  /** Nothing was started: the file would have to be stored, and the store failed or is absent. */
  | { readonly state: 'not started' }
  /** The client receives the file while it is stored. */
  | {
      readonly state: 'streaming';
      readonly file: SentFile;
      /** Whether the file is stored, as soon as that is certain. */
      readonly stored: Promise<boolean>;
      /** Whether the end of the file is held back until the stored copy was compared. */
      readonly isVerified: boolean;
    }
  /** The file goes to the store only: the etag of the stored copy, or the failure. */
  | { readonly state: 'filling'; readonly end: Promise<Result<string, Failure>> };

/** The origin of a file, and its expected hash where that is known. */
interface FillOptions {
  /** Name of the origin. */
  readonly origin: string;
  readonly known: KnownHash | undefined;
}

/**
 * Streams a large file to the client and to the durable tier. The stored copy is compared before
 * the client receives the end. Without a durable tier nothing can be compared: the file is then
 * streamed unchecked, because the operator chose to run without a store. Where a durable tier
 * exists and fails, the fill does not start.
 *
 * When the origin recently served this very file wrong, the client receives nothing before the
 * stored copy was compared. It then gets an error text, not one broken stream after another.
 */
export async function startFill(job: Job, begun: BegunAnswer, options: FillOptions): Promise<Fill> {
  const { context, file, hasClient, leader } = job;
  const { known, origin } = options;
  const { store } = context;
  const size = begun.body.declaredBytes;
  const etag = newEtag();
  // A file that no other request waits for is stored only if it has to be compared.
  const isStored = leader !== undefined || known !== undefined;
  const upload = isStored ? await store.large.upload(file.key, { etag, size }) : undefined;
  if (!upload && (!hasClient || (known && store.durableLabel !== undefined))) {
    await begun.body.cancel('the file cannot be stored');
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
    const { end } = runFill(job, begun, { ...options, etag, upload, client });
    return { state: 'filling', end };
  }
  const pipe = context.openPipe(size);
  const { stored } = runFill(job, begun, { ...options, etag, upload, client: pipe.writable });
  return { state: 'streaming', file: { body: pipe.readable, size, etag }, stored, isVerified };
}

/** The failure of modferry's own store. Without it a large file cannot be compared. */
export const STORE_FAILED: Failure = { origin: 'modferry', reason: { kind: 'store' } };

interface RunOptions extends FillOptions {
  readonly etag: string;
  readonly upload: Upload | undefined;
  readonly client: WritableStream<Uint8Array>;
}

/** Runs the relay in the background. */
function runFill(
  job: Job,
  { body, first }: BegunAnswer,
  { client, etag, known, origin, upload }: RunOptions,
): { readonly stored: Promise<boolean>; readonly end: Promise<Result<string, Failure>> } {
  const { context } = job;
  const { background, clock, shared } = context;
  const releaseRing = shared.budgets.held.take(RING_CHUNKS * CHUNK_BYTES);
  const file = new FilledFile(job, { etag, known, upload });
  const running = relay({
    clock,
    chunks: releaseRing ? RING_CHUNKS : SMALL_RING_CHUNKS,
    body,
    first,
    upload,
    client,
    file,
  });
  const end = running.end.then((how): Result<string, Failure> => {
    if (how.state === 'stored') return success(file.etag);
    if (how.state !== 'refused')
      return failed(
        file.hasStoreFailed ? STORE_FAILED : { origin, reason: { kind: 'unreachable' } },
      );
    blame(job, body.originNames ?? [origin], how.reason);
    return failed({ origin, reason: how.reason });
  });
  background(
    'relay',
    Promise.all([running.done, end]).finally(() => releaseRing?.()),
  );
  return { stored: running.stored, end };
}

/**
 * Records a wrong file against its origins. All origins of a resumed body count: which of them sent
 * the wrong part is unknown.
 */
function blame({ context, file }: Job, names: readonly string[], reason: FailureReason): void {
  for (const origin of names) {
    context.origins.recordFailure({ origin, reason });
    if (reason.kind === 'mismatch')
      reportMismatch(file, { origin, hashes: reason.hashes }, context);
  }
}

/** The file of a fill, for the relay. */
class FilledFile implements RelayedFile {
  /** The etag of the stored copy. */
  etag: string;
  /** Whether the file could not be stored, or not be read back: no origin is to blame for that. */
  hasStoreFailed = false;
  readonly verify: RelayedFile['verify'];
  readonly #job: Job;
  readonly #known: KnownHash | undefined;

  /** Without an upload the hash still says what is wrong with the end of the body. */
  constructor(job: Job, { etag, known, upload }: Pick<RunOptions, 'etag' | 'known' | 'upload'>) {
    this.#job = job;
    this.etag = etag;
    this.#known = known;
    this.verify = known && upload && ((committed) => this.#verify(committed, known));
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
   * Compares the stored copy with the expected hash. Writes its hash file if they are equal, and
   * removes the copy if not. Rejects when the stored file is not the one that the client receives.
   */
  async #verify(committed: Committed, known: KnownHash): Promise<Result<void, FailureReason>> {
    const compared = await this.#compareStored(committed, known).catch((error: unknown) => {
      this.hasStoreFailed = true;
      throw error;
    });
    if (compared) return compared;
    throw new Error('Another file was stored at the same time');
  }

  /** Undefined when the stored file is not the one that the client receives. */
  async #compareStored(
    committed: Committed,
    known: KnownHash,
  ): Promise<Result<void, FailureReason> | undefined> {
    const { context, file } = this.#job;
    const { large } = context.store;
    const stored = await large.open(file.key);
    if (!stored) throw new Error('Cannot read the stored file');
    const isOurs = committed.isOurs && stored.etag === this.etag;
    if (!isOurs && !(await this.#isSame(stored, committed))) return undefined;
    const compared = await compareStored(this.#job, stored, known);
    if (!compared.ok) {
      await large.removeUpload(file.key, file.hashKey, stored.etag);
      return compared;
    }
    await large.writeHash(file.hashKey, known.hash, stored.etag);
    this.etag = stored.etag;
    return success(undefined);
  }

  /** Whether the stored file has the bytes that the client receives. */
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
    this.hasStoreFailed = true;
    this.#job.context.emit({ event: 'trouble', label: 'upload', error });
  }
}

/** The size of one read while a stored file is digested. */
const READ_BYTES = 4 * 1024 * 1024;

async function digestOf(file: RangedFile): Promise<Uint8Array> {
  const hash = startSha256();
  for (let at = 0; at < file.size; at += READ_BYTES) {
    hash.update(await file.read(at, Math.min(READ_BYTES, file.size - at)));
  }
  return hash.digest();
}
