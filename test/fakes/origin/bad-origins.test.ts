import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type BadOrigin,
  ORIGIN_FAULTS,
  originFault,
  PASSING_FAULTS,
  startBadOrigin,
} from './bad-origins.ts';
import { filePath } from './module.ts';
import { hello } from './modules.ts';

const INFO = filePath('example.com/hello', 'v1.1.0', 'info');

let origin: BadOrigin | undefined;
afterEach(() => origin?.close());

async function start(name: string): Promise<BadOrigin> {
  origin = await startBadOrigin(originFault(name), { modules: [hello()] });
  return origin;
}

it('every fault has a name of its own', () => {
  const names = ORIGIN_FAULTS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

it.each(PASSING_FAULTS.map(({ name }) => name))(
  'an origin gets over "%s" at the same address',
  async (name) => {
    const { url, mend, break: breakDown, asked } = await start(name);
    for (const _ of ['the first time', 'and again']) {
      await mend();
      const before = asked();
      const response = await fetch(url + INFO);
      expect([response.status, await response.text()]).toEqual([
        200,
        expect.stringContaining('v1.1.0'),
      ]);
      expect(asked()).toBe(before + 1);
      await breakDown();
    }
  },
);

it('what is wrong with an address cannot be mended', async () => {
  for (const { name, recovers } of ORIGIN_FAULTS) {
    if (recovers) continue;
    const { mend, close } = await start(name);
    await expect(mend()).rejects.toThrow(`Cannot mend "${name}"`);
    await close();
  }
  origin = undefined;
});

describe('faults below HTTP', () => {
  it('garbage is no answer to a TLS handshake', async () => {
    const { url, asked } = await start('TLS garbage');
    await expect(fetch(url)).rejects.toMatchObject({
      cause: { code: expect.stringMatching(/^ERR_SSL/) },
    });
    expect(asked()).toBeGreaterThan(0);
  });

  it('a TLS handshake that is never answered stays open', async () => {
    const { url, asked } = await start('TLS handshake never answered');
    const abort = new AbortController();
    const answer = fetch(url, { signal: abort.signal });
    await vi.waitUntil(() => asked() === 1);
    abort.abort();
    await expect(answer).rejects.toThrow('aborted');
  });

  it('where packets are dropped, a connection is neither accepted nor refused', async () => {
    const { url } = await start('packets dropped');
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const events: string[] = [];
    for (const event of ['connect', 'error', 'close']) socket.on(event, () => events.push(event));
    // Another round trip over loopback takes longer than this one would.
    const well = await startBadOrigin(originFault('status 500'), { modules: [] });
    expect((await fetch(well.url)).status).toBe(500);
    await well.close();
    expect([events, socket.connecting]).toEqual([[], true]);
    socket.destroy();
  });

  it('the name resolves nowhere', async () => {
    const { url } = await start('name that does not resolve');
    await expect(lookup(new URL(url).hostname)).rejects.toMatchObject({
      code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
    });
  });
});
