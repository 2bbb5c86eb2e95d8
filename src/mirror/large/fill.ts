import { failed, type Result, success } from '../../effects/result.ts';
import { equalBytes } from '../../bytes/equal.ts';
import { startSha256 } from '../../bytes/sha256.ts';
import { type Failure, type FailureReason } from '../../origins/failure.ts';
import type { Upload } from '../../store/contract.ts';
import { newEtag } from '../../store/etag.ts';
import type { RangedFile } from '../../store/ranged-file.ts';
import { reportMismatch } from '../ask-for-file.ts';
import { asMismatch, type KnownHash } from '../expectation.ts';
import type { RequestContext } from '../context.ts';
import { type Release, RENEW_MS } from '../memory-budget.ts';
import type { Kept, SentFile } from '../outcome.ts';
import type { Job } from './job.ts';
import { type BegunAnswer, discardAnswer } from './open-answer.ts';
import { relay } from './relay.ts';
import type { Committed, RelayedFile } from './relayed-file.ts';
import { checkStored, compareStored } from './stored-copy.ts';
import type { CheckedEnd } from './large-file.ts';

export type Fill =
  /** Nothing was started: the file would have to be stored, and the store failed or is absent. */
  | { readonly state: 'not started' }
  /** The client receives the file while it is stored. */
  | {
      readonly state: 'streaming';
      readonly file: SentFile;
      readonly filling: Filling;
      /** Whether the end of the file is held back until the stored copy was compared. */
      readonly isVerified: boolean;
    }
  /** The file goes to the store only. */
  | { readonly state: 'filling'; readonly filling: Filling };

/** A fill that runs in the background. */
export interface Filling {
  /** What became of the file, as soon as that is certain. */
  readonly kept: Promise<Kept>;
  /** The etag of the stored copy, or the failure. */
  readonly end: Promise<Result<string, Failure>>;
}

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
  const { context, file, hasClient } = job;
  const { known, origin } = options;
  const { store } = context;
  const size = begun.body.declaredBytes;
  const etag = newEtag();
  const upload = await store.large.upload(file.key, { etag, size });
  if (!upload && (!hasClient || (known && store.durableLabel !== undefined))) {
    discardAnswer(begun);
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
    return { state: 'filling', filling: runFill(job, begun, { ...options, etag, upload, client }) };
  }
  const pipe = context.openPipe(size);
  const filling = runFill(job, begun, { ...options, etag, upload, client: pipe.writable });
  return { state: 'streaming', file: { body: pipe.readable, size, etag }, filling, isVerified };
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
  { body, chunks, first, release }: BegunAnswer,
  { client, etag, known, origin, upload }: RunOptions,
): Filling {
  const { background, clock } = job.context;
  const file = new FilledFile(job, { etag, known, upload });
  const running = relay({ clock, chunks, body, first, upload, client, file });
  job.leader?.stream(() => running.received());
  const end = running.end.then((how): Result<string, Failure> => {
    if (how.state === 'stored') return success(file.etag);
    if (how.state !== 'refused')
      return failed(
        file.hasStoreFailed ? STORE_FAILED : { origin, reason: { kind: 'unreachable' } },
      );
    if (how.reason.kind === 'store') return failed(STORE_FAILED);
    blame(job, body.originNames ?? [origin], how.reason);
    return failed({ origin, reason: how.reason });
  });
  let isFreed = false;
  const free = () => {
    isFreed = true;
    release();
  };
  void renewUntil(() => isFreed, release, job.context);
  background('relay', Promise.all([running.done, end, running.freed.then(free)]));
  return { kept: running.kept, end };
}

