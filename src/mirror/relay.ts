/**
 * A large file on its way from an origin to the store and to the client that asked first.
 *
 *     origin -> ring of chunks -> upload to the store    as fast as the origin and the store can
 *                              \> client                 as fast as it likes
 *
 * Nothing may hold such a file in memory: an isolate has 128 MB for all its requests, and a tee of
 * the body would buffer whatever the slower side has not read yet. So the last chunks are kept in a
 * ring. A client that falls further behind than that is waited for a moment, which costs the fill
 * little and suits everybody who is only somewhat slower than the origin. One that is slow is let
 * go of, and goes on from the stored copy at the byte where it stopped: it neither holds the fill
 * up nor loses anything. Without a store the client's own pace is the pace.
 *
 * When the client goes away, the fill goes with it, unless others wait for it or it is nearly
 * complete: the platform would end it half done soon anyway.
 *
 * The last chunk goes nowhere until the whole body was seen to be what it should be. A body that
 * breaks off, or is no zip, ends in a broken stream, never in a short or wrong 200 that looks
 * complete (the go command would take that for an integrity failure and try no other source), and
 * the store keeps nothing of it.
 *
 * Where the file can be proven, the client also waits for its last chunks until the stored copy
 * was: half of the ring is held back, about 2 MiB, which has the end record, without which no zip
 * opens, and nearly always the whole central directory. Whatever a hostile origin puts there
 * instead, the connection breaks before its end: nobody ever receives a complete wrong file.
 */
import type { Clock } from '../effects/clock.ts';
import type { OriginBody } from '../origins/request/body.ts';
import { startSha256 } from '../bytes/sha256.ts';
import type { Upload } from '../store/contract.ts';
import { isNearlyComplete } from './nearly-complete.ts';
import { Ring } from './ring.ts';

export interface RelayOptions {
  readonly clock: Clock;
  /** Chunks that are kept. */
  readonly chunks: number;
  readonly body: OriginBody;
  /** What was already read from the body. */
  readonly first: Uint8Array<ArrayBuffer>;
  /** Where the file is stored; absent where there is no store. */
  readonly upload: Upload | undefined;
  /** The client's end. */
  readonly client: WritableStream<Uint8Array>;
  /** Reads the stored file from `offset` to its end `size`, once the upload is committed. */
  readonly resume: (
    offset: number,
    size: number,
  ) => Promise<ReadableStream<Uint8Array> | undefined>;
  /**
   * Proves the stored copy once it is committed; rejects when it is not what it should be, and then
   * removes it. Absent where nothing can prove it.
   */
  readonly prove?: (committed: Committed) => Promise<void>;
  /**
   * Throws when the last bytes of a body of `size` bytes show that it is not what was asked for.
   */
  readonly checkEnd: (tail: Uint8Array, size: number) => void;
  /** Whether others wait for the stored file. Default: nobody does. */
  readonly isWanted?: () => boolean;
  /** Called for every chunk: the relay is alive. */
  readonly onProgress: () => void;
  /** Told of an upload that failed; the client is served all the same if that is still possible. */
  readonly onUploadError: (error: unknown) => void;
}

export interface Committed {
  readonly size: number;
  /** False when another upload was first: then the stored copy is that one's. */
  readonly ours: boolean;
  /** SHA-256 of the bytes that the client gets. */
  readonly digest: Uint8Array;
}

/**
 * Runs until the body is stored and the client has it or is gone (`done`). `stored` says whether it
 * was, as soon as that is known. Neither rejects.
 */
export function relay(options: RelayOptions): {
  readonly stored: Promise<boolean>;
  readonly done: Promise<void>;
} {
  const { clock, chunks } = options;
  const ring = new Ring({ clock, chunks, held: options.prove ? Math.floor(chunks / 2) : 0 });
  const outcome = Promise.withResolvers<Result>();
  const stored = Promise.withResolvers<boolean>();
  if (!options.upload) stored.resolve(false);
  const onUploadError = (error: unknown) => {
    stored.resolve(false); // whoever waits for the stored copy need not wait for the end
    options.onUploadError(error);
  };
  const fill = pump({ ...options, onUploadError }, ring).then(
    (result) => outcome.resolve(result),
    async (error: unknown) => {
      outcome.resolve({ kind: 'broken', error });
      await Promise.all([options.upload?.abort(error), options.body.cancel(error)]);
    },
  );
  const client = serveClient(options, ring, outcome.promise);
  void outcome.promise.then((result) => stored.resolve(result.kind === 'stored'));
  return {
    stored: stored.promise,
    done: Promise.all([fill, client]).then(() => undefined),
  };
}

