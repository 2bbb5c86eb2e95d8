import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { versionOf } from '../fakes/origin/module.ts';
import { fixtureModules, hello } from '../fakes/origin/modules.ts';
import { startOrigin } from '../fakes/origin/origin.ts';
import {
  failure,
  FILE_HEADERS,
  IMMUTABLE,
  NEGATIVE,
  NO_STORE,
  type Stage,
  startStage,
  summary,
  TEXT,
  withFault,
  ZIP,
} from './conformance.ts';

// Rows 24 to 35 of the conformance list: the same files by the other means of HTTP.

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());

/** A zip in the bucket: path and bytes. */
async function storedZip(): Promise<{ target: string; body: Buffer; etag: string }> {
  const target = `/${stage.freshModule().path}/@v/v1.1.0.zip`;
  const { body, headers } = await stage.ask(target);
  return { target, body, etag: headers['etag'] ?? '' };
}

it('row 24: there is no path prefix, so anything below one is 404', async () => {
  for (const target of ['/p/example.com/hello/@v/list', '/p/example.com/hello/@v/v1.1.0.zip']) {
    expect(summary(await stage.ask(target))).toEqual(failure(404, 0, NEGATIVE));
  }
});

it.each([
  ['row 25: below /cached-only', '/cached-only', {}],
  ['row 26: with Disable-Module-Fetch', '', { 'Disable-Module-Fetch': 'true' }],
])('%s nobody is asked, and what is stored is served', async (_row, prefix, headers) => {
  const { path, list } = stage.freshModule();
  for (const end of ['@v/v1.1.0.zip', '@v/v1.1.0.info', '@v/list', '@latest', '@v/main.info']) {
    const answer = await stage.ask(`${prefix}/${path}/${end}`, { headers });
    expect(summary(answer)).toEqual(failure(404, 0));
    expect(answer.text).toContain('temporarily unavailable');
    expect(answer.headers['cache-status']).toBe('modferry; detail=local');
  }
  await stage.ask(`/${path}/@v/v1.1.0.zip`);
  await stage.ask(`/${path}/@v/list`);
  const zip = await stage.ask(`${prefix}/${path}/@v/v1.1.0.zip`, { headers });
  expect(summary(zip)).toEqual({ status: 200, ...FILE_HEADERS.zip, asked: 0 });
  await stage.expire();
  const lastGood = await stage.ask(`${prefix}/${path}/@v/list`, { headers });
  expect(summary(lastGood)).toEqual({
    status: 200,
    ...FILE_HEADERS.list,
    cache: 'no-store',
    asked: 0,
  });
  expect(lastGood.text).toBe(list);
});

it.each([
  ['list', '@v/list'],
  ['info', '@v/v1.1.0.info'],
  ['mod', '@v/v1.1.0.mod'],
  ['zip', '@v/v1.1.0.zip'],
  ['latest', '@latest'],
] as const)(
  'row 27: HEAD of a %s has the headers of GET and no body, cold and warm',
  async (kind, end) => {
    const { path } = stage.freshModule();
    const cold = await stage.ask(`/${path}/${end}`, { method: 'HEAD' });
    const get = await stage.ask(`/${path}/${end}`);
    const warm = await stage.ask(`/${path}/${end}`, { method: 'HEAD' });
    for (const head of [cold, warm]) {
      expect(summary(head)).toMatchObject({ status: 200, ...FILE_HEADERS[kind] });
      expect(head.body.length).toBe(0);
      expect(fixedHeaders(head.headers)).toEqual(fixedHeaders(get.headers));
      expect(head.headers['content-length']).toBe(String(get.body.length));
    }
  },
);

/** Headers that do not differ from one answer to the next. */
function fixedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const volatile = new Set(['x-request-id', 'server-timing', 'cache-status', 'date']);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !volatile.has(name)));
}

it('row 27: HEAD of what does not exist is 404 without a body', async () => {
  const answer = await stage.ask('/example.com/nothing-for-head/@v/list', { method: 'HEAD' });
  expect(summary(answer)).toEqual(failure(404, 1, NEGATIVE));
  expect(answer.body.length).toBe(0);
});

it('row 28: GET and HEAD of / are 200, and nobody is asked', async () => {
  for (const method of ['GET', 'HEAD']) {
    const answer = await stage.ask('/', { method });
    expect(summary(answer)).toEqual({ status: 200, type: TEXT, cache: NO_STORE, asked: 0 });
    expect(answer.text.includes('GOPROXY=')).toBe(method === 'GET');
  }
});

it.each([
  ['bytes=0-99', 0, 100],
  ['bytes=100-', 100, undefined],
  ['bytes=-22', -22, undefined],
  ['bytes=10-99999999', 10, undefined],
])('row 29: %s of a stored zip is 206 with just these bytes', async (range, start, end) => {
  const { target, body } = await storedZip();
  const part = body.subarray(start, end);
  const answer = await stage.ask(target, { headers: { Range: range } });
  expect(summary(answer)).toEqual({ status: 206, type: ZIP, cache: IMMUTABLE, asked: 0 });
  expect(answer.body.equals(part)).toBe(true);
  expect(answer.headers['content-length']).toBe(String(part.length));
  const from = part.byteOffset - body.byteOffset;
  expect(answer.headers['content-range']).toBe(
    `bytes ${from}-${from + part.length - 1}/${body.length}`,
  );
});

