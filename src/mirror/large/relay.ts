/**
 * Relays a large file from an origin to the store and to the client of the first request.
 *
 *     origin -> ring of chunks -> upload to the store    at the pace of the origin and the store
 *                              \> client                 at its own pace
 *
 * Such a file must not be held in memory: an isolate has 128 MB for all its requests, and a tee of
 * the body would buffer everything that the slower side has not read yet. So only the last chunks
 * are kept, in a ring. When the client falls behind the ring, the fill waits for it for a moment:
 * that costs little, and is enough for a client that is only slightly slower than the origin. A
 * slower client is detached from the ring and continues from the stored copy at the byte where it
 * stopped, so it neither delays the fill nor misses a byte. Without a store the fill has the pace
 * of the client.
 *
 * When the client disconnects, the fill is cancelled, unless other requests wait for it or it is
 * nearly complete: the platform would soon end it anyway.
 *
 * The last chunk is forwarded only after the end of the body was checked. A body that breaks off or
 * is not the file ends in a broken stream, and the store keeps nothing of it. It never ends in a
 * short or wrong 200 that looks complete: the go command would report an integrity failure and try
 * no other source.
 *
 * Where the file can be compared with a hash, half of the ring is also held back until the stored
 * copy was compared: 2 MiB, or 512 KiB where memory is short. These last chunks hold the end record
 * of a zip, without which it cannot be opened, and nearly always the whole central directory.
 * Whatever a hostile origin sends, the connection breaks before the end: no client ever receives a
 * complete wrong file.
 */
import { startSha256 } from '../../bytes/sha256.ts';
import type { Clock } from '../../effects/clock.ts';
import type { Result } from '../../effects/result.ts';
import { type FailureReason, OriginError } from '../../origins/failure.ts';
import type { OriginBody } from '../../origins/request/body.ts';
import type { Upload } from '../../store/contract.ts';
import { isNearlyComplete } from './pace.ts';
import { Ring } from './ring.ts';

export interface RelayOptions {
  readonly clock: Clock;
  /** The capacity of the ring, in chunks. */
  readonly chunks: number;
  readonly body: OriginBody;
  /** The bytes that were already read from the body. */
  readonly first: Uint8Array<ArrayBuffer>;
  /** The upload to the store; undefined where the file is not stored. */
  readonly upload: Upload | undefined;
  /** The stream to the client. */
  readonly client: WritableStream<Uint8Array>;
  readonly file: RelayedFile;
}

/** The checks of a relayed file, and the callbacks about its progress. */
export interface RelayedFile {
  /** Whether a body of `size` bytes that ends with `tail` can be the file. */
  checkEnd(tail: Uint8Array, size: number): Result<void, FailureReason>;
  /**
   * Compares the committed copy with the expected hash, and removes a wrong one. Rejects when the
   * comparison is not possible. Undefined where nothing is compared.
   */
  readonly verify: ((committed: Committed) => Promise<Result<void, FailureReason>>) | undefined;
  /**
   * Reads the committed file from `offset` to its end at `size`; undefined when it is not stored
   * any more.
   */
  readStored(offset: number, size: number): Promise<ReadableStream<Uint8Array> | undefined>;
  /** Whether other requests wait for the stored file. */
  isWanted(): boolean;
  /** Called for every chunk that was read. */
  onProgress(): void;
  /** Called when the upload fails. The client is still served where nothing has to be compared. */
  onUploadFailed(error: unknown): void;
}

/** A file whose upload was committed. */
export interface Committed {
  readonly size: number;
  /** False when another upload was committed first: the stored copy is then that one's. */
  readonly isOurs: boolean;
  /** SHA-256 of the bytes that the client receives. */
  readonly digest: Uint8Array;
}

/** How a relay ends. */
export type RelayEnd =
  | { readonly state: 'stored'; readonly size: number }
  /** The body was complete, and this upload did not store it. */
  | { readonly state: 'passed'; readonly size: number }
  /** The body proved not to be the file. */
  | { readonly state: 'refused'; readonly reason: FailureReason }
  /** The body broke off, or it could be neither stored nor sent. */
  | { readonly state: 'broken'; readonly error: unknown };

export interface RunningRelay {
  /** Whether the file is stored, as soon as that is certain: the client may still be served. */
  readonly stored: Promise<boolean>;
  readonly end: Promise<RelayEnd>;
  /** Resolves when the relay has ended and the client has the file or has disconnected. */
  readonly done: Promise<void>;
}

/** Starts a relay. None of its promises rejects. */
export function relay(options: RelayOptions): RunningRelay {
  const { clock, chunks, file } = options;
  const ring = new Ring({ clock, chunks, held: file.verify ? Math.floor(chunks / 2) : 0 });
  const stored = Promise.withResolvers<boolean>();
  if (!options.upload) stored.resolve(false);
  const onUploadFailed = (error: unknown) => {
    stored.resolve(false); // the requests that wait for the copy stop waiting now
    file.onUploadFailed(error);
  };
  const pump = new Pump(options, ring, onUploadFailed);
  const end = pump.run().catch((error: unknown): RelayEnd => ({ state: 'broken', error }));
  const filled = end.then(async (how) => {
    stored.resolve(how.state === 'stored');
    if (how.state !== 'refused' && how.state !== 'broken') return;
    const error = errorOf(how);
    await Promise.all([options.upload?.abort(error), options.body.cancel(error)]);
  });
  const done = Promise.all([filled, serveClient(options, ring, end)]).then(() => undefined);
  return { stored: stored.promise, end, done };
}

