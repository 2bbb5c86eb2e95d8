import { describe, expect, it } from 'vitest';
import { pattern } from '../../test/fakes/effects/byte-source.ts';
import { fakeClock, settled } from '../../test/fakes/effects/clock.ts';
import {
  copyingPipe,
  FakeUpload,
  impatient,
  receive,
  startRelay,
} from '../../test/fakes/effects/relay.ts';
import { OriginBody } from '../origins/request/body.ts';
import { relay } from './relay.ts';
import { CHUNK_BYTES, RING_CHUNKS } from './ring.ts';

const equal = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0;

describe('a client slower than the store', () => {
  it.each([0, 1, 3, 20])(
    'that reads %i chunks and rests goes on from the stored copy',
    async (chunks) => {
      const bytes = pattern(60 * CHUNK_BYTES + 9);
      const run = await startRelay({ bytes });
      const had: Uint8Array[] = [];
      for (let read = 0; read < chunks; read++)
        had.push((await run.reader.read()).value ?? new Uint8Array());
      expect(await run.stored).toBe(true); // the fill does not wait for it
      const rest = await receive(run.reader);
      expect(rest.end).toBe('whole');
      expect(equal(Buffer.concat([...had, rest.bytes]), bytes)).toBe(true);
      // One chunk more was under way to it: that one is not sent again.
      expect(run.resumedAt).toEqual([(chunks + 1) * CHUNK_BYTES]);
      await run.done;
    },
  );

  it('that only lags for moments sets the pace, and reads nothing twice', async () => {
    const bytes = pattern(60 * CHUNK_BYTES + 9);
    const run = await startRelay({ bytes, clock: fakeClock() }); // no moment is ever over
    await settled();
    expect(run.progress()).toBeLessThan(20);
    const rest = await receive(run.reader);
    expect([rest.end, equal(rest.bytes, bytes), await run.stored]).toEqual(['whole', true, true]);
    expect(run.resumedAt).toEqual([]);
  });

  it('that falls behind by less than the ring holds is never dropped', async () => {
    const bytes = pattern(40 * CHUNK_BYTES);
    const upload = new FakeUpload();
    const gate = Promise.withResolvers<void>();
    let writes = 0;
    upload.pause = async () => {
      if (++writes === 12) await gate.promise;
    };
    const run = await startRelay({ bytes, upload });
    await settled();
    const had: Uint8Array[] = [];
    for (let read = 0; read < 10; read++)
      had.push((await run.reader.read()).value ?? new Uint8Array());
    const receiving = receive(run.reader);
    gate.resolve();
    const rest = await receiving;
    expect([rest.end, equal(Buffer.concat([...had, rest.bytes]), bytes)]).toEqual(['whole', true]);
    expect(run.resumedAt).toEqual([]);
  });

  it.each([
    ['cannot be read', async () => undefined],
    [
      'fails to be read',
      async () => {
        throw new Error('R2 is away');
      },
    ],
  ])('gets a broken stream, never a short one, when the stored copy %s', async (_, resume) => {
    const run = await startRelay({ bytes: pattern(60 * CHUNK_BYTES), resume });
    expect(await run.stored).toBe(true);
    expect((await receive(run.reader)).end).toBe('broken');
    await run.done;
  });

  it.each([
    ['breaks off', { breaksWith: new Error('connection lost') }],
    [
      'is not what it should be',
      {
        checkEnd() {
          throw new Error('a broken zip');
        },
      },
    ],
  ])('gets a broken stream when the body %s after it was dropped', async (_, setup) => {
    const run = await startRelay({ bytes: pattern(60 * CHUNK_BYTES), ...setup });
    expect(await run.stored).toBe(false);
    expect((await receive(run.reader)).end).toBe('broken');
    await run.done;
  });

  it.each([30, 45])(
    'gets a broken stream when the store fails at chunk %i, and the body is given up',
    async (failsAt) => {
      const upload = new FakeUpload();
      upload.failsAt = failsAt;
      const run = await startRelay({ bytes: pattern(200 * CHUNK_BYTES), upload });
      await settled();
      expect((await receive(run.reader)).end).toBe('broken');
      await run.done;
      expect([await run.stored, run.bodyCancelled()]).toEqual([false, true]);
      expect(run.progress()).toBeLessThan(failsAt + 5);
    },
  );

  it('that leaves while it waits for the stored copy does not disturb it', async () => {
    const upload = new FakeUpload();
    const gate = Promise.withResolvers<void>();
    let writes = 0;
    upload.pause = async () => {
      if (++writes === 40) await gate.promise;
    };
    const run = await startRelay({ bytes: pattern(60 * CHUNK_BYTES), upload });
    await settled();
    await run.reader.read();
    await run.reader.cancel();
    gate.resolve();
    expect(await run.stored).toBe(true);
    await run.done;
  });
});

describe('a client without a store', () => {
  it('sets the pace, and the body waits for it', async () => {
    const bytes = pattern(60 * CHUNK_BYTES);
    const run = await startRelay({ bytes, upload: undefined });
    await settled();
    await settled();
    expect(run.progress()).toBeLessThanOrEqual(17);
    const before = run.progress();
    await run.reader.read();
    await settled();
    expect(run.progress()).toBeLessThanOrEqual(before + 2);
    const rest = await receive(run.reader, settled);
    expect(rest.end).toBe('whole');
    expect(equal(rest.bytes, bytes.subarray(CHUNK_BYTES))).toBe(true);
  });
});

/** A body made in place, which shows how many pieces of memory it was ever given. */
class CountedBody extends OriginBody {
  readonly given = new Set<ArrayBuffer>();
  #left: number;

  constructor(chunks: number) {
    super(new Response(null), { clock: fakeClock(), stall: 20_000 });
    this.#left = chunks;
  }

  override async fill(buffer: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
    this.given.add(buffer);
    await settled();
    if (this.#left === 0) return new Uint8Array(buffer, 0, 0);
    this.#left -= 1;
    return new Uint8Array(buffer).fill(this.#left);
  }
}

describe('the memory of the relay', () => {
  it.each([
    ['an idle client and a store', true, 0],
    ['a client that keeps up and a store', true, Infinity],
    ['a client that reads a little and a store', true, 7],
    ['a client that keeps up and no store', false, Infinity],
  ])('stays the same however long the body is: %s', async (_, hasStore, reads) => {
    const body = new CountedBody(100);
    const pipe = copyingPipe();
    const { done, stored } = relay({
      clock: impatient,
      chunks: RING_CHUNKS,
      body,
      first: new Uint8Array(CHUNK_BYTES),
      upload: hasStore ? new FakeUpload() : undefined,
      client: pipe.writable,
      resume: async () => undefined,
      checkEnd: () => undefined,
      onProgress: () => undefined,
      onUploadError: () => undefined,
    });
    const reader = pipe.readable.getReader();
    if (reads === Infinity) await receive(reader);
    else for (let read = 0; read < reads; read++) await reader.read();
    await stored;
    await reader.cancel().catch(() => undefined);
    await done;
    expect(body.given.size).toBeLessThanOrEqual(20);
  });
});
