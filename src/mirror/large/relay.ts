/**
 * A large file on its way from an origin to the store and to the client that asked first.
 *
 *     origin -> ring of chunks -> upload to the store    as fast as the origin and the store can
 *                              \> client                 as fast as it reads
 *
 * Nothing may hold such a file in memory: an isolate has 128 MB for all its requests, and a tee of
 * the body would buffer whatever the slower side has not read yet. So the last chunks are kept in a
 * ring. A client that falls further behind than that is waited for a moment, which costs the fill
 * little and suits a client that is only somewhat slower than the origin. A slow client is detached
 * from the ring, and reads on from the stored copy at the byte where it stopped: it neither holds
 * the fill up nor loses anything. Without a store the pace of the client is the pace of the fill.
 *
 * When the client leaves, the fill ends too, unless other requests wait for it or it is nearly
 * complete: the platform would end it half done soon anyway.
 *
 * The last chunk goes nowhere before the end of the body was checked. A body that breaks off, or is
 * no such file, ends in a broken stream, never in a short or wrong 200 that looks complete (the go
 * command would take that for an integrity failure and try no other source), and the store keeps
 * nothing of it.
 *
 * Where the file can be compared with a hash, the client also waits for its last chunks until the
 * stored copy was compared: half of the ring is held back, about 2 MiB. They hold the end record of
 * a zip, without which no zip opens, and nearly always the whole central directory. Whatever a
 * hostile origin sends instead, the connection breaks before its end: no client ever receives a
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
  /** Chunks that are kept. */
  readonly chunks: number;
  readonly body: OriginBody;
  /** What was already read from the body. */
  readonly first: Uint8Array<ArrayBuffer>;
  /** Where the file is stored; undefined where there is no store. */
  readonly upload: Upload | undefined;
  /** The client's end. */
  readonly client: WritableStream<Uint8Array>;
  readonly file: RelayedFile;
}

/** The file that is relayed: how it is checked, and what wants to know of its progress. */
export interface RelayedFile {
  /** Whether a body of `size` bytes that ends with these can be the file. */
  checkEnd(tail: Uint8Array, size: number): Result<void, FailureReason>;
  /**
   * Compares the stored copy once it is committed, and removes it when it is another file. Rejects
   * when that cannot be told. Undefined where nothing is compared.
   */
  readonly verify: ((committed: Committed) => Promise<Result<void, FailureReason>>) | undefined;
  /** Reads the stored file from `offset` to its end `size`, once the upload is committed. */
  readStored(offset: number, size: number): Promise<ReadableStream<Uint8Array> | undefined>;
  /** Whether other requests wait for the stored file. */
  isWanted(): boolean;
  /** Called for every chunk. */
  onProgress(): void;
  /** Called when the upload failed; the client is served all the same if that is still possible. */
  onUploadFailed(error: unknown): void;
}

export interface Committed {
  readonly size: number;
  /** False when another upload was first: then the stored copy is that one's. */
  readonly isOurs: boolean;
  /** SHA-256 of the bytes that the client gets. */
  readonly digest: Uint8Array;
}

/** How a relay ends. */
export type RelayEnd =
  | { readonly state: 'stored'; readonly size: number }
  /** The client has the file, the store has not. */
  | { readonly state: 'passed'; readonly size: number }
  /** The body is not the file. */
  | { readonly state: 'refused'; readonly reason: FailureReason }
  | { readonly state: 'broken'; readonly error: unknown };

/** What is known as soon as the upload failed, while the client is still served. */
type StoredEnd = RelayEnd | { readonly state: 'not stored' };

/**
 * Runs until the body is stored and the client has it or left (`done`). `stored` tells whether it
 * was stored, as soon as that is known. Neither rejects.
 */
