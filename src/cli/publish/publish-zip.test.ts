import { createServer, type Server } from 'node:http';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { moduleZip } from '../../../test/fakes/zip/module-zip.ts';
import { parseAddress, parseVersionName } from './parse-publish.ts';
import { publishZip } from './publish-zip.ts';

const TOOL = 'corp.example/Tool';
const ZIP = moduleZip(TOOL, 'v1.0.0-RC1');
const HTML = '<html><head><title>413 Request Entity Too Large</title></head></html>';

let directory: string;
let file: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modferry-publish-'));
  file = join(directory, 'tool.zip');
  await writeFile(file, ZIP);
});
afterAll(() => rm(directory, { recursive: true }));

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

interface Seen {
  readonly request: string;
  readonly authorization: string | undefined;
  readonly length: string | undefined;
  readonly body: Buffer;
}

/** A server that gives one answer. */
async function answering(status: number, text: string, headers: Record<string, string> = {}) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { authorization, 'content-length': length } = request.headers;
      const body = Buffer.concat(chunks);
      seen.push({ request: `${request.method} ${request.url}`, authorization, length, body });
      response.writeHead(status, headers).end(text);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { seen, address: `http://127.0.0.1:${port}` };
}

function publish(address: string, name = `${TOOL}@v1.0.0-RC1`, path = file) {
  const version = parseVersionName(name);
  if (!version.ok) throw new Error(version.reason);
  const options = { token: 'a-token-of-ci-0123', tokenVariable: 'CI_TOKEN' };
  return publishZip({ file: path, version: version.value, address, ...options });
}

describe('publishZip', () => {
  it('sends the zip to its escaped path, with the token as bearer', async () => {
    const { address, seen } = await answering(201, '{}');
    expect(await publish(address)).toEqual({
      ok: true,
      value: expect.stringMatching(/^Published corp.example\/Tool@v1.0.0-RC1 \(h1:.*\)$/),
    });
    expect(seen).toEqual([
      {
        request: 'PUT /-/api/modules/corp.example/!tool/@v/v1.0.0-!r!c1.zip',
        authorization: 'Bearer a-token-of-ci-0123',
        length: String(ZIP.length),
        body: Buffer.from(ZIP),
      },
    ]);
  });

  it('tells that the same bytes were there', async () => {
    const { address } = await answering(200, '{}');
    expect(await publish(address)).toMatchObject({
      value: expect.stringMatching(/was there already/),
    });
  });

  it.each<readonly [number, string, RegExp]>([
    [401, '{"error":"unauthorized: unknown"}', /unauthorized: unknown.*CI_TOKEN.*scope publish/],
    [403, '{"error":"forbidden: this needs publish"}', /: forbidden: this needs publish$/],
    [409, '{"error":"it is there with other bytes"}', /: it is there with other bytes$/],
    [413, '{"error":"a module zip has at most 524288000 bytes"}', /at most 524288000 bytes$/],
    [413, HTML, /the platform refused a body of \d+ bytes.*100 MB on the Free and Pro plans/],
    [422, '{"error":"is not private here"}', /is not private here$/],
    [404, 'not found', /status 404, and not in the words of modferry/],
    [301, '', /a redirect, which no token follows/],
    [503, String.raw`{"error":"\u001b[2J"}`, /: \uFFFD\[2J$/],
  ])('explains %i %s', async (status, text, expected) => {
    const { address } = await answering(status, text, { Location: 'https://elsewhere.example/' });
    const published = await publish(address);
    expect(published).toEqual({ ok: false, reason: expect.stringMatching(expected) });
  });

  it('explains a connection that fails', async () => {
    const published = await publish('http://127.0.0.1:9');
    expect(published).toEqual({ ok: false, reason: expect.stringMatching(/^Cannot publish corp/) });
  });

  it.each<readonly [string, string, RegExp]>([
    ['of another version', `${TOOL}@v1.0.1`, /outside of corp.example\/Tool@v1.0.1/],
    ['of another module', 'corp.example/tool@v1.0.0-RC1', /outside of corp.example\/tool@/],
  ])('sends nothing of a zip %s', async (_name, name, expected) => {
    const { address, seen } = await answering(201, '{}');
    expect(await publish(address, name)).toEqual({
      ok: false,
      reason: expect.stringMatching(expected),
    });
    expect(seen).toEqual([]);
  });

  it("sends nothing of a file over Go's limit, and of none", async () => {
    const { address, seen } = await answering(201, '{}');
    const huge = join(directory, 'huge.zip');
    await writeFile(huge, '');
    await truncate(huge, 500 * 1024 * 1024 + 1);
    expect(await publish(address, undefined, huge)).toMatchObject({
      reason: expect.stringMatching(/at most 524288000/),
    });
    expect(await publish(address, undefined, join(directory, 'none.zip'))).toMatchObject({
      reason: expect.stringMatching(/ENOENT/),
    });
    expect(seen).toEqual([]);
  });
});

describe('the command line', () => {
  it.each([
    ['corp.example/tool', 'write <module>@v1.2.3'],
    ['corp.example/tool@main', 'write <module>@v1.2.3'],
    ['corp.example/tool@v2.0.0', 'does not fit'],
    ['corp example@v1.0.0', 'Cannot publish: '],
  ])('refuses the version %s', (name, why) => {
    expect(parseVersionName(name)).toEqual({ ok: false, reason: expect.stringContaining(why) });
  });

  it.each([
    [undefined, 'MODFERRY_URL'],
    ['go.example.com', 'write an address'],
    ['ftp://go.example.com', 'write an address'],
    ['http://go.example.com', 'use https'],
    ['https://me:secret@go.example.com', 'write https://go.example.com alone'],
    ['https://go.example.com/x', 'write https://go.example.com alone'],
  ])('refuses the address %s', (address, why) => {
    const parsed = parseAddress(address);
    expect(parsed).toEqual({ ok: false, reason: expect.stringContaining(why) });
    expect(JSON.stringify(parsed)).not.toContain('secret');
  });

  it.each(['https://go.example.com', 'http://127.0.0.1:8787', 'http://localhost:8787'])(
    'takes the address %s',
    (address) => {
      expect(parseAddress(address)).toEqual({ ok: true, value: address });
    },
  );
});
