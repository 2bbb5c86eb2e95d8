import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type Modferry, startModferry } from './modferry.ts';

// What Miniflare obeys at its own entrance is closed at the one of the local run.

const MOD = 'example.com/hello/@v/v1.1.0.mod';
let origin: FakeOrigin;
let modferry: Modferry;
beforeAll(async () => {
  origin = await startOrigin({ modules: fixtureModules() });
  const near = JSON.stringify([{ url: origin.url }, { url: `${origin.url}/cn`, regions: ['CN'] }]);
  modferry = await startModferry({ variables: { ORIGINS: near } });
  await (await fetch(`${modferry.url}/${MOD}`)).text(); // stores it
});
afterAll(async () => {
  await modferry.close();
  await origin.close();
});

/** The answer to a request as it is written here, from the status on. */
async function ask(target: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const socket = connect(Number(new URL(modferry.url).port), '127.0.0.1');
  await once(socket, 'connect');
  const lines = Object.entries({ Host: 'localhost', Connection: 'close', ...headers });
  socket.write(
    `GET ${target} HTTP/1.1\r\n${lines.map((line) => line.join(': ')).join('\r\n')}\r\n\r\n`,
  );
  return (await text(socket)).replace(/^HTTP\/1\.1 /, '');
}

it.each([
  `/cdn-cgi/local/r2/public/FILES/${MOD}`,
  `//cdn-cgi/local/r2/public/FILES/${MOD}`,
  `/./cdn-cgi/local/r2/public/FILES/${MOD}`,
  `/x/../cdn-cgi/local/r2/public/FILES/${MOD}`,
  `/cdn-cgi%2Flocal/r2/public/FILES/${MOD}`,
  `/%63dn-cgi/local/r2/public/FILES/${MOD}`,
  `/cdn-cgi\\local/r2/public/FILES/${MOD}`,
  `/CDN-CGI/local/r2/public/FILES/${MOD}`,
  `http://localhost/cdn-cgi/local/r2/public/FILES/${MOD}`,
  '/cdn-cgi/local/r2/s3/FILES',
  '/cdn-cgi/local/explorer',
  '/cdn-cgi/local/explorer/api/r2/buckets',
  '/cdn-cgi/local/scheduled',
  '/cdn-cgi/local/email',
  '/cdn-cgi/local/platform-proxy',
  '/cdn-cgi/mf/scheduled',
])('%s is modferry’s own 404', async (target) => {
  const answer = await ask(target, {});
  expect(answer).toMatch(/^404 /);
  expect(answer).toMatch(/^x-request-id: /im);
  expect(answer).not.toMatch(/^module /m);
});

it.each([
  ['MF-Original-URL', 'http://localhost/healthz'],
  ['MF-Route-Override', 'front'],
  ['MF-Proxy-Shared-Secret', 'x'],
  ['MF-Disable-Pretty-Error', 'x'],
  ['MF-Op', 'GET'],
  ['CF-Worker', 'x'],
  ['X-Forwarded-Proto', 'ftp'],
])('%s changes nothing', async (name, value) => {
  const answer = await ask(`/cached-only/${MOD}`, { [name]: value });
  expect(answer).toMatch(/^200 OK[^]*module example\.com\/hello/);
});

it('MF-CF-Blob puts a request into no region', async () => {
  origin.reset();
  await ask('/example.com/hello/@v/v1.0.0.info', { 'MF-CF-Blob': '{"country":"CN"}' });
  expect(origin.requests.map(({ path }) => path)).toEqual(['/example.com/hello/@v/v1.0.0.info']);
});

it.each(['a/example.com/hello', 'a?b', 'a#b', 'a@b', '[', 'a:99999', 'a:x', 'a,b'])(
  'a Host %s is a bad request, and moves nothing into the path',
  async (Host) => {
    expect(await ask(`/${MOD}`, { Host })).toMatch(/^400 /);
  },
);

it.each(['go.example.com', 'go.example.com:8787', '127.0.0.1:1', '[::1]:8787', 'GO_proxy'])(
  'a Host %s is served',
  async (Host) => {
    expect(await ask(`/${MOD}`, { Host })).toMatch(/^200 /);
  },
);