export function relay(options: RelayOptions): {
  readonly stored: Promise<StoredEnd>;
  readonly done: Promise<void>;
} {
  const { clock, chunks, file } = options;
  const ring = new Ring({ clock, chunks, held: file.verify ? Math.floor(chunks / 2) : 0 });
  const stored = Promise.withResolvers<StoredEnd>();
  if (!options.upload) stored.resolve({ state: 'not stored' });
  const onUploadFailed = (error: unknown) => {
    stored.resolve({ state: 'not stored' }); // requests that wait for the stored copy need not wait for the end
    file.onUploadFailed(error);
  };
  const pump = new Pump(options, ring, onUploadFailed);
  const filling = pump.run().catch((error: unknown): RelayEnd => ({ state: 'broken', error }));
  const filled = filling.then(async (end) => {
    stored.resolve(end);
    if (end.state !== 'refused' && end.state !== 'broken') return;
    const error = errorOf(end);
    await Promise.all([options.upload?.abort(error), options.body.cancel(error)]);
  });
  const client = serveClient(options, ring, filling);
  return { stored: stored.promise, done: Promise.all([filled, client]).then(() => undefined) };
}

/** What the stream of the client breaks with. */
function errorOf(end: Extract<RelayEnd, { state: 'refused' | 'broken' }>): unknown {
  return end.state === 'refused' ? new OriginError(end.reason) : end.error;
}

/** Reads the body to its end, one chunk ahead of what is let through. */
class Pump {
  readonly #options: RelayOptions;
  readonly #ring: Ring;
  readonly #onUploadFailed: (error: unknown) => void;
  #upload: Upload | undefined;
  /** Of the bytes that were let through, where the body does not keep it. */
  readonly #digest: ReturnType<typeof startSha256> | undefined;

  constructor(options: RelayOptions, ring: Ring, onUploadFailed: (error: unknown) => void) {
    this.#options = options;
    this.#ring = ring;
    this.#onUploadFailed = onUploadFailed;
    this.#upload = options.upload;
    const needsDigest = options.file.verify && !options.body.keepsDigest;
    this.#digest = needsDigest ? startSha256() : undefined;
  }

  /** Rejects when the body breaks, or when neither the store nor the client takes it. */
  async run(): Promise<RelayEnd> {
    const { body, file } = this.#options;
    const { held, size } = await this.#readBody();
    body.checkLength(size);
    const ended = file.checkEnd(this.#ring.tail(), size);
    if (!ended.ok) return { state: 'refused', reason: ended.reason };
    await this.#forward(held);
    return file.verify ? this.#commitVerified(size, file.verify) : this.#commit(size);
  }

  /** Forwards all chunks but the last one, which is returned. */
  async #readBody(): Promise<{ readonly held: Uint8Array<ArrayBuffer>; readonly size: number }> {
    const { body, clock, file, first } = this.#options;
    const startedAt = clock.now();
    let held = first;
    let size = first.length;
    void this.#ring.left.then(() => {
      const pace = { received: size - first.length, ms: clock.now() - startedAt };
      if (!file.isWanted() && !isNearlyComplete({ declared: body.declaredBytes, size, ...pace })) {
        void body.cancel('the client left');
      }
    });
    this.#ring.push(held);
    for (;;) {
      const memory = await this.#ring.reserve({ mayDetach: this.#upload !== undefined });
      if (!this.#upload && this.#ring.isDeserted) {
        throw new Error('Neither the store nor the client takes the rest');
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
        throw new Error('The file cannot be checked without a stored copy', { cause: error });
      }
    }
  }

  async #commitVerified(
    size: number,
    verify: NonNullable<RelayedFile['verify']>,
  ): Promise<RelayEnd> {
    const digest = this.#digest?.digest() ?? this.#options.body.digest();
    if (!this.#upload || !digest) throw new Error('The file cannot be checked without a store');
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
 * Writes what the ring lets through; a client that was detached reads the rest of the stored copy.
 */
async function serveClient(
  { client, file }: RelayOptions,
  ring: Ring,
  filling: Promise<RelayEnd>,
): Promise<void> {
  const writer = client.getWriter();
  // Otherwise a client that leaves while there is nothing to write would be noticed with the next
  // chunk only.
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
      throw new Error('The file could not be stored, and the client was too slow to follow');
    }
    const rest = await file.readStored(offset, end.size);
    if (!rest) throw new Error('The stored file could not be read');
    writer.releaseLock();
    await rest.pipeTo(client);
  } catch (error) {
    ring.leave();
    await writer.abort(error).catch(() => undefined);
  }
}

/** Rejects when the body is broken or refused; otherwise never settles. */
async function untilBroken(filling: Promise<RelayEnd>): Promise<never> {
  const end = await filling;
  if (end.state === 'refused' || end.state === 'broken') throw errorOf(end);
  return new Promise(() => undefined);
}
