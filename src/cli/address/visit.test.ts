import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CHALLENGE } from '../../../test/fakes/cloudflare/edge.ts';
import { obstacleOf } from './obstacle.ts';
import { visit } from './visit.ts';

let server: Server;
let url: string;
let seen: IncomingHttpHeaders;
beforeEach(async () => {
  server = createServer((request, response) => {
    seen = request.headers;
    if (request.url === '/redirect') response.writeHead(302, { location: '/' }).end();
    else if (request.url === '/hang') return;
    else response.end('x'.repeat(1_000_000));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

it('a visit looks like one of a go command', async () => {
  expect(await visit(url)).toMatchObject({ kind: 'answered', status: 200, bytes: 1_000_000 });
  expect(seen['user-agent']).toBe('Go-http-client/2.0');
  expect(seen.authorization).toBeUndefined();
});

it('a visit may have a token', async () => {
  await visit(url, { token: 'mf_1' });
  expect(seen.authorization).toBe('Bearer mf_1');
});

it('a redirect is not followed', async () => {
  expect(await visit(`${url}/redirect`)).toMatchObject({ kind: 'answered', status: 302 });
});

it('a visit without an answer has a reason', async () => {
  expect(await visit(`${url}/hang`, { limitMs: 50 })).toMatchObject({ code: 'TIMEOUT' });
  server.close();
  server.closeAllConnections();
  expect(await visit(url)).toMatchObject({ code: 'ECONNREFUSED' });
});

it('the words about a challenge name every switch in the dashboard', () => {
  const { mayPass, remedy } = obstacleOf(CHALLENGE) ?? { remedy: '', mayPass: true };
  for (const name of ['Bot Fight Mode', "I'm Under Attack!", 'Browser Integrity Check']) {
    expect(remedy).toContain(name);
  }
  expect(mayPass).toBe(false);
});