it('row 29: a range of a zip that is not stored is the whole zip', async () => {
  const { path } = stage.freshModule();
  const answer = await stage.ask(`/${path}/@v/v1.0.0.zip`, { headers: { Range: 'bytes=0-99' } });
  expect(summary(answer)).toEqual({ status: 200, ...FILE_HEADERS.zip, asked: 1 });
  expect(answer.headers).not.toHaveProperty('content-range');
});

it('row 29: several ranges, a broken one, and one for another copy (If-Range) are the whole zip', async () => {
  const { target, body, etag } = await storedZip();
  for (const headers of [
    { Range: 'bytes=0-1,5-6' },
    { Range: 'bytes=9-2' },
    { Range: 'lines=0-1' },
    { Range: 'bytes=0-1', 'If-Range': '"another"' },
  ]) {
    const answer = await stage.ask(target, { headers });
    expect(summary(answer)).toEqual({ status: 200, ...FILE_HEADERS.zip, asked: 0 });
    expect(answer.body.equals(body)).toBe(true);
  }
  const same = await stage.ask(target, { headers: { Range: 'bytes=0-1', 'If-Range': etag } });
  expect(same.status).toBe(206);
});

it('row 30: a range beyond the end is 416, and nobody keeps that', async () => {
  const { target, body } = await storedZip();
  const answer = await stage.ask(target, { headers: { Range: 'bytes=999999999-' } });
  expect(answer).toMatchObject({ status: 416, asked: 0, text: '' });
  expect(answer.headers['cache-control']).toBe(NO_STORE);
  expect(answer.headers['content-range']).toBe(`bytes */${body.length}`);
});

it.each(['@v/v1.1.0.zip', '@v/v1.1.0.mod', '@v/v1.1.0.info', '@v/list'])(
  'row 31: %s whose etag the client has is 304 without a body, any other 200',
  async (end) => {
    const { path } = stage.freshModule();
    const first = await stage.ask(`/${path}/${end}`);
    const etag = first.headers['etag'] ?? '';
    expect(etag).toMatch(/^"[^"]+"$/);
    for (const candidate of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await stage.ask(`/${path}/${end}`, {
        headers: { 'If-None-Match': candidate },
      });
      expect(answer).toMatchObject({ status: 304, text: '' });
      expect(answer.headers).toMatchObject({
        etag,
        'cache-control': first.headers['cache-control'],
      });
    }
    const other = await stage.ask(`/${path}/${end}`, { headers: { 'If-None-Match': '"other"' } });
    expect(other.status).toBe(200);
    expect(other.body.equals(first.body)).toBe(true);
  },
);

it('row 32: list, info and mod may come compressed, a zip never, and all are the same bytes', async () => {
  const { path, list, versions } = stage.freshModule();
  const { info, mod, zip } = versions['v1.1.0'] ?? {};
  const files = {
    '@v/list': list,
    '@v/v1.1.0.info': info,
    '@v/v1.1.0.mod': mod,
    '@v/v1.1.0.zip': zip,
  };
  for (const [end, body] of Object.entries(files)) {
    // An origin compresses although it was not asked to, and the client may have it compressed.
    const answer = await withFault(stage.origin, 'gzip', () =>
      stage.ask(`/${path}/${end}`, { headers: { 'Accept-Encoding': 'gzip' } }),
    );
    const encoding = answer.headers['content-encoding'];
    expect(answer).toMatchObject({ status: 200, asked: 1 });
    expect(end.endsWith('.zip') ? encoding : undefined).toBeUndefined();
    const decoded = encoding === 'gzip' ? gunzipSync(answer.body) : answer.body;
    expect(decoded.equals(Buffer.from(body as string))).toBe(true);
    expect((await stage.ask(`/${path}/${end}`)).body.equals(decoded)).toBe(true);
  }
});

it('row 33: a redirect to another host is followed inside, and only once', async () => {
  const elsewhere = await startOrigin({ modules: fixtureModules() });
  try {
    const fetched = await withFault(stage.origin, { redirect: elsewhere.url }, () =>
      stage.ask('/example.com/hello/@v/v0.1.0.zip'),
    );
    expect(summary(fetched)).toEqual({ status: 200, ...FILE_HEADERS.zip, asked: 1 });
    expect(fetched.body.equals(versionOf(hello(), 'v0.1.0').zip as Uint8Array)).toBe(true);
    expect(elsewhere.count()).toBe(1);
    expect((await stage.ask('/example.com/hello/@v/v0.1.0.zip')).asked).toBe(0);
    expect(elsewhere.count()).toBe(1);
  } finally {
    await elsewhere.close();
  }
});

it.each(['@v/list', '@v/v1.1.0.info', '@v/v1.1.0.mod', '@v/v1.1.0.zip', '@latest'])(
  'row 35: twenty requests for a cold %s are one request to the origin',
  async (end) => {
    const { path } = stage.freshModule();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => stage.ask(`/${path}/${end}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(stage.origin.count(path)).toBe(1);
  },
);