/** The error that the client's stream is aborted with. */
function errorOf(end: Extract<RelayEnd, { state: 'refused' | 'broken' }>): unknown {
  return end.state === 'refused' ? new OriginError(end.reason) : end.error;
}

/** Reads the body to its end, one chunk ahead of what is forwarded. */
class Pump {
  readonly #options: RelayOptions;
  readonly #ring: Ring;
  readonly #onUploadFailed: (error: unknown) => void;
  #upload: Upload | undefined;
  /** The digest of the forwarded bytes, where it is needed and the body does not keep one. */
  readonly #digest: ReturnType<typeof startSha256> | undefined;

  constructor(options: RelayOptions, ring: Ring, onUploadFailed: (error: unknown) => void) {
    this.#options = options;
    this.#ring = ring;
    this.#onUploadFailed = onUploadFailed;
    this.#upload = options.upload;
    const needsDigest = options.file.verify && !options.body.keepsDigest;
    this.#digest = needsDigest ? startSha256() : undefined;
  }

  /** Rejects when the body breaks off, or when neither the store nor the client takes it. */
  async run(): Promise<RelayEnd> {
    const { body, file } = this.#options;
    const { held, size } = await this.#readBody();
    body.checkLength(size);
    const ended = file.checkEnd(this.#ring.tail(), size);
    if (!ended.ok) return { state: 'refused', reason: ended.reason };
    await this.#forward(held);
    return file.verify ? this.#commitVerified(size, file.verify) : this.#commit(size);
  }

  /** Forwards all chunks but the last, which it returns with the size of the body. */
  async #readBody(): Promise<{ readonly held: Uint8Array<ArrayBuffer>; readonly size: number }> {
    const { body, clock, file, first } = this.#options;
    const startedAt = clock.steady();
    let held = first;
    let size = first.length;
    void this.#ring.left.then(() => {
      const pace = { received: size - first.length, ms: clock.steady() - startedAt };
      if (!file.isWanted() && !isNearlyComplete({ declared: body.declaredBytes, size, ...pace })) {
        void body.cancel('the client left');
      }
    });
    this.#ring.push(held);
    for (;;) {
      const memory = await this.#ring.reserve({ mayDetach: this.#upload !== undefined });
      if (!this.#upload && this.#ring.isDeserted) {
        throw new Error('Neither the store nor the client takes the rest of the file');
      }
      const next = await body.fill(memory);
      file.onProgress();
      if (next.length === 0) return { held, size };
      size += next.length;
      this.#ring.push(next);
      await this.#forward(held);
      held = next;
    }
  }

  async #forward(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      this.#ring.release();
      this.#digest?.update(chunk);
      await this.#upload?.write(chunk);
    } catch (error) {
      await this.#upload?.abort(error);
      this.#upload = undefined;
      this.#onUploadFailed(error);
      if (this.#options.file.verify) {
        throw new Error('Cannot check the file without a stored copy', { cause: error });
      }
    }
  }

  async #commitVerified(
    size: number,
    verify: NonNullable<RelayedFile['verify']>,
  ): Promise<RelayEnd> {
    const digest = this.#digest?.digest() ?? this.#options.body.digest();
    if (!this.#upload || !digest) throw new Error('Cannot check the file without a store');
    const isOurs = await this.#upload.commit().catch((error: unknown) => {
      this.#onUploadFailed(error);
      throw error;
    });
    const verified = await verify({ size, isOurs, digest });
    if (!verified.ok) return { state: 'refused', reason: verified.reason };
    this.#ring.end();
    return { state: 'stored', size };
  }

  async #commit(size: number): Promise<RelayEnd> {
    this.#ring.end();
    if (!this.#upload) return { state: 'passed', size };
    try {
      return { state: (await this.#upload.commit()) ? 'stored' : 'passed', size };
    } catch (error) {
      await this.#upload.abort(error);
      this.#onUploadFailed(error);
      return { state: 'passed', size };
    }
  }
}

/**
 * Writes the chunks that the ring releases. A detached client receives the rest from the stored
 * copy. Never rejects: a failure aborts the client's stream.
 */
async function serveClient(
  { client, file }: RelayOptions,
  ring: Ring,
  filling: Promise<RelayEnd>,
): Promise<void> {
  const writer = client.getWriter();
  // Without this, a client that disconnects would be noticed only when the next chunk is written.
  writer.closed.catch(() => ring.leave());
  let offset = 0;
  try {
    for (;;) {
      const chunk = await Promise.race([ring.next(), untilBroken(filling)]);
      if (chunk === 'end') return await writer.close();
      if (chunk === 'detached') break;
      await writer.write(chunk);
      offset += chunk.length;
      ring.consumed();
    }
    const end = await filling;
    if (end.state === 'refused' || end.state === 'broken') throw errorOf(end);
    if (end.state !== 'stored') {
      throw new Error('Cannot continue for a slow client: the file was not stored');
    }
    const rest = await file.readStored(offset, end.size);
    if (!rest) throw new Error('Cannot read the stored file');
    writer.releaseLock();
    await rest.pipeTo(client);
  } catch (error) {
    ring.leave();
    await writer.abort(error).catch(() => undefined);
  }
}

/** Rejects when the body is broken or refused; else never settles. */
async function untilBroken(filling: Promise<RelayEnd>): Promise<never> {
  const end = await filling;
  if (end.state === 'refused' || end.state === 'broken') throw errorOf(end);
  return new Promise(() => undefined);
}
