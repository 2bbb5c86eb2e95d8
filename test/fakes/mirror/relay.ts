import { type Result, success } from '../../../src/effects/result.ts';
import type { Clock } from '../../../src/effects/clock.ts';
import type { FailureReason } from '../../../src/origins/failure.ts';
import { relay } from '../../../src/mirror/large/relay.ts';
import type { RelayedFile, RelayEnd } from '../../../src/mirror/large/relayed-file.ts';
import type { CheckedEnd } from '../../../src/mirror/large/large-file.ts';
import { CHUNK_BYTES, RING_CHUNKS } from '../../../src/mirror/large/ring.ts';
import { OriginBody } from '../../../src/origins/request/body.ts';
import type { Upload } from '../../../src/store/contract.ts';
import { cut, scriptedStream, type Script } from '../effects/byte-source.ts';
import { fakeClock, impatientClock } from '../effects/clock.ts';

export interface RelayRun {
  readonly end: Promise<RelayEnd>;
  /** Whether the file was stored. */
  readonly stored: Promise<boolean>;
  readonly done: Promise<void>;
  /** The client's end of the relay. */
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly upload: FakeUpload;
  /** The offsets from which the stored copy was read. */
  readonly resumedAt: readonly number[];
  readonly uploadErrors: readonly unknown[];
  readonly bodyCancelled: () => boolean;
  /** How many chunks were read of the body. */
  readonly progress: () => number;
}

export interface RelaySetup extends Script {
  /** The body that the origin sends. */
  readonly bytes: Uint8Array;
  /** The sizes of the pieces of the body, in turn; default 64 KiB. */
  readonly pieces?: readonly number[];
  /** The length that the origin declares; default the true one, `undefined` for none. */
  readonly declared?: number | undefined;
  readonly upload?: FakeUpload | undefined;
  readonly checkEnd?: RelayedFile['checkEnd'];
  readonly verify?: RelayedFile['verify'];
  readonly checkStored?: RelayedFile['checkStored'];
  /** Whether other requests wait for the stored copy; default false. */
  readonly isWanted?: boolean;
  /** Default: a clock whose sleeps end at once. */
  readonly clock?: Clock;
  /** Reads the stored copy for a detached client; default the uploaded bytes. */
  readonly resume?: RelayedFile['readStored'];
}

/** Starts a relay between a scripted origin, an upload and a client that the test reads. */
export async function startRelay(setup: RelaySetup): Promise<RelayRun> {
  const { bytes, pieces = [64 * 1024] } = setup;
  const declared = 'declared' in setup ? setup.declared : bytes.length;
  let cancelled = false;
  const stream = scriptedStream(cut(bytes, ...pieces), {
    ...setup,
    onCancel: () => (cancelled = true),
  });
  const headers = declared === undefined ? {} : { 'Content-Length': String(declared) };
  const body = new CountingBody(new Response(stream, { headers }), {
    clock: fakeClock(),
    stallMs: 20_000,
  });
  const first = await body.fill(new ArrayBuffer(CHUNK_BYTES));

  const upload = 'upload' in setup ? setup.upload : new FakeUpload();
  const pipe = copyingPipe();
  const resumedAt: number[] = [];
  const uploadErrors: unknown[] = [];
  const file: RelayedFile = {
    checkEnd: setup.checkEnd ?? ((): Result<CheckedEnd, FailureReason> => success('complete')),
    verify: setup.verify,
    checkStored: setup.checkStored ?? (async () => success(undefined)),
    async readStored(offset, size) {
      resumedAt.push(offset);
      if (setup.resume) return setup.resume(offset, size);
      return scriptedStream(cut(upload?.bytes().subarray(offset) ?? new Uint8Array(), 100_000));
    },
    isWanted: () => setup.isWanted ?? false,
    onUploadFailed: (error) => uploadErrors.push(error),
  };
  const running = relay({
    clock: setup.clock ?? impatientClock(),
    chunks: RING_CHUNKS,
    body,
    first,
    upload,
    client: pipe.writable,
    file,
  });
  return {
    end: running.end,
    stored: running.kept.then((kept) => kept === 'stored'),
    done: running.done,
    reader: pipe.readable.getReader(),
    upload: upload ?? new FakeUpload(),
    resumedAt,
    uploadErrors,
    bodyCancelled: () => cancelled,
    progress: () => body.chunks,
  };
}

/** A body that counts the chunks that were read of it. */
class CountingBody extends OriginBody {
  chunks = -1; // the first one is read before the relay begins

  override async fill(buffer: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
    const chunk = await super.fill(buffer);
    this.chunks += 1;
    return chunk;
  }
}

/** An upload in memory that waits or fails as the test demands. */
export class FakeUpload implements Upload {
  readonly #chunks: Uint8Array[] = [];
  state: 'open' | 'committed' | 'aborted' = 'open';
  /** The number of the write that fails, counted from 0. */
  failsAt: number | undefined;
  commitFails = false;
  /** Whether another upload of the file was committed first. */
  isSecond = false;
  /** Awaited before each write. */
  pause: () => Promise<void> = async () => undefined;

  async write(chunk: Uint8Array): Promise<void> {
    await this.pause();
    if (this.failsAt === this.#chunks.length) throw new Error('R2 is away');
    // Copied after the pause, as in a store that reads lazily: a chunk reused too early shows.
    this.#chunks.push(chunk.slice());
  }

  async commit(): Promise<boolean> {
    if (this.commitFails) throw new Error('R2 did not take it');
    this.state = 'committed';
    return !this.isSecond;
  }

  async abort(): Promise<void> {
    this.state = 'aborted';
  }

  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#chunks));
  }
}

/** A pipe as in workerd: it copies, and a write resolves when its bytes were read. */
export function copyingPipe(): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk.slice());
    },
  });
}

/** What a client received, and how the stream ended. */
export interface Received {
  readonly bytes: Uint8Array;
  readonly end: 'whole' | 'broken';
  readonly error?: unknown;
}

/** Reads to the end, and awaits `pause` before each read. */
export async function receive(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  pause: () => Promise<void> = async () => undefined,
): Promise<Received> {
  const chunks: Uint8Array[] = [];
  const bytes = () => new Uint8Array(Buffer.concat(chunks));
  try {
    for (;;) {
      await pause();
      const { done, value } = await reader.read();
      if (done) return { bytes: bytes(), end: 'whole' };
      chunks.push(value);
    }
  } catch (error) {
    return { bytes: bytes(), end: 'broken', error };
  }
}
