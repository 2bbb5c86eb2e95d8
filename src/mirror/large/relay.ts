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
 * Where nothing is compared and the ring does not hold all that the check of the end needs, the
 * last chunk waits until that was read in the stored copy. Whatever a hostile origin sends, the
 * connection breaks before the end: no client ever receives a complete wrong file.
 */
import { startSha256 } from '../../bytes/sha256.ts';
import { type Clock, within } from '../../effects/clock.ts';
import type { Upload } from '../../store/contract.ts';
import type { Kept } from '../outcome.ts';
import { isNearlyComplete } from './pace.ts';
import type { CheckCommitted, RelayEnd, RelayOptions } from './relayed-file.ts';
import { Ring } from './ring.ts';
import { errorOf, serveClient } from './serve-client.ts';

/**
 * How long a client may take for the chunks that are left of a ring when the file is stored, in
 * milliseconds. A slower one reads on from the stored copy, and the memory is free for others.
 */
const CLIENT_GRACE_MS = 2_000;

export interface RunningRelay {
  /** What became of the file, as soon as that is certain: the client may still be served. */
  readonly kept: Promise<Kept>;
  readonly end: Promise<RelayEnd>;
  /** Resolves when the relay holds no memory of the file any more. */
  readonly freed: Promise<void>;
  /** Resolves when the relay has ended and the client has the file or has disconnected. */
  readonly done: Promise<void>;
  /** The bytes that have arrived; undefined while the relay does not wait for any. */
  received(): number | undefined;
}

/** Starts a relay. None of its promises rejects. */
export function relay(options: RelayOptions): RunningRelay {
  const { chunks, clock, file } = options;
  const ring = new Ring({ clock, chunks, held: file.verify ? Math.floor(chunks / 2) : 1 });
  const kept = Promise.withResolvers<Kept>();
  if (!options.upload) kept.resolve('not stored');
  const onUploadFailed = (error: unknown) => {
    kept.resolve('not stored'); // the requests that wait for the copy stop waiting now
    file.onUploadFailed(error);
  };
  const pump = new Pump(options, ring, onUploadFailed);
  const end = pump.run().catch((error: unknown): RelayEnd => ({ state: 'broken', error }));
  const filled = end.then(async (how) => {
    kept.resolve(keptAfter(how));
    if (how.state !== 'refused' && how.state !== 'broken') return;
    const error = errorOf(how);
    await Promise.all([options.upload?.abort(error), options.body.cancel(error)]);
  });
  const served = serveClient(options, ring, end);
  return {
    kept: kept.promise,
    end,
    freed: end.then((how) => freeRing(ring, how, { clock, served })),
    done: Promise.all([filled, served]).then(() => undefined),
    received: () => pump.received,
  };
}

function keptAfter({ state }: RelayEnd): Kept {
  if (state === 'stored') return 'stored';
  return state === 'passed' ? 'not stored' : 'broken';
}

/** Takes the ring from a client that does not read. What is not stored, it reads at its own pace. */
async function freeRing(
  ring: Ring,
  { state }: RelayEnd,
  { clock, served }: { readonly clock: Clock; readonly served: Promise<void> },
): Promise<void> {
  if (state !== 'stored') return served;
  await within(clock, CLIENT_GRACE_MS, served).catch(() => ring.detach());
}

/** Reads the body to its end, one chunk ahead of what is forwarded. */
class Pump {
  readonly #options: RelayOptions;
  readonly #ring: Ring;
  readonly #onUploadFailed: (error: unknown) => void;
  #upload: Upload | undefined;
  /** The digest of the forwarded bytes, where it is needed and the body does not keep one. */
  readonly #digest: ReturnType<typeof startSha256> | undefined;
  #isReading = false;

  constructor(options: RelayOptions, ring: Ring, onUploadFailed: (error: unknown) => void) {
    this.#options = options;
    this.#ring = ring;
    this.#onUploadFailed = onUploadFailed;
    this.#upload = options.upload;
    const needsDigest = options.file.verify && !options.body.keepsDigest;
    this.#digest = needsDigest ? startSha256() : undefined;
  }

  get received(): number | undefined {
    return this.#isReading ? this.#options.body.receivedBytes : undefined;
  }

  /** Rejects when the body breaks off, or when neither the store nor the client takes it. */
  async run(): Promise<RelayEnd> {
    const { body, file } = this.#options;
    const { held, size } = await this.#readBody();
    body.checkLength(size);
    const ended = file.checkEnd(this.#ring.tail(), size);
    if (!ended.ok) return { state: 'refused', reason: ended.reason };
    await this.#forward(held);
    const isUnsure = ended.value === 'needs more';
    const check = file.verify ?? (isUnsure ? file.checkStored.bind(file) : undefined);
    return check ? this.#commitChecked(size, check) : this.#commit(size);
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
      this.#isReading = true;
      const next = await body.fill(memory);
      this.#isReading = false;
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
      void this.#upload?.abort(error); // a store that hangs may take its time
      this.#upload = undefined;
      this.#onUploadFailed(error);
      if (this.#options.file.verify) {
        throw new Error('Cannot check the file without a stored copy', { cause: error });
      }
    }
  }

  async #commitChecked(size: number, check: CheckCommitted): Promise<RelayEnd> {
    const digest = this.#digest?.digest() ?? this.#options.body.digest();
    if (!this.#upload) throw new Error('Cannot check the end of the file without a store');
    const isOurs = await this.#upload.commit().catch((error: unknown) => {
      this.#onUploadFailed(error);
      throw error;
    });
    const checked = await check({ size, isOurs, digest });
    if (!checked.ok) return { state: 'refused', reason: checked.reason };
    this.#ring.end();
    return { state: 'stored', size };
  }

  async #commit(size: number): Promise<RelayEnd> {
    this.#ring.end();
    if (!this.#upload) return { state: 'passed', size };
    try {
      return { state: (await this.#upload.commit()) ? 'stored' : 'passed', size };
    } catch (error) {
      void this.#upload.abort(error);
      this.#onUploadFailed(error);
      return { state: 'passed', size };
    }
  }
}
