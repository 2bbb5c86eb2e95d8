import { describe, expect, it } from 'vitest';
import { pattern } from '../../test/fakes/effects/byte-source.ts';
import { settled } from '../../test/fakes/effects/clock.ts';
import { FakeUpload, receive, startRelay } from '../../test/fakes/effects/relay.ts';
import { BadAnswer } from '../origins/origin.ts';
import { CHUNK_BYTES } from './ring.ts';

const KIB = 1024;
const equal = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0;

describe('a whole body', () => {
  it.each([
    ['of one byte', 1],
    ['of one chunk less a byte', CHUNK_BYTES - 1],
    ['of exactly one chunk', CHUNK_BYTES],
    ['of one chunk and a byte', CHUNK_BYTES + 1],
    ['of exactly three chunks', 3 * CHUNK_BYTES],
    ['that fills the ring exactly', 16 * CHUNK_BYTES],
    ['that fills the ring and a byte', 16 * CHUNK_BYTES + 1],
    ['of forty chunks', 40 * CHUNK_BYTES],
  ])('%s reaches the client and the store byte for byte', async (_, size) => {
    const bytes = pattern(size);
    const run = await startRelay({ bytes });
    const received = await receive(run.reader);
    expect(received.end).toBe('whole');
    expect(equal(received.bytes, bytes)).toBe(true);
    expect(await run.stored).toBe(true);
    await run.done;
    expect([run.upload.state, equal(run.upload.bytes(), bytes)]).toEqual(['committed', true]);
  });

  it('reaches the client without a store', async () => {
    const bytes = pattern(40 * CHUNK_BYTES);
    const run = await startRelay({ bytes, upload: undefined });
    const received = await receive(run.reader);
    expect([received.end, equal(received.bytes, bytes)]).toEqual(['whole', true]);
    expect(await run.stored).toBe(false);
    await run.done;
  });

  it('of unknown length reaches both', async () => {
    const bytes = pattern(5 * CHUNK_BYTES + 77);
    const run = await startRelay({ bytes, declared: undefined });
    const received = await receive(run.reader);
    expect([received.end, equal(received.bytes, bytes)]).toEqual(['whole', true]);
    expect([await run.stored, equal(run.upload.bytes(), bytes)]).toEqual([true, true]);
  });

  it('shows its size and at least its last 3.5 MiB to the check, once', async () => {
    const bytes = pattern(40 * CHUNK_BYTES + 5);
    const seen: [tail: Uint8Array, size: number][] = [];
    const run = await startRelay({ bytes, checkEnd: (tail, size) => void seen.push([tail, size]) });
    await receive(run.reader);
    expect(seen.map(([, size]) => size)).toEqual([bytes.length]);
    const tail = seen[0]?.[0] ?? new Uint8Array();
    expect(tail.length).toBeGreaterThan(14 * CHUNK_BYTES);
    expect(equal(tail, bytes.subarray(bytes.length - tail.length))).toBe(true);
  });

  it('gives a sign of life for every chunk', async () => {
    const run = await startRelay({ bytes: pattern(10 * CHUNK_BYTES) });
    await receive(run.reader);
    expect(run.progress()).toBeGreaterThanOrEqual(9);
  });
});

