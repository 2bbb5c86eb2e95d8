import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readZip } from '../zip/dirhash.ts';
import type { Fault } from './faults.ts';
import { filePath, makeModule, makeVersion, versionOf } from './module.ts';
import { azureThing, dep, fixtureModules, hello } from './modules.ts';
import { type FakeOrigin, startOrigin } from './origin.ts';
import { bigZip } from '../zip/zip-writer.ts';
import { eventually } from '../../eventually.ts';

const INFO = filePath('example.com/hello', 'v1.1.0', 'info');
const ZIP = filePath('example.com/hello', 'v1.1.0', 'zip');
const files = versionOf(hello(), 'v1.1.0');

let origin: FakeOrigin;
let other: FakeOrigin;
beforeAll(async () => {
  origin = await startOrigin({ modules: fixtureModules() });
  other = await startOrigin({ modules: [hello()] });
});
beforeEach(() => {
  origin.reset();
  other.reset();
});
afterAll(async () => {
  await origin.close();
  await other.close();
});

const get = (path: string, init: RequestInit = {}) => fetch(origin.url + path, init);

describe('the catalogue', () => {
  it.each([
    ['/example.com/hello/@v/list', 200, 'v0.1.0\nv1.0.0\nv1.1.0\nv1.2.0-rc.1\n'],
    [INFO, 200, files.info],
    ['/example.com/hello/@latest', 200, files.info],
    [`/cached-only${INFO}`, 200, files.info],
    ['/example.com/pseudo/@v/list', 200, ''],
    ['/example.com/legacy/@v/v3.0.0%2Bincompatible.mod', 200, 'module example.com/legacy\n'],
    ['/github.com/%21azure/!thing/@v/list', 200, 'v1.0.0\nv1.0.1-RC1\n'],
    [
      '/github.com/Azure/Thing/@v/list',
      404,
      'bad request: invalid escaped module path "github.com/Azure/Thing"',
    ],
    ['/example.com/@v/list', 404, 'not found: module example.com: no matching versions'],
  ])('answers %s with %i', async (path, status, body) => {
    const response = await get(path);
    expect([response.status, await response.text()]).toEqual([status, body]);
  });

  it('keeps upper case inside a zip', async () => {
    const zip = versionOf(azureThing(), 'v1.0.1-RC1').zip;
    const names = readZip(zip instanceof Uint8Array ? zip : Buffer.alloc(0)).map(
      ({ name }) => name,
    );
    expect(names).toEqual([
      'github.com/Azure/Thing@v1.0.1-RC1/go.mod',
      'github.com/Azure/Thing@v1.0.1-RC1/thing.go',
    ]);
  });

  it('answers HEAD, If-None-Match and a range as the whole file would allow', async () => {
    const whole = await get(ZIP);
    const bytes = await whole.bytes();
    const head = await get(ZIP, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(bytes.byteLength));
    const fresh = await get(ZIP, { headers: { 'if-none-match': whole.headers.get('etag') ?? '' } });
    expect(fresh.status).toBe(304);
    const part = await get(ZIP, { headers: { range: 'bytes=10-19' } });
    expect(part.headers.get('content-range')).toBe(`bytes 10-19/${bytes.byteLength}`);
    expect(await part.bytes()).toEqual(bytes.slice(10, 20));
    expect((await get(ZIP, { headers: { range: 'bytes=99999999-' } })).status).toBe(416);
  });

  it('counts requests by raw target and by decoded path', async () => {
    await get('/github.com/%21azure/%21thing/@v/list?x=1');
    expect(origin.count('%21azure')).toBe(1);
    expect(origin.count(/!azure.*list$/)).toBe(1);
    expect(origin.count('hello')).toBe(0);
    expect(origin.requests[0]?.method).toBe('GET');
  });

  it('serves what is added, set and removed, until it is reset', async () => {
    origin.set(INFO, { status: 418, headers: { 'x-tea': 'yes' }, body: 'tea' });
    origin.remove(ZIP);
    expect((await get(INFO)).headers.get('x-tea')).toBe('yes');
    expect((await get(ZIP)).status).toBe(404);
    origin.reset();
    expect((await get(INFO)).status).toBe(200);
    origin.add(
      makeModule('example.com/new', { 'v1.0.0': makeVersion('example.com/new', 'v1.0.0', {}) }),
    );
    expect(await (await get('/example.com/new/@v/list')).text()).toBe('v1.0.0\n');
  });

  it('streams a large zip with its length', async () => {
    const zip = bigZip('example.com/big@v1.0.0/', 20_000_000);
    origin.add(makeModule('example.com/big', { 'v1.0.0': { info: '{}', mod: zip.mod, zip } }));
    const response = await get('/example.com/big/@v/v1.0.0.zip');
    expect(response.headers.get('content-length')).toBe('20000000');
    expect((await response.bytes()).byteLength).toBe(20_000_000);
  });

  it('serves below a prefix and nothing beside it', async () => {
    const prefixed = await startOrigin({ modules: [dep()], prefix: '/goproxy' });
    expect((await fetch(`${prefixed.url}/example.com/dep/@v/list`)).status).toBe(200);
    expect((await fetch(prefixed.url.replace('/goproxy', '/example.com/dep/@v/list'))).status).toBe(
      404,
    );
    await prefixed.close();
  });
});

describe('a stopped origin', () => {
  it('refuses connections and answers again on the same port', async () => {
    await origin.stop();
    await expect(get(INFO)).rejects.toThrow('fetch failed');
    await origin.restart();
    expect((await get(INFO)).status).toBe(200);
  });
});

