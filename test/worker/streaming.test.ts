import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import type { BigZip } from '../fakes/zip/zip-writer.ts';
import { MB, serveBigZip, type Served, whole } from './big-zip.ts';
import { download, sha256Of } from './download.ts';
import { type Modferry, startModferry } from './modferry.ts';
import { eventually } from '../eventually.ts';

let first: FakeOrigin;
let second: FakeOrigin;
let modferry: Modferry;

beforeAll(async () => {
  first = await startOrigin();
  second = await startOrigin();
  const ORIGINS = `${first.url}|${second.url}`;
  modferry = await startModferry({ variables: { ORIGINS, TIMEOUT_STALL: '1s' } });
});
beforeEach(() => {
  first.reset();
  second.reset();
});
afterAll(async () => {
  await modferry.close();
  await first.close();
  await second.close();
});

function serve(name: string, size: number, at = [first]): Served {
  return serveBigZip(name, size, { at, by: modferry });
}

async function untilStored({ cachedOnly }: Served): Promise<void> {
  await eventually(async () =>
    expect(await download(cachedOnly, { method: 'HEAD' })).toMatchObject({ status: 200 }),
  );
}

async function expectNotStored({ cachedOnly }: Served): Promise<void> {
  expect(await download(cachedOnly)).toMatchObject({ status: 404 });
}

// Zips that are relayed to the client while they are stored.

it.each([
  ['HEAD', { method: 'HEAD' }, 200],
  ['GET with If-None-Match: *', { headers: { 'If-None-Match': '*' } }, 304],
])(
  'a %s of a zip that is not stored is answered, and its fetch from a slow origin is cancelled',
  async (name, request, status) => {
    const served = serve(`asked-${status}`, 100 * MB);
    first.fault({ drip: { bytesPerSecond: 4 * MB } });
    expect({ name, answer: await download(served.url, request) }).toMatchObject({
      name,
      answer: { status, bytes: 0 },
    });
    await eventually(() => expect(first.requests.map(({ state }) => state)).toEqual(['broken']));
    first.fault(undefined);
    await expectNotStored(served);
  },
);

describe('a zip of 300 MB', () => {
  it('arrives whole, cold and warm, from one request to the origin and with the same headers', async () => {
    const served = serve('whole', 300 * MB);
    const cold = await download(served.url);
    expect(cold).toMatchObject(await whole(served));
    await untilStored(served);
    const warm = await download(served.url);
    expect(warm).toMatchObject(await whole(served));
    expect(first.count()).toBe(1);
    expect(cold.headers).toMatchObject({
      'content-type': 'application/zip',
      'content-length': String(served.zip.size),
      'cache-control': 'public, max-age=31536000, immutable',
    });
    for (const name of [
      'etag',
      'content-length',
      'content-type',
      'cache-control',
      'accept-ranges',
    ]) {
      expect({ name, value: warm.headers[name] }).toEqual({ name, value: cold.headers[name] });
    }
    const { etag = '' } = cold.headers;
    expect(await download(served.url, { headers: { 'If-None-Match': etag } })).toMatchObject({
      status: 304,
      bytes: 0,
    });
  });
});

describe('a client', () => {
  it('that hangs up after 1 MB does not stop the fill', async () => {
    const served = serve('hang-up', 60 * MB);
    expect(await download(served.url, { hangUpAfter: MB })).toMatchObject({ broken: true });
    await untilStored(served);
    expect(await download(served.url)).toMatchObject(await whole(served));
    expect(first.count()).toBe(1);
  });

  it('that hangs up early during a fill from a slow origin ends the fill', async () => {
    const served = serve('hang-up-slow', 60 * MB);
    first.fault({ drip: { bytesPerSecond: 2 * MB } });
    await download(served.url, { hangUpAfter: MB });
    await eventually(
      () => expect(first.requests.map(({ state }) => state)).toEqual(['broken']),
      5_000,
    );
    await expectNotStored(served);
    first.fault(undefined);
    expect(await download(served.url)).toMatchObject(await whole(served));
  });

  it('that stops reading until the file is stored gets the rest of it afterwards', async () => {
    const served = serve('stops', 100 * MB);
    let stopped = false;
    const answer = await download(served.url, {
      pace(bytes) {
        if (stopped || bytes < MB) return undefined;
        stopped = true;
        return untilStored(served);
      },
    });
    expect(answer).toMatchObject(await whole(served));
    expect(first.count()).toBe(1);
  });

  it('that reads 1 MB a second for a while, and then all, gets the right bytes', async () => {
    const served = serve('slow', 100 * MB);
    const started = Date.now();
    const answer = await download(served.url, {
      pace(bytes) {
        const due = started + bytes / 1000;
        return bytes < 4 * MB ? sleep(Math.max(0, due - Date.now())) : undefined;
      },
    });
    expect(answer).toMatchObject(await whole(served));
    expect(first.count()).toBe(1);
  });

  it('that sends HEAD for a cold zip gets its headers and no body', async () => {
    const served = serve('head', 30 * MB);
    const head = await download(served.url, { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, bytes: 0, broken: false });
    expect(head.headers).toMatchObject({
      'content-length': String(served.zip.size),
      'content-type': 'application/zip',
    });
    expect(await download(served.url)).toMatchObject(await whole(served));
  });

  it('that requests a zip during its fill gets the right bytes', async () => {
    const served = serve('two', 40 * MB);
    const answers = await Promise.all([
      download(served.url),
      download(served.url),
      download(served.url),
    ]);
    for (const answer of answers) expect(answer).toMatchObject(await whole(served));
  });
});

