/**
 * Sends a file that is in memory to a client that may be slow, or may not read at all.
 *
 * A response with the bytes themselves would keep all of them until the client has the last one. So
 * the client gets them in pieces. A client that has not read all after a moment receives the rest
 * from the stored copy, at its own pace, and holds one piece of memory at most. Where the file is
 * not stored, it keeps the memory for as long as it reads.
 */
import { within } from '../effects/clock.ts';
import { MAX_UNHELD_BYTES } from '../store/contract.ts';
import type { StoreKey } from '../store/key.ts';
import type { RequestContext } from './context.ts';
import type { Release } from './memory-budget.ts';
import type { Outcome } from './outcome.ts';

/** The size of a piece. */
const PIECE_BYTES = 256 * 1024;

/** How long a client has for a file in memory before it is sent from the store, in milliseconds. */
const GRACE_MS = 2_000;

/** How long a client may read nothing of a file that is in memory alone, in milliseconds. */
const IDLE_LIMIT_MS = 60_000;

type Context = Pick<RequestContext, 'background' | 'clock' | 'openPipe' | 'store'>;

/** The outcome with a body that holds no memory for longer than its client needs. */
export function sendHeld(outcome: Outcome, key: StoreKey, context: Context): Outcome {
  if (outcome.kind !== 'found') return outcome;
  const { held, ...file } = outcome.file;
  const { body, etag } = file;
  const release = held?.use() ?? (() => undefined);
  if (!(body instanceof Uint8Array) || body.length <= MAX_UNHELD_BYTES) {
    release();
    return { ...outcome, file };
  }
  const { readable, writable } = context.openPipe(body.length);
  const sender = new Sender(body, { key, etag, release, context });
  context.background('send', sender.sendTo(writable));
  return { ...outcome, file: { ...file, body: readable } };
}

interface SenderOptions {
  readonly key: StoreKey;
  readonly etag: string;
  readonly release: Release;
  readonly context: Context;
}

class Sender {
  /** Undefined once the rest is sent from the store. */
  #bytes: Uint8Array | undefined;
  readonly #size: number;
  readonly #options: SenderOptions;

  constructor(bytes: Uint8Array, options: SenderOptions) {
    this.#bytes = bytes;
    this.#size = bytes.length;
    this.#options = options;
  }

  /** Never rejects: a failure aborts the stream. */
  async sendTo(client: WritableStream<Uint8Array>): Promise<void> {
    const writer = client.getWriter();
    void this.#watch();
    try {
      const sent = await this.#sendHeld(writer);
      if (sent === this.#size) return await writer.close();
      const { context, etag, key } = this.#options;
      const rest = await context.store.large.readFrom(key, sent, { size: this.#size, etag });
      if (!rest) throw new Error('Cannot read the stored file');
      writer.releaseLock();
      await rest.pipeTo(client);
    } catch (error) {
      await writer.abort(error).catch(() => undefined);
    } finally {
      this.#letGo();
    }
  }

  /** Returns how many bytes were sent when the memory was let go. */
  async #sendHeld(writer: WritableStreamDefaultWriter<Uint8Array>): Promise<number> {
    const { clock } = this.#options.context;
    for (let sent = 0; ;) {
      // A copy: the client would otherwise hold all of the memory by a piece of it.
      const piece = this.#bytes?.slice(sent, sent + PIECE_BYTES);
      if (!piece || piece.length === 0) return sent;
      const written = writer.write(piece);
      await within(clock, IDLE_LIMIT_MS, written).catch((error: unknown) => {
        if (this.#bytes) throw error;
        return written;
      });
      sent += piece.length;
    }
  }

  /** Lets go of the memory after a moment, as soon as the file is stored. */
  async #watch(): Promise<void> {
    while (this.#bytes) {
      await this.#options.context.clock.sleep(GRACE_MS);
      if (this.#bytes && (await this.#isStored())) this.#letGo();
    }
  }

  async #isStored(): Promise<boolean> {
    const { context, etag, key } = this.#options;
    return (await context.store.large.open(key))?.etag === etag;
  }

  #letGo(): void {
    this.#bytes = undefined;
    this.#options.release();
  }
}
