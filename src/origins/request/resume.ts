/**
 * The rest of a body that broke off, from the origin that sent it or from another one.
 *
 * Bytes of two files must never be put together: such a zip is no file of any origin, and where no
 * checksum database covers it nothing would notice. So the rest is accepted only with a proof that
 * it belongs to the bytes that were delivered:
 *
 * - A 206 to a request with If-Range, with the same strong validator and exactly the missing range:
 *   it is the rest of the same file (RFC 9110 13.1.5, 15.3.7.3). Last-Modified proves that for one
 *   server alone. An equal strong ETag and an equal length are accepted from another origin too:
 *   mirrors pass on the tag with the copy.
 * - A 200, from a server that supports no ranges or has another tag for its file: its first bytes,
 *   as many as were delivered, are read and hashed. If their SHA-256 equals that of the delivered
 *   bytes, then the client has the start of this very file, and what follows is its rest. The
 *   client gets this server's whole file, byte for byte, and nothing is mixed. From then on the
 *   validator is the one of that answer.
 *
 * Through a network that cuts every connection after a megabyte a file passes in steps of a
 * megabyte. Where nothing passes, the attempts end soon.
 */
import { equalBytes } from '../../bytes/equal.ts';
import { sha256, startSha256 } from '../../bytes/sha256.ts';
import type { Clock } from '../../effects/clock.ts';
import type { Connection, Connections } from '../../effects/connections.ts';
import type { Origin } from '../origin.ts';
import { AttemptProgress } from './attempt-progress.ts';
import { BodyReader, declaredLength } from './body-reader.ts';
import type { OpenDriver, RangeHeaders } from './driver.ts';
import { isMissingRange, type Validator, validatorOf } from './validator.ts';

/** A connection that brought so many bytes was of use. */
const USEFUL_BYTES = 1024 * 1024;

/** Rounds in a row, each to all origins, without a useful connection. */
const MAX_USELESS_ROUNDS = 3;

/**
 * Requests for one body in all; the platform counts each against the 50 of a free plan, redirects
 * too.
 */
const MAX_REQUESTS = 20;

/** How much of a prefix is read at once. */
const PIECE_BYTES = 256 * 1024;

/** A body that broke off, as the body itself describes it. */
export interface BrokenBody {
  /** Bytes of it that were delivered. */
  readonly offset: number;
  readonly error: unknown;
  /** Bytes that came over its last connection. */
  readonly bytes: number;
  /** SHA-256 of the delivered bytes, where it was computed. */
  readonly digest: Uint8Array | undefined;
  /** Aborted when the rest is not needed any more. */
  readonly signal: AbortSignal;
}

/** The rest of a body. */
export interface Rest {
  readonly reader: BodyReader;
  /** Names of the origins whose file it is: several where they have the same one. */
  readonly originNames: readonly string[];
}

/** Finds the rest of a body, or undefined. Never rejects. */
export type FindRest = (broken: BrokenBody) => Promise<Rest | undefined>;

/** A connection that broke. */
export interface BodyBreak {
  readonly origin: Origin;
  readonly error: unknown;
  /** Bytes that came over this connection. */
  readonly bytes: number;
  readonly headersMs: number;
  /** Bytes of the file that were delivered before. */
  readonly offset: number;
}

/** The end of a search for the rest. */
export interface RestSearch {
  /** The origin that sends the rest, or that sent the last part. */
  readonly origin: Origin;
  readonly offset: number;
  /** Requests since the break. */
  readonly tries: number;
}

export interface ResumeListener {
  onBreak?(event: BodyBreak): void;
  onRestFound?(event: RestSearch): void;
  /** The body stays broken. */
  onGivenUp?(event: RestSearch): void;
}

export interface ResumeEffects {
  readonly openDriver: OpenDriver;
  readonly clock: Clock;
  readonly connections: Connections;
  /** Between 0 and 1. */
  readonly random: () => number;
}

export interface ResumableBody {
  /** Path of the file at the origins. */
  readonly path: string;
  /** The origin of the first answer. */
  readonly origin: Origin;
  /** Other origins that may have the file, in the order in which they are asked. */
  readonly others: readonly Origin[];
  /** The file's length in bytes. */
  readonly size: number;
  readonly validator: Validator | undefined;
  /** Of the first origin's request; updated while that origin sends. */
  readonly progress: AttemptProgress;
  readonly listener: ResumeListener;
}

/** The file whose start the client has. */
interface Identity {
  readonly origin: Origin;
  readonly validator: Validator | undefined;
}

/** Finds the rest of one body, each time that it breaks off. */
export class Resumer {
  readonly #body: ResumableBody;
  readonly #effects: ResumeEffects;
  #identity: Identity;
  #originNames: readonly string[];
  #sender: { readonly origin: Origin; readonly headersMs: number };
  #uselessRounds = 0;
  #requests = 0;
  #lastOffset = 0;

  constructor(body: ResumableBody, effects: ResumeEffects) {
    this.#body = body;
    this.#effects = effects;
    this.#identity = body;
    this.#originNames = [body.origin.name];
    this.#sender = { origin: body.origin, headersMs: body.progress.headersMs ?? 0 };
  }