describe('an origin', () => {
  it('that declares no length has its zip stored all the same', async () => {
    const served = serve('no-length', 20 * MB);
    first.fault('no-length');
    expect(await download(served.url)).toMatchObject(await whole(served));
    await untilStored(served);
    const warm = await download(served.url);
    expect(warm).toMatchObject(await whole(served));
    expect(warm.headers['content-length']).toBe(String(served.zip.size));
    expect(first.count()).toBe(1);
  });

  it('that declares no length and ends in the middle ends in a broken connection', async () => {
    const served = serve('no-length-truncated', 20 * MB);
    const { zip } = served;
    first.set('/big.example/no-length-truncated/@v/v1.0.0.zip', {
      headers: { 'content-type': 'application/zip' },
      // Cut where the directory should begin: a regular end of the body, and no zip.
      body: { size: zip.size / 2, stream: () => halfOf(zip) },
    });
    first.fault('no-length');
    expect(await download(served.url)).toMatchObject({ status: 200, broken: true });
    await expectNotStored(served);
  });

  it('that sends a body that is not a zip is followed by the next one', async () => {
    // An origin that failed in an earlier test is asked last.
    const served = serve('noise', 20 * MB, [first, second]);
    for (const origin of [first, second]) origin.fault('not-a-zip', { times: 1 });
    expect(await download(served.url)).toMatchObject(await whole(served));
    expect(first.count() + second.count()).toBeGreaterThanOrEqual(3);
  });

  it('that sends a zip of another module ends in a broken connection before the directory of the zip', async () => {
    const served = serve('outside', 20 * MB, [first, second]);
    for (const origin of [first, second]) origin.fault('outside-prefix');
    const answer = await download(served.url);
    expect(answer).toMatchObject({ status: 200, broken: true });
    expect(answer.bytes).toBeLessThan(served.zip.size);
    await expectNotStored(served);
    for (const origin of [first, second]) origin.fault(undefined);
    expect(await download(served.url)).toMatchObject(await whole(served));
  });
});

function* halfOf(zip: BigZip): Generator<Uint8Array> {
  let left = zip.size / 2;
  for (const chunk of zip.stream() as Iterable<Uint8Array>) {
    if (left <= 0) return;
    yield chunk.subarray(0, left);
    left -= chunk.length;
  }
}

describe('ranges of a stored zip of 20 MB', () => {
  let served: Served;
  let etag: string;
  beforeAll(async () => {
    served = serve('ranges', 20 * MB);
    etag = (await download(served.url)).headers['etag'] ?? '';
    await untilStored(served);
  });

  it.each([
    ['bytes=0-99', 0, 100],
    ['bytes=10000000-12999999', 10_000_000, 13_000_000],
    ['bytes=19999000-', 19_999_000, 20_000_000],
    ['bytes=-22', 19_999_978, 20_000_000],
    ['bytes=19999999-99999999', 19_999_999, 20_000_000],
  ])('%s is a 206 with these bytes', async (Range, start, end) => {
    const part = await download(served.url, { headers: { Range } });
    expect(part).toMatchObject({ status: 206, bytes: end - start, broken: false });
    expect(part.headers).toMatchObject({
      'content-range': `bytes ${start}-${end - 1}/${served.zip.size}`,
      'content-length': String(end - start),
      etag,
    });
    expect(part.sha256).toBe(await sha256Of(served.zip, start, end));
    expect(first.count()).toBe(0);
  });

  it('with the If-Range of this copy are a 206, of another one the whole file', async () => {
    const Range = 'bytes=0-9';
    expect(await download(served.url, { headers: { Range, 'If-Range': etag } })).toMatchObject({
      status: 206,
      bytes: 10,
    });
    expect(await download(served.url, { headers: { Range, 'If-Range': '"other"' } })).toMatchObject(
      await whole(served),
    );
  });

  it('beyond the end are a 416 with the size', async () => {
    const answer = await download(served.url, { headers: { Range: 'bytes=20000000-' } });
    expect(answer).toMatchObject({ status: 416, bytes: 0 });
    expect(answer.headers).toMatchObject({
      'content-range': `bytes */${served.zip.size}`,
      'cache-control': 'no-store',
    });
  });

  it('of a zip that is not stored yet are the whole file', async () => {
    const cold = serve('cold-range', 20 * MB);
    expect(await download(cold.url, { headers: { Range: 'bytes=0-9' } })).toMatchObject(
      await whole(cold),
    );
  });
});