describe('a body that breaks off', () => {
  it.each([
    ['after its first chunk', CHUNK_BYTES],
    ['in its second chunk', CHUNK_BYTES + 5],
    ['in the middle', 15 * CHUNK_BYTES + 5],
    ['when the ring has gone round', 25 * CHUNK_BYTES + 5],
    ['before its last byte', 30 * CHUNK_BYTES - 1],
    ['after its last byte', 30 * CHUNK_BYTES],
  ])('%s breaks the stream of the client, and the store keeps nothing', async (_, size) => {
    const bytes = pattern(30 * CHUNK_BYTES);
    const breaksWith = new Error('connection lost');
    const pieces = [64 * KIB];
    const run = await startRelay({
      bytes: bytes.subarray(0, size),
      declared: bytes.length,
      breaksWith,
      pieces,
    });
    const received = await receive(run.reader);
    expect(received.end).toBe('broken');
    expect(received.bytes.length).toBeLessThan(bytes.length);
    expect(equal(received.bytes, bytes.subarray(0, received.bytes.length))).toBe(true);
    expect(await run.stored).toBe(false);
    await run.done;
    expect(run.upload.state).toBe('aborted');
  });

  it.each([
    ['shorter', 3 * CHUNK_BYTES + 1],
    ['longer', 3 * CHUNK_BYTES - 1],
  ])('is also one that is %s than declared and ends well', async (_, size) => {
    const bytes = pattern(3 * CHUNK_BYTES);
    const run = await startRelay({ bytes, declared: size });
    const received = await receive(run.reader);
    expect(received.end).toBe('broken');
    expect(received.error).toBeInstanceOf(BadAnswer);
    expect([await run.stored, run.upload.state]).toEqual([false, 'aborted']);
  });

  it('breaks the stream of the client without a store too', async () => {
    const breaksWith = new Error('connection lost');
    const bytes = pattern(5 * CHUNK_BYTES);
    const run = await startRelay({
      bytes,
      declared: 9 * CHUNK_BYTES,
      breaksWith,
      upload: undefined,
    });
    expect((await receive(run.reader)).end).toBe('broken');
    await run.done;
  });
});

describe('a body whose end is not what it should be', () => {
  it.each([1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 1, 40 * CHUNK_BYTES])(
    'of %i bytes never reaches the client whole, nor the store at all',
    async (size) => {
      const bytes = pattern(size);
      const run = await startRelay({
        bytes,
        checkEnd() {
          throw new BadAnswer('a broken zip');
        },
      });
      const received = await receive(run.reader);
      expect([received.end, String(received.error)]).toEqual(['broken', 'BadAnswer: a broken zip']);
      const last = size % CHUNK_BYTES || CHUNK_BYTES;
      expect(received.bytes.length).toBeLessThanOrEqual(size - last);
      expect(run.upload.bytes().length).toBeLessThanOrEqual(size - last);
      expect([await run.stored, run.upload.state]).toEqual([false, 'aborted']);
      await run.done;
    },
  );
});

describe('a store that fails', () => {
  it.each([0, 1, 7, 29])('at chunk %i costs the client nothing', async (failsAt) => {
    const bytes = pattern(30 * CHUNK_BYTES);
    const upload = new FakeUpload();
    upload.failsAt = failsAt;
    const run = await startRelay({ bytes, upload });
    const received = await receive(run.reader);
    expect([received.end, equal(received.bytes, bytes)]).toEqual(['whole', true]);
    expect([await run.stored, run.upload.state]).toEqual([false, 'aborted']);
    expect(run.uploadErrors.map(String)).toEqual(['Error: R2 is away']);
    await run.done;
  });

  it('at the commit costs the client nothing, and nothing stays behind', async () => {
    const bytes = pattern(20 * CHUNK_BYTES + 1);
    const upload = new FakeUpload();
    upload.commitFails = true;
    const run = await startRelay({ bytes, upload });
    const received = await receive(run.reader);
    expect([received.end, equal(received.bytes, bytes)]).toEqual(['whole', true]);
    expect(await run.stored).toBe(false);
    expect(run.uploadErrors.map(String)).toEqual(['Error: R2 did not take it']);
    await run.done;
    expect(upload.state).toBe('aborted');
  });
});

