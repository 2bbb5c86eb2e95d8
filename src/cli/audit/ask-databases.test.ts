import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../config/config.ts';
import { success } from '../../effects/result.ts';
import { remoteReader } from '../../sumdb/log/remote-reader.ts';
import { askDatabases } from './ask-databases.ts';

const KEY = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';

describe('an audit that asks databases', () => {
  let server: Server;
  let status = 200;
  beforeEach(async () => {
    server = createServer((request, response) => {
      if (request.url === '/hang') return;
      response.writeHead(status).end('x'.repeat(100_000));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  function readerOf(stopped: AbortSignal) {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const config = parseConfig({ SUMDBS: `${KEY} http://127.0.0.1:${port}` });
    const [database] = config.ok ? config.value.databases : [];
    if (!config.ok || !database) throw new Error('no database');
    return remoteReader(database, askDatabases(config.value, stopped));
  }

  const question = { limitBytes: 1e6, accept: async ({ length }: Uint8Array) => success(length) };

  it.each([
    [200, { kind: 'accepted', value: 100_000 }],
    [404, { kind: 'missing' }],
    [400, { kind: 'failed' }],
  ])('takes status %i as the proxy does', async (given, expected) => {
    status = given;
    const read = readerOf(new AbortController().signal);
    expect(await read('lookup/x', question)).toMatchObject(expected);
  });

  it('ends its requests when it is stopped', async () => {
    const stopped = new AbortController();
    const answer = readerOf(stopped.signal)('hang', question);
    await once(server, 'request');
    stopped.abort();
    expect(await answer).toMatchObject({ kind: 'failed' });
  });
});