/** A fill may take longer than the lease of its memory. */
async function renewUntil(
  isFreed: () => boolean,
  release: Release,
  { clock, shared }: Pick<RequestContext, 'clock' | 'shared'>,
): Promise<void> {
  while (!isFreed()) {
    shared.budgets.held.renew(release);
    await new Promise<void>((resolve) => void clock.alarm(RENEW_MS, resolve));
  }
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
  readonly #isUploaded: boolean;

  /** Without an upload the hash still says what is wrong with the end of the body. */
  constructor(job: Job, { etag, known, upload }: Pick<RunOptions, 'etag' | 'known' | 'upload'>) {
    this.#job = job;
    this.etag = etag;
    this.#known = known;
    this.#isUploaded = upload !== undefined;
    this.verify = known && upload && ((committed) => this.#verify(committed, known));
  }

  checkEnd(tail: Uint8Array, size: number): Result<CheckedEnd, FailureReason> {
    const ended = this.#job.file.checkEnd(tail, size);
    if (!ended.ok) return failed(asMismatch(ended.reason, this.#known));
    if (ended.value === 'complete' || (this.#isUploaded && !this.hasStoreFailed)) return ended;
    const { context, file } = this.#job;
    const error = new Error(`The end of ${file.subject} cannot be checked without a durable store`);
    context.emit({ event: 'trouble', label: 'verify', error });
    return failed({ kind: 'store' });
  }

  /** Checks the end of the stored copy, and removes the copy where that is wrong. */
  async checkStored(committed: Committed): Promise<Result<void, FailureReason>> {
    const stored = await this.#openStored();
    if (!committed.isOurs || stored.etag !== this.etag) throw new Error(OTHER_FILE);
    try {
      const checked = await this.#ofStore(checkStored(this.#job, stored));
      if (!checked.ok) await this.#remove(stored);
      return checked;
    } catch (error) {
      await this.#remove(stored); // others would be served a copy that nobody has checked
      throw error;
    }
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
    const stored = await this.#openStored();
    const isOurs = committed.isOurs && stored.etag === this.etag;
    if (!isOurs && !(await this.#ofStore(this.#isSame(stored, committed)))) {
      throw new Error(OTHER_FILE);
    }
    const compared = await this.#ofStore(compareStored(this.#job, stored, known));
    if (!compared.ok) {
      await this.#remove(stored);
      return compared;
    }
    const { context, file } = this.#job;
    await context.store.large.writeHash(file.hashKey, known.hash, stored.etag);
    this.etag = stored.etag;
    return success(undefined);
  }

  async #openStored(): Promise<RangedFile> {
    const stored = await this.#job.context.store.large.open(this.#job.file.key);
    if (stored) return stored;
    this.hasStoreFailed = true;
    throw new Error('Cannot read the stored file');
  }

  /** The result of reads of the stored copy. */
  async #ofStore<T>(reading: Promise<T>): Promise<T> {
    return reading.catch((error: unknown) => {
      this.hasStoreFailed = true;
      this.#job.context.emit({ event: 'trouble', label: 'verify', error });
      throw error;
    });
  }

  async #remove({ etag }: RangedFile): Promise<void> {
    const { context, file } = this.#job;
    await context.store.large.removeUpload(file.key, file.hashKey, etag);
  }

  /** Whether the stored file has the bytes that the client receives. */
  async #isSame(stored: RangedFile, { size, digest }: Committed): Promise<boolean> {
    return stored.size === size && !!digest && equalBytes(await digestOf(stored), digest);
  }

  isWanted(): boolean {
    return (this.#job.leader?.waiting ?? 0) > 0;
  }

  onUploadFailed(error: unknown): void {
    this.hasStoreFailed = true;
    this.#job.context.emit({ event: 'trouble', label: 'upload', error });
  }
}

const OTHER_FILE = 'Another file was stored at the same time';

/** The size of one read while a stored file is digested. */
const READ_BYTES = 4 * 1024 * 1024;

async function digestOf(file: RangedFile): Promise<Uint8Array> {
  const hash = startSha256();
  for (let at = 0; at < file.size; at += READ_BYTES) {
    hash.update(await file.read(at, Math.min(READ_BYTES, file.size - at)));
  }
  return hash.digest();
}