describe('a client that leaves', () => {
  it.each([
    ['at once', 0],
    ['after a chunk', 1],
    ['after many', 20],
  ])('%s does not keep the file out of the store if others wait for it', async (_, chunks) => {
    const bytes = pattern(40 * CHUNK_BYTES);
    const run = await startRelay({ bytes, isWanted: true });
    for (let read = 0; read < chunks; read++) await run.reader.read();
    await run.reader.cancel();
    expect(await run.stored).toBe(true);
    await run.done;
    expect([run.upload.state, equal(run.upload.bytes(), bytes)]).toEqual(['committed', true]);
  });

  it('gives the body up where no store wants it either', async () => {
    const run = await startRelay({ bytes: pattern(100 * CHUNK_BYTES), upload: undefined });
    await run.reader.read();
    await run.reader.cancel();
    await run.done;
    expect(await run.stored).toBe(false);
    expect(run.bodyCancelled()).toBe(true);
    expect(run.progress()).toBeLessThan(30);
  });

  it('before the store fails: the body is given up then', async () => {
    const upload = new FakeUpload();
    upload.failsAt = 20;
    const run = await startRelay({ bytes: pattern(100 * CHUNK_BYTES), upload, isWanted: true });
    await run.reader.cancel();
    await run.done;
    await settled();
    expect([run.bodyCancelled(), run.progress() < 30]).toEqual([true, true]);
  });
});

const right = async () => undefined;
const wrong = async () => {
  throw new BadAnswer('another hash');
};

describe('a file that has to be proven', () => {
  it.each([1, CHUNK_BYTES, 3 * CHUNK_BYTES + 5, 40 * CHUNK_BYTES])(
    'of %i bytes reaches the client whole once its stored copy was proven',
    async (size) => {
      const bytes = pattern(size);
      const run = await startRelay({ bytes, prove: right });
      const received = await receive(run.reader);
      expect([received.end, equal(received.bytes, bytes), await run.stored]).toEqual([
        'whole',
        true,
        true,
      ]);
    },
  );

  it.each([1, CHUNK_BYTES, 3 * CHUNK_BYTES + 5, 40 * CHUNK_BYTES])(
    'of %i bytes and is wrong breaks off before its last 2 MiB, and is not stored for those who wait',
    async (size) => {
      const run = await startRelay({ bytes: pattern(size), prove: wrong });
      const received = await receive(run.reader);
      expect(received.end).toBe('broken');
      expect(received.bytes.length).toBeLessThanOrEqual(Math.max(0, size - 7 * CHUNK_BYTES));
      expect(await run.stored).toBe(false);
      await run.done;
    },
  );

  it('is proven by the size and the SHA-256 of what the client gets, and by whose copy is stored', async () => {
    for (const isSecond of [false, true]) {
      const bytes = pattern(9 * CHUNK_BYTES + 1);
      const upload = new FakeUpload();
      upload.isSecond = isSecond;
      const seen: unknown[] = [];
      const run = await startRelay({
        bytes,
        upload,
        prove: async (committed) => void seen.push(committed),
      });
      await receive(run.reader);
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)));
      expect(seen).toMatchObject([{ size: bytes.length, ours: !isSecond }]);
      expect(
        seen.map((committed) => Buffer.from(Reflect.get(Object(committed), 'digest'))),
      ).toEqual([Buffer.from(digest)]);
    }
  });

  it('is not proven before the store has it', async () => {
    const upload = new FakeUpload();
    let stateThen = '';
    const prove = async () => void (stateThen = upload.state);
    const run = await startRelay({ bytes: pattern(5 * CHUNK_BYTES), upload, prove });
    await receive(run.reader);
    expect(stateThen).toBe('committed');
  });

  it.each(['at a write', 'at the commit'])(
    'and whose upload fails %s breaks off',
    async (where) => {
      const upload = new FakeUpload();
      if (where === 'at a write') upload.failsAt = 3;
      else upload.commitFails = true;
      let proven = false;
      const prove = async () => void (proven = true);
      const run = await startRelay({ bytes: pattern(30 * CHUNK_BYTES), upload, prove });
      expect((await receive(run.reader)).end).toBe('broken');
      await run.done;
      expect([proven, await run.stored, run.uploadErrors.length]).toEqual([false, false, 1]);
    },
  );
});