type Result =
  | { readonly kind: 'stored' | 'passed'; readonly size: number }
  | { readonly kind: 'broken'; readonly error: unknown };

/** Reads the body to its end, one chunk ahead of what is let through. */
async function pump(options: RelayOptions, ring: Ring): Promise<Result> {
  const { body, clock, first, checkEnd, prove, isWanted = () => false, onProgress } = options;
  const started = clock.now();
  const digest = prove && !body.keepsDigest ? startSha256() : undefined;
  let upload = options.upload;
  let size = 0;
  let held = first;
  /** Bytes that were read here. */
  let came = 0;

  async function forward(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      ring.release();
      digest?.update(chunk);
      await upload?.write(chunk);
    } catch (error) {
      await upload?.abort(error);
      upload = undefined;
      options.onUploadError(error);
      if (prove)
        throw new Error('The file cannot be checked without a stored copy', { cause: error });
    }
  }

  void ring.left.then(() => {
    const ms = clock.now() - started;
    const progress = { declared: body.declared, size: first.length + came, came, ms };
    if (!isWanted() && !isNearlyComplete(progress)) void body.cancel('the client left');
  });
  ring.push(held);
  for (;;) {
    size += held.length;
    const memory = await ring.reserve({ mayDrop: upload !== undefined });
    if (!upload && ring.deserted)
      throw new Error('Neither the store nor the client takes the rest');
    const next = await body.fill(memory);
    onProgress();
    came += next.length;
    if (next.length === 0) break;
    ring.push(next);
    await forward(held);
    held = next;
  }
  body.checkLength(size);
  checkEnd(ring.tail(), size);
  await forward(held);
  if (prove) {
    const sha256 = digest?.digest() ?? body.digest();
    if (!upload || !sha256) throw new Error('The file cannot be checked without a store');
    const ours = await upload.commit().catch((error: unknown) => {
      options.onUploadError(error);
      throw error;
    });
    await prove({ size, ours, digest: sha256 });
    ring.end();
    return { kind: 'stored', size };
  }
  ring.end();
  if (!upload) return { kind: 'passed', size };
  try {
    const isOurs = await upload.commit();
    return { kind: isOurs ? 'stored' : 'passed', size };
  } catch (error) {
    await upload.abort(error);
    options.onUploadError(error);
    return { kind: 'passed', size };
  }
}

/**
 * Writes what the ring lets through; a client that was too slow waits for the stored copy and reads
 * the rest of it.
 */
async function serveClient(
  options: RelayOptions,
  ring: Ring,
  outcome: Promise<Result>,
): Promise<void> {
  const writer = options.client.getWriter();
  // Otherwise a client that leaves while there is nothing to write would be missed with the next
  // chunk only.
  writer.closed.catch(() => ring.leave());
  let offset = 0;
  try {
    for (;;) {
      const chunk = await Promise.race([ring.next(), broken(outcome)]);
      if (chunk === 'end') return await writer.close();
      if (chunk === 'lost') break;
      await writer.write(chunk);
      offset += chunk.length;
      ring.consumed();
    }
    const result = await outcome;
    if (result.kind === 'broken') throw result.error;
    if (result.kind !== 'stored')
      throw new Error('The file could not be stored, and the client was too slow to follow');
    const rest = await options.resume(offset, result.size);
    if (!rest) throw new Error('The stored file could not be read');
    writer.releaseLock();
    await rest.pipeTo(options.client);
  } catch (error) {
    ring.leave();
    await writer.abort(error).catch(() => undefined);
  }
}

/** Rejects when the body broke; otherwise never settles. */
async function broken(outcome: Promise<Result>): Promise<never> {
  const result = await outcome;
  if (result.kind === 'broken') throw result.error;
  return new Promise(() => undefined);
}
