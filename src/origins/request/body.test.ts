import { describe, expect, it } from 'vitest';
import {
  byteSource,
  cut,
  pattern,
  scriptedStream,
} from '../../../test/fakes/effects/byte-source.ts';
import { fakeClock, settled } from '../../../test/fakes/effects/clock.ts';
import { TimeoutError } from '../../effects/clock.ts';
import { sha256 } from '../../bytes/sha256.ts';
import { BodyReader } from './body-reader.ts';
import { OriginBody } from './body.ts';
import { OriginError } from '../failure.ts';

const noRest = async () => undefined;

function bodyOf(
  stream: ReadableStream<Uint8Array> | null,
  headers: Record<string, string> = {},
  clock = fakeClock(),
) {
  return new OriginBody(new Response(stream, { headers }), { clock, stallMs: 20_000 });
}

describe('the declared length', () => {
  it.each([
    [{ 'Content-Length': '12' }, 12],
    [{ 'Content-Length': '0' }, 0],
    [{}, undefined],
    [{ 'Content-Length': '-1' }, undefined],
    [{ 'Content-Length': '1e3' }, undefined],
    [{ 'Content-Length': '12', 'Content-Encoding': 'gzip' }, undefined],
  ])('%j is %s', (headers: Record<string, string>, declared) => {
    expect(bodyOf(null, headers).declaredBytes).toBe(declared);
  });

  it('must be the length', () => {
    const body = bodyOf(null, { 'Content-Length': '12' });
    expect(() => body.checkLength(12)).not.toThrow();
    expect(() => body.checkLength(11)).toThrow('body of 11 bytes where 12 were declared');
    expect(() => body.checkLength(13)).toThrow(OriginError);
  });
});

describe('all of a body', () => {
  it.each([
    ['no body', 0, 1000, [1]],
    ['one byte', 1, 1000, [1]],
    ['exactly the limit', 1000, 1000, [7]],
    ['many small pieces', 300_000, 16_000_000, [1000]],
    ['pieces of all sizes', 2_000_000, 16_000_000, [1, 70_000, 333, 65_536]],
    ['exactly the first room', 65_536, 16_000_000, [65_536]],
    ['exactly two rooms', 3 * 65_536, 16_000_000, [65_536]],
  ])('%s is read, whether its length is declared or not', async (_, size, limit, pieces) => {
    const bytes = pattern(size);
    const undeclared = bodyOf(scriptedStream(cut(bytes, ...pieces)));
    expect(Buffer.compare(await undeclared.all(limit), bytes)).toBe(0);
    const declared = bodyOf(scriptedStream(cut(bytes, ...pieces)), {
      'Content-Length': String(size),
    });
    expect(Buffer.compare(await declared.all(limit), bytes)).toBe(0);
  });

  it.each([
    ['longer than the limit', 1001, {}, 'body of more than 1000 bytes'],
    [
      'declared longer than the limit',
      5,
      { 'Content-Length': '1001' },
      'body of more than 1000 bytes',
    ],
    [
      'shorter than declared',
      5,
      { 'Content-Length': '6' },
      'body of 5 bytes where 6 were declared',
    ],
  ])('%s is an error of the origin', async (_, size, headers: Record<string, string>, text) => {
    const reading = bodyOf(scriptedStream(cut(pattern(size), 100)), headers).all(1000);
    await expect(reading).rejects.toThrow(text);
    await expect(reading).rejects.toBeInstanceOf(OriginError);
  });

  it('is not read at all where too many bytes are declared', async () => {
    let asked = 0;
    const stream = scriptedStream(cut(pattern(100), 1), { pause: async () => void (asked += 1) });
    await expect(bodyOf(stream, { 'Content-Length': '5000' }).all(1000)).rejects.toThrow(
      'more than 1000',
    );
    expect(asked).toBe(0);
  });

  it('rejects with what broke the connection', async () => {
    const stream = scriptedStream(cut(pattern(100), 50), {
      breaksWith: new Error('connection reset'),
    });
    await expect(bodyOf(stream).all(1000)).rejects.toThrow('connection reset');
  });
});