describe('faults that answer', () => {
  it('apply to matching requests only, and as often as told', async () => {
    origin.fault(503, { match: '.info', times: 2 });
    const statuses = [];
    for (const path of [INFO, ZIP, INFO, INFO]) statuses.push((await get(path)).status);
    expect(statuses).toEqual([503, 200, 503, 200]);
  });

  it('send a status with headers and text', async () => {
    origin.fault({ status: 429, headers: { 'retry-after': '7' }, text: 'slow down' });
    const response = await get(INFO);
    expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([
      429,
      '7',
      'slow down',
    ]);
  });

  it('redirect to a place with the real body, here or on another server', async () => {
    for (const fault of ['redirect', { redirect: other.url }] satisfies Fault[]) {
      origin.fault(fault);
      const first = await get(ZIP, { redirect: 'manual' });
      expect(first.status).toBe(302);
      expect(await (await get(ZIP)).bytes()).toEqual(new Uint8Array(Buffer.from(zipBytes())));
    }
    expect(other.count(ZIP)).toBe(1);
  });

  it('redirect without end', async () => {
    origin.fault('redirect-loop');
    await expect(get(INFO)).rejects.toMatchObject({
      cause: { message: 'redirect count exceeded' },
    });
  });

  it.each([
    ['html', INFO, '<!DOCTYPE html>'],
    ['wrong-version', INFO, '"Version":"v9.9.9"'],
    ['empty-time', INFO, '"Time":""'],
    ['tampered', filePath('example.com/hello', 'v1.1.0', 'mod'), '// tampered'],
  ] satisfies [Fault, string, string][])('%s changes the body of %s', async (fault, path, text) => {
    origin.fault(fault);
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain(text);
  });

  it('gzip encodes the body', async () => {
    origin.fault('gzip');
    const response = await get(INFO);
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.text()).toBe(files.info);
    expect(() => gunzipSync(zipBytes())).toThrow('incorrect header');
  });

  it('not-a-zip keeps type and length', async () => {
    origin.fault('not-a-zip');
    const response = await get(ZIP);
    const bytes = await response.bytes();
    expect([response.headers.get('content-type'), bytes.byteLength]).toEqual([
      'application/zip',
      zipBytes().byteLength,
    ]);
    expect(() => readZip(bytes)).toThrow('no end record');
  });

  it('outside-prefix and tampered make zips that open', async () => {
    origin.fault('outside-prefix');
    const outside = readZip(await (await get(ZIP)).bytes()).map(({ name }) => name);
    expect(outside.filter((name) => !name.startsWith('example.com/hello@v1.1.0/'))).toEqual([
      'elsewhere.example@v1.0.0/evil.go',
    ]);
    origin.fault('tampered');
    const tampered = readZip(await (await get(ZIP)).bytes());
    expect(tampered.map(({ name }) => name)).toEqual(readZip(zipBytes()).map(({ name }) => name));
    expect(tampered).not.toEqual(readZip(zipBytes()));
  });
});

describe('faults of the delivery', () => {
  it('hang never answers', async () => {
    origin.fault('hang');
    const abort = new AbortController();
    const answer = get(INFO, { signal: abort.signal });
    await eventually(() => expect(origin.requests[0]?.state).toBe('open'));
    abort.abort();
    await expect(answer).rejects.toThrow('aborted');
    await eventually(() => expect(origin.requests[0]?.state).toBe('broken'));
  });

  it('reset breaks off before the answer', async () => {
    origin.fault('reset');
    await expect(get(INFO)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
  });

  it('truncate breaks off after half of the promised bytes', async () => {
    origin.fault('truncate');
    const response = await get(ZIP);
    expect(response.headers.get('content-length')).toBe(String(zipBytes().byteLength));
    const read = await readUntilError(response);
    expect(read).toEqual({ bytes: Math.floor(zipBytes().byteLength / 2), broken: true });
  });

  it('freeze-after sends so many bytes and no more', async () => {
    origin.fault({ 'freeze-after': 100 });
    const abort = new AbortController();
    const response = await get(ZIP, { signal: abort.signal });
    const reader = response.body?.getReader();
    expect((await reader?.read())?.value?.byteLength).toBe(100);
    expect(origin.requests[0]?.state).toBe('open');
    abort.abort();
    await eventually(() => expect(origin.requests[0]?.state).toBe('broken'));
  });

  it('delay-headers and drip send everything in the end', async () => {
    origin.fault({ 'delay-headers': 20 }, { match: '.info' });
    origin.fault({ drip: { bytesPerSecond: 4_000 } }, { match: '.zip' });
    expect(await (await get(INFO)).text()).toBe(files.info);
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await get(ZIP)).body ?? []) chunks.push(chunk);
    expect(chunks.length).toBeGreaterThan(1);
    expect(Buffer.concat(chunks)).toEqual(Buffer.from(zipBytes()));
  });

  it('no-length sends the body in chunks without a length', async () => {
    origin.fault('no-length');
    const response = await get(ZIP);
    expect(response.headers.get('content-length')).toBeNull();
    expect((await response.bytes()).byteLength).toBe(zipBytes().byteLength);
  });
});

function zipBytes(): Uint8Array {
  return files.zip instanceof Uint8Array ? files.zip : Buffer.alloc(0);
}

async function readUntilError(response: Response): Promise<{ bytes: number; broken: boolean }> {
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) bytes += chunk.byteLength;
    return { bytes, broken: false };
  } catch {
    return { bytes, broken: true };
  }
}
