import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectPlain, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTls, type TlsEntrance } from '../../src/cli/local/tls.ts';
import { rawRequest } from '../conformance/raw-request.ts';
import { eventually } from '../eventually.ts';
import { type CertificateFiles, makeCertificate } from '../fakes/certificate.ts';
import { makeModule } from '../fakes/origin/module.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { tokenOf } from '../fakes/tokens.ts';
import { bigZip } from '../fakes/zip/zip-writer.ts';
import { type Modferry, startModferry } from './modferry.ts';

const MOD = '/example.com/hello/@v/v1.1.0.mod';
const HOST = '127.0.0.1';

let directory: string;
let certificate: CertificateFiles;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modferry-tls-'));
  certificate = await makeCertificate(directory);
});
afterAll(() => rm(directory, { recursive: true }));

async function connectTo(port: number, below = connectPlain(port, HOST)): Promise<TLSSocket> {
  const { cert: ca } = certificate;
  const socket = connect({ socket: below, ca, ALPNProtocols: ['h2', 'http/1.1'] });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

describe('modferry with a certificate', () => {
  let origin: FakeOrigin;
  let modferry: Modferry;
  const port = () => Number(new URL(modferry.url).port);
  beforeAll(async () => {
    origin = await startOrigin({ modules: fixtureModules() });
    modferry = await startModferry({ certificate, variables: { ORIGINS: origin.url } });
  });
  afterAll(async () => {
    await modferry.close();
    await origin.close();
  });

  const ask = (target: string, headers: Readonly<Record<string, string>> = {}) =>
    rawRequest(modferry.url, target, { headers, ca: certificate.cert });

  it('serves https, and only https', async () => {
    expect(modferry.url).toMatch(/^https:/);
    expect(await ask('/healthz')).toMatchObject({ status: 200, broken: false });
    const plain = modferry.url.replace('https:', 'http:');
    await expect(rawRequest(plain, '/healthz')).rejects.toThrow(/hang up|ECONNRESET/);
    expect((await ask('/healthz')).status).toBe(200);
  });

  it.each(['go.example.com', 'go.example.com:8443', 'localhost'])(
    'sees the Host %s as the client sent it, below https',
    async (Host) => {
      const home = await ask('/', { Host });
      expect(home.body.toString()).toContain(`GOPROXY=https://${Host}\n`);
    },
  );

  it('takes a token with any Host, as nobody reads along', async () => {
    const Authorization = `Bearer ${tokenOf('admin')}`;
    const headers = { Host: 'go.example.com', Authorization };
    expect((await ask(MOD, headers)).status).toBe(200);
    expect((await ask(MOD, { ...headers, 'X-Forwarded-Proto': 'http' })).status).toBe(200);
  });

  it('answers requests one after the other on one connection', async () => {
    const socket = await connectTo(port());
    const request = `GET ${MOD} HTTP/1.1\r\nHost: localhost\r\n`;
    socket.write(`${request}\r\n${request}\r\n${request}Connection: close\r\n\r\n`);
    expect((await text(socket)).match(/^HTTP\/1\.1 200 /gm)).toHaveLength(3);
    expect(socket.alpnProtocol).toBe('http/1.1');
  });

  it('answers a client that has closed its side', async () => {
    const socket = await connectTo(port());
    socket.end(`GET ${MOD} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 [^]*module example\.com\/hello/);
  });

  it('goes on after clients that leave: before a request, in it, and in a large answer', async () => {
    const zip = bigZip('big.example/m@v1.0.0/', 30_000_000);
    origin.add(makeModule('big.example/m', { 'v1.0.0': { info: '{}', mod: zip.mod, zip } }));
    const file = '/big.example/m/@v/v1.0.0.zip';
    for (const words of ['', 'GET / HT', `GET ${file} HTTP/1.1\r\nHost: localhost\r\n\r\n`]) {
      for (const leave of ['destroy', 'resetAndDestroy'] as const) {
        const below = connectPlain(port(), HOST);
        const socket = await connectTo(port(), below);
        socket.write(words);
        if (words.endsWith('\n')) await once(socket, 'data');
        below[leave]();
      }
    }
    const early = connectPlain(port(), HOST);
    await once(early, 'connect');
    early.resetAndDestroy();
    const { body, broken, status } = await ask(file);
    expect({ status, broken, size: body.length }).toEqual({
      status: 200,
      broken: false,
      size: zip.size,
    });
  });
});

describe('without a certificate', () => {
  let modferry: Modferry;
  beforeAll(async () => {
    modferry = await startModferry({ variables: {} });
  });
  afterAll(() => modferry.close());

  it.each([
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Ssl', 'on'],
    ['Forwarded', 'proto=https'],
    ['CF-Visitor', '{"scheme":"https"}'],
    ['MF-Original-URL', 'https://go.example.com/'],
    ['MF-CF-Blob', '{"tlsVersion":"TLSv1.3"}'],
    ['Upgrade-Insecure-Requests', '1'],
  ])('a header %s makes no http request a secure one', async (name, value) => {
    const headers = {
      Host: 'go.example.com',
      Authorization: `Bearer ${tokenOf('admin')}`,
      [name]: value,
    };
    const { body, status } = await rawRequest(modferry.url, '/', { headers });
    expect({ status, text: body.toString() }).toEqual({
      status: 403,
      text: expect.stringContaining('use https'),
    });
  });

  it('a target with another scheme makes none either', async () => {
    const headers = { Host: 'go.example.com', Authorization: `Bearer ${tokenOf('admin')}` };
    const target = 'https://go.example.com/';
    expect((await rawRequest(modferry.url, target, { headers })).status).toBe(403);
  });
});

// A server in place of workerd, which does what workerd rarely does.
describe('the https entrance', () => {
  let worker: Server;
  let target: number;
  let entrance: TlsEntrance;
  let served: (socket: Socket) => void;
  const ends = new Set<Socket>();
  const connections = () =>
    new Promise((resolve) => worker.getConnections((_, count) => resolve(count)));
  beforeAll(async () => {
    worker = createServer({ allowHalfOpen: true }, (socket) => {
      ends.add(socket);
      socket.on('error', () => undefined);
      served(socket);
    });
    worker.listen(0, HOST);
    await once(worker, 'listening');
    const address = worker.address();
    target = typeof address === 'object' && address !== null ? address.port : 0;
    entrance = await openTls({ ...certificate, host: HOST, port: 0, target });
  });
  afterAll(async () => {
    await entrance.close();
    for (const socket of ends) socket.destroy();
    worker.close();
  });

  it('leaves no connection behind when the client goes', async () => {
    for (const leave of ['destroy', 'resetAndDestroy'] as const) {
      served = (socket) => socket.resume().once('end', () => socket.end());
      const below = connectPlain(entrance.port, HOST);
      const client = await connectTo(entrance.port, below);
      client.write('x');
      await eventually(async () => expect(await connections()).toBe(1));
      below[leave]();
      await eventually(async () => expect(await connections()).toBe(0));
    }
  });

  it('breaks a client off when the Worker’s side breaks', async () => {
    served = (socket) => socket.write('half', () => socket.resetAndDestroy());
    const client = await connectTo(entrance.port);
    client.write('x');
    client.resume();
    await once(client, 'close');
    expect(client.destroyed).toBe(true);
  });

  it('gives a client the whole answer and takes the rest of what it sends, without an error', async () => {
    served = (socket) => socket.once('data', () => socket.end('the answer').pause());
    const client = await connectTo(entrance.port);
    client.end(Buffer.alloc(50_000_000));
    const [answer] = await once(client, 'data');
    expect(String(answer)).toBe('the answer');
    // As workerd does it: with what is not read any more comes a reset.
    for (const socket of ends) socket.resetAndDestroy();
    await finished(client.resume());
  });

  it('keeps no client that has its answer and never closes', async () => {
    served = (socket) => socket.resume().end('the answer');
    const options = { ...certificate, host: HOST, port: 0, target, lingerMs: 20 };
    const impatient = await openTls(options);
    const below = connectPlain({ host: HOST, port: impatient.port, allowHalfOpen: true });
    const client = await connectTo(impatient.port, below);
    await once(client, 'data');
    await eventually(async () => expect(await connections()).toBe(0), 5_000);
    client.destroy();
    await impatient.close();
  });

  it('reads from the Worker no faster than the client does', async () => {
    let pulled = 0;
    function* pieces() {
      for (; pulled < 1024; pulled++) yield Buffer.alloc(64 * 1024);
    }
    served = (socket) => Readable.from(pieces()).pipe(socket);
    const client = await connectTo(entrance.port);
    client.write('x');
    client.pause();
    // What the sockets and the buffers between take is far less.
    let before = 0;
    await eventually(() => {
      const isStill = pulled === before && pulled > 0;
      before = pulled;
      if (!isStill) throw new Error('It still flows');
    });
    expect(pulled).toBeLessThan(512);
    client.destroy();
  });

  it('closes with connections open, also with one that never said a word of TLS', async () => {
    served = (socket) => socket.resume();
    const other = await openTls({ ...certificate, host: HOST, port: 0, target: entrance.port });
    const silent = connectPlain(other.port, HOST);
    await once(silent, 'connect');
    await connectTo(other.port);
    silent.on('error', () => undefined);
    expect(await other.close()).toBeUndefined();
  });
});