describe('a chunk', () => {
  it('is full until the body ends, and empty after it', async () => {
    const bytes = pattern(2500);
    const body = bodyOf(scriptedStream(cut(bytes, 700)));
    const sizes: number[] = [];
    const parts: Uint8Array[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const chunk = await body.fill(new ArrayBuffer(1000));
      sizes.push(chunk.length);
      parts.push(chunk);
    }
    expect(sizes).toEqual([1000, 1000, 500, 0]);
    expect(Buffer.compare(Buffer.concat(parts), bytes)).toBe(0);
  });

  it('of a body that stalls rejects after the limit, not before', async () => {
    const clock = fakeClock();
    const source = byteSource();
    source.push(pattern(10));
    const reading = bodyOf(source.stream, {}, clock).fill(new ArrayBuffer(1000));
    let state = 'waiting';
    reading.catch(() => (state = 'rejected'));
    await clock.advance(19_999);
    expect(state).toBe('waiting');
    await clock.advance(1);
    await expect(reading).rejects.toBeInstanceOf(TimeoutError);
  });

  it('leaves no alarm behind', async () => {
    const clock = fakeClock();
    await bodyOf(scriptedStream(cut(pattern(100_000), 1000)), {}, clock).fill(
      new ArrayBuffer(100_000),
    );
    expect(clock.alarms).toEqual([]);
  });
});

describe('the digest of a body', () => {
  it.each([
    ['read by `start` and in chunks', 1000, 700],
    ['that ends in its start', 5000, 700],
    ['read in chunks alone', 0, 900],
  ])('%s is that of all its bytes', async (_, start, size) => {
    const bytes = pattern(2500);
    const body = bodyOf(scriptedStream(cut(bytes, 400)), { 'Content-Length': '2500' });
    if (start > 0) await body.start(start);
    body.continueWith(noRest, { keepsDigest: true });
    while ((await body.fill(new ArrayBuffer(size))).length > 0);
    expect([body.keepsDigest, body.digest()]).toEqual([true, sha256(bytes)]);
  });

  it.each([
    ['something was read by `fill` before', { keepsDigest: true }, 1000, '2500'],
    ['it was not demanded', { keepsDigest: false }, 0, '2500'],
    ['its length is not declared', { keepsDigest: true }, 0, ''],
  ])('is not computed where %s', async (_, keeps, before, length) => {
    const body = bodyOf(scriptedStream(cut(pattern(2500), 400)), { 'Content-Length': length });
    await body.fill(new ArrayBuffer(before));
    body.continueWith(noRest, keeps);
    expect([body.keepsDigest, body.digest()]).toEqual([false, undefined]);
  });
});

it('a body that is cancelled while its rest is searched ends the search', async () => {
  const stream = scriptedStream(cut(pattern(100), 50), {
    breaksWith: new Error('connection reset'),
  });
  const body = bodyOf(stream, { 'Content-Length': '2500' });
  let isEnded = false;
  body.continueWith(
    ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          isEnded = true;
          resolve(undefined);
        });
      }),
    { keepsDigest: false },
  );
  const reading = body.fill(new ArrayBuffer(1000));
  reading.catch(() => undefined);
  await settled();
  expect(isEnded).toBe(false);
  await body.cancel('it is not needed');
  await expect(reading).rejects.toThrow('connection reset');
  expect(isEnded).toBe(true);
});

it('a cancelled body is not continued, and never looks complete', async () => {
  let asked = 0;
  const findRest = async () => void (asked += 1);
  const source = byteSource();
  const body = bodyOf(source.stream, { 'Content-Length': '2500' });
  body.continueWith(findRest, { keepsDigest: false });
  const reading = body.fill(new ArrayBuffer(10));
  reading.catch(() => undefined);
  await settled();
  await body.cancel('it is not needed');
  await expect(reading).rejects.toThrow('The body was cancelled');
  await expect(body.fill(new ArrayBuffer(10))).rejects.toThrow('The body was cancelled');
  expect(asked).toBe(0);
});

it('a rest that is found for a body that was cancelled meanwhile is cancelled', async () => {
  const found = Promise.withResolvers<void>();
  const rest = byteSource();
  const reader = new BodyReader(new Response(rest.stream), { clock: fakeClock(), stallMs: 20_000 });
  const broken = scriptedStream([], { breaksWith: new Error('connection reset') });
  const body = bodyOf(broken, { 'Content-Length': '2500' });
  const findRest = async () => {
    await found.promise;
    return { reader, originNames: ['b'] };
  };
  body.continueWith(findRest, { keepsDigest: false });
  const reading = body.fill(new ArrayBuffer(1000));
  reading.catch(() => undefined);
  await settled();
  await body.cancel('it is not needed');
  found.resolve();
  await expect(reading).rejects.toThrow('connection reset');
  expect(rest.cancelled).toBe(true);
});

it('a cancelled body cancels its source, and a waiting read rejects', async () => {
  const source = byteSource();
  const body = bodyOf(source.stream);
  const reading = body.fill(new ArrayBuffer(10));
  reading.catch(() => undefined);
  await settled();
  await body.cancel(new Error('it is not needed'));
  expect(source.cancelled).toBe(true);
  await expect(reading).rejects.toThrow('The body was cancelled');
});