  /** Never rejects. */
  async findRest(broken: BrokenBody): Promise<Rest | undefined> {
    const { clock, connections, random } = this.#effects;
    const { listener } = this.#body;
    const { bytes, error, offset, signal } = broken;
    listener.onBreak?.({ ...this.#sender, bytes, error, offset });
    const wasUseful = this.#requests === 0 || offset - this.#lastOffset >= USEFUL_BYTES;
    if (wasUseful) this.#uselessRounds = 0;
    this.#lastOffset = offset;
    const before = this.#requests;
    const search = (origin: Origin) => ({ origin, offset, tries: this.#requests - before });
    const isOver = () => signal.aborted || connections.isRefused;
    while (this.#uselessRounds < MAX_USELESS_ROUNDS && !isOver()) {
      this.#uselessRounds += 1;
      await clock.sleep(50 + random() * 200, signal).catch(() => undefined);
      for (const origin of this.#inOrder(wasUseful)) {
        if (isOver() || this.#requests >= MAX_REQUESTS) break;
        const reader = await this.#tryOrigin(origin, broken).catch(() => undefined);
        if (!reader) continue;
        listener.onRestFound?.(search(origin));
        return { reader, originNames: this.#originNames };
      }
    }
    if (!signal.aborted) listener.onGivenUp?.(search(this.#sender.origin));
    return undefined;
  }

  /**
   * The last sender is asked first, as it is most likely to have the very same file. After a
   * connection that brought little it is asked last: some networks let the start of each answer
   * through and freeze the rest.
   */
  #inOrder(wasUseful: boolean): readonly Origin[] {
    const sender = this.#sender.origin;
    const all = [this.#body.origin, ...this.#body.others];
    const rest = all.filter(({ url }) => url !== sender.url);
    return wasUseful ? [sender, ...rest] : [...rest, sender];
  }

  async #tryOrigin(origin: Origin, broken: BrokenBody): Promise<BodyReader | undefined> {
    const headers = this.#conditions(origin, broken.offset);
    if (!headers['If-Range'] && !broken.digest) return undefined;
    const free = this.#effects.connections.take();
    try {
      if (!free.isFree) await free.untilFree(broken.signal);
      return await this.#askForRest(origin, free, { ...broken, headers });
    } finally {
      free.release();
    }
  }

  async #askForRest(
    origin: Origin,
    free: Connection,
    broken: BrokenBody & { readonly headers: RangeHeaders },
  ): Promise<BodyReader | undefined> {
    const { clock, openDriver } = this.#effects;
    const { path, progress: firstProgress } = this.#body;
    const { headers } = broken;
    const connection = new AbortController();
    const signal = AbortSignal.any([connection.signal, broken.signal]);
    // The waiting time of the first origin does not include that of others.
    const isFirst = origin === this.#body.origin;
    const progress = isFirst ? firstProgress : new AttemptProgress(clock);
    const startedAt = clock.steady();
    this.#requests += 1;
    progress.readStarted();
    try {
      const response = await openDriver(origin)(path, { headers, signal });
      free.release();
      progress.readEnded(0);
      const headersMs = clock.steady() - startedAt;
      const { stallMs } = origin.limits;
      const reader = new BodyReader(response, { clock, stallMs, progress });
      if (!(await this.#continues(origin, response, { ...broken, reader }))) {
        await reader.cancel('it is not the rest of the same file');
        return undefined;
      }
      this.#sender = { origin, headersMs };
      firstProgress.readEnded(0);
      return reader;
    } catch (error) {
      connection.abort(error);
      throw error;
    }
  }

  /** The headers of a request for the rest; without any it is a request for the whole file. */
  #conditions(origin: Origin, offset: number): RangeHeaders {
    const { origin: source, validator } = this.#identity;
    if (!validator || (validator.kind === 'date' && origin.url !== source.url)) return {};
    return { Range: `bytes=${offset}-`, 'If-Range': validator.value };
  }

  /** Whether the reader's next bytes are the rest of what was delivered. */
  async #continues(
    origin: Origin,
    { headers, status }: Response,
    answer: RestAnswer,
  ): Promise<boolean> {
    const { offset } = answer;
    const { size } = this.#body;
    const { validator } = this.#identity;
    if (status === 206 && validator && answer.headers['If-Range']) {
      if (!isMissingRange(headers, { offset, size, validator })) return false;
      if (!this.#originNames.includes(origin.name))
        this.#originNames = [...this.#originNames, origin.name];
      return true;
    }
    if (status !== 200 || declaredLength(headers) !== size || !answer.digest) return false;
    if (!equalBytes(await digestOfStart(answer.reader, offset), answer.digest)) return false;
    this.#identity = { origin, validator: validatorOf(headers) };
    this.#originNames = [origin.name];
    return true;
  }
}

interface RestAnswer {
  readonly offset: number;
  /** Of the request. */
  readonly headers: RangeHeaders;
  readonly digest: Uint8Array | undefined;
  readonly reader: BodyReader;
}

/** The SHA-256 of the next `length` bytes, or of all that there are. */
async function digestOfStart(reader: BodyReader, length: number): Promise<Uint8Array> {
  if (length === 0) return sha256();
  const digest = startSha256();
  let memory = new ArrayBuffer(Math.min(length, PIECE_BYTES));
  for (let left = length; left > 0;) {
    const piece = await reader.fill(left < memory.byteLength ? new ArrayBuffer(left) : memory);
    if (piece.length === 0) break;
    digest.update(piece);
    left -= piece.length;
    memory = piece.buffer;
  }
  return digest.digest();
}
