import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asInWorkerd, nodeFetch } from './fetch.ts';

describe('the fetch of Node', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/empty') response.writeHead(204).end();
      else response.writeHead(200, { 'Content-Type': 'text/plain' }).end('four');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  });
  afterAll(() => server.close());

  it('gives the rest of a body to a read for more, and then its end', async () => {
    const { body, headers, status } = await nodeFetch(url, {});
    expect([status, headers.get('Content-Type')]).toEqual([200, 'text/plain']);
    const reader = body?.getReader({ mode: 'byob' });
    const first = await reader?.read(new Uint8Array(16), { min: 16 });
    expect([...(first?.value ?? [])]).toEqual([...Buffer.from('four')]);
    expect((await reader?.read(new Uint8Array(16), { min: 16 }))?.done).toBe(true);
  });

  it('leaves an answer without a body as it is', async () => {
    const { body, status } = await nodeFetch(`${url}/empty`, {});
    expect([status, body]).toEqual([204, null]);
  });
});

it('a body that has ended already still gives its last bytes to a read for more', async () => {
  const ended = new ReadableStream({
    type: 'bytes',
    start(controller) {
      controller.enqueue(Uint8Array.of(1, 2));
      controller.close();
    },
  });
  const reader = asInWorkerd(new Response(ended)).body?.getReader({ mode: 'byob' });
  const { value } = (await reader?.read(new Uint8Array(16), { min: 16 })) ?? {};
  expect([...(value ?? [])]).toEqual([1, 2]);
});
