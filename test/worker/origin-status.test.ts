import { as } from '../fakes/tokens.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JSON_TYPE, NO_STORE, TEXT } from '../conformance/headers.ts';
import { makeModule, makeVersion } from '../fakes/origin/module.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { noise } from '../fakes/zip/zip-writer.ts';
import { entryAddress } from '../../src/platform/cloudflare/data-centre.ts';
import { type Modferry, type ModferryOptions, startModferry } from './modferry.ts';
import { rawRequest } from '../conformance/raw-request.ts';
import { fetchOrigins } from './origin-report.ts';
import { eventually } from '../eventually.ts';

// The scheduled probe, and what `/readyz` and `/-/api/origins` report of it.

const TEXT_MODULE = 'golang.org/x/text';
const WELL_KNOWN = makeModule(TEXT_MODULE, {
  'v0.3.0': makeVersion(TEXT_MODULE, 'v0.3.0', {
    'go.mod': `module ${TEXT_MODULE}\n`,
    'data.bin': noise(300_000),
  }),
});
const LIMITS = { TIMEOUT_HEADERS: '300ms', TIMEOUT_STALL: '300ms', TIMEOUT_TOTAL: '1s' };

let a: FakeOrigin;
let b: FakeOrigin;
let modferry: Modferry;
let hasKV: boolean;
beforeEach(async () => {
  a = await startOrigin({ modules: [WELL_KNOWN], prefix: '/t/SECRET-TOKEN' });
  b = await startOrigin({ modules: [WELL_KNOWN] });
});
afterEach(async () => {
  await modferry.close();
  await a.close();
  await b.close();
});

async function start(options: Partial<ModferryOptions> = {}): Promise<void> {
  const ORIGINS = JSON.stringify([
    { name: 'a', url: a.url.replace('http://', 'http://user:hunter2@'), regions: ['DE'] },
    { name: 'b', url: b.url, auth: 'B_TOKEN' },
    { name: 'corp', url: a.url, modules: 'git.corp.example' },
  ]);
  const variables = { ...LIMITS, ORIGINS, B_TOKEN: 'b3arer', ...options.variables };
  hasKV = !options.without?.includes('META');
  modferry = await startModferry({ ...options, variables });
}

/** A round of so many hours ago, as it is stored. */
function roundBefore(hours: number): object {
  const at = Date.now() - hours * 3_600_000;
  return { at, results: [{ id: 'a', at, small: { isUp: true, verdict: 'ok', bytes: 1 } }] };
}

/** Runs the cron as if its last run were long ago. */
async function probe(): Promise<void> {
  const { miniflare } = modferry;
  if (hasKV) await (await miniflare.getKVNamespace('META')).delete('-/cron');
  else await (await miniflare.getCaches()).default.delete(entryAddress('127.0.0.1', '-/cron'));
  const worker = await miniflare.getWorker();
  expect(await worker.scheduled({ cron: '*/15 * * * *' })).toMatchObject({ outcome: 'ok' });
}

const ready = async (method = 'GET') => {
  const { body, ...rest } = await rawRequest(modferry.url, '/readyz', { method });
  return { ...rest, text: body.toString() };
};

describe('/readyz', () => {
  it('is 200 before the first probe, as text that may not be stored, and HEAD is the same without a body', async () => {
    await start();
    const get = await ready();
    expect(get).toMatchObject({
      status: 200,
      text: expect.stringMatching(
        /^ready\na: not probed, breaker closed\nb: not probed, breaker closed\nprobe: has not run yet\nlog heads: has not run yet\ntakedown check: has not run yet\nstore check: has not run yet\nedge cache: works, written in \d+ ms, read in \d+ ms\n$/,
      ),
    });
    const head = await ready('HEAD');
    expect(head).toMatchObject({ status: 200, text: '' });
    for (const { headers } of [get, head]) {
      expect(headers).toMatchObject({
        'content-type': TEXT,
        'cache-control': NO_STORE,
        'cache-status': 'modferry; detail=local',
        'content-length': expect.stringMatching(/^\d+$/), // it has times, which differ
      });
    }
    expect((await ready('POST')).status).toBe(405);
  });

  it('is 200 while one origin answers, 503 when none does, and 200 again after the outage', async () => {
    await start();
    a.fault('hang');
    await probe();
    expect(await ready()).toMatchObject({
      status: 200,
      text: expect.stringMatching(
        /^ready\na: no answer within 0\.3 s, probed 0 min ago, .*\nb: ok, probed/,
      ),
    });
    b.fault(500);
    await probe();
    const none = await ready();
    expect(none).toMatchObject({
      status: 503,
      text: expect.stringContaining('b: status 500, probed'),
    });
    expect(none.headers).toMatchObject({ 'content-type': TEXT, 'cache-control': NO_STORE });
    expect(await ready('HEAD')).toMatchObject({ status: 503, text: '' });
    b.reset();
    await probe();
    expect((await ready()).status).toBe(200);
  });

  it('is 503 from the first request on when the last probe before a restart failed', async () => {
    await start();
    for (const server of [a, b]) server.fault('reset');
    await probe();
    await modferry.stop();
    const { stateDirectory } = modferry;
    await start({ stateDirectory });
    expect((await ready()).status).toBe(503);
  });
});

describe('the probe', () => {
  it('fetches two files, and writes one line of the log with the result', async () => {
    await start();
    a.fault({ 'freeze-after': 16_384 }, { match: '.zip' });
    await probe();
    for (const server of [a, b]) {
      expect(server.requests.map(({ path }) => path.replace(/^\/t\/SECRET-TOKEN/, ''))).toEqual([
        '/golang.org/x/text/@v/v0.3.0.mod',
        '/golang.org/x/text/@v/v0.3.0.zip',
      ]);
    }
    await eventually(() =>
      expect(modferry.log.filter(({ event }) => event === 'probe').length).toBe(2),
    );
    expect(modferry.log.filter(({ event }) => event === 'probe')).toMatchObject([
      { origin: 'a', verdict: 'ok', large: 'no answer within 0.3 s' },
      { origin: 'b', verdict: 'ok', large: 'ok', bytes: 131_072 },
    ]);
    expect((await ready()).text).toContain('a: ok, large file no answer within 0.3 s, probed');
  });

  it.each([[[]], [['META', 'FILES'] as const]])(
    'adds to a history of a day when the bindings %j are absent',
    async (without) => {
      await start({ without });
      for (let round = 1; round <= 3; round++) {
        await probe();
        const { origins } = await fetchOrigins(modferry);
        expect(origins.map(({ history }) => history.length)).toEqual([round, round, 0]);
      }
    },
  );

  it('removes rounds that are older than a day', async () => {
    await start();
    const namespace = await modferry.miniflare.getKVNamespace('META');
    const text = JSON.stringify({ version: 1, rounds: [30, 25, 23, 1].map(roundBefore) });
    await namespace.put('-/probes', text, { metadata: { until: Date.now() + 3_600_000 } });
    await probe();
    expect((await fetchOrigins(modferry)).origins[0]?.history.length).toBe(3);
    const kept = JSON.parse((await namespace.get('-/probes', 'text')) ?? '') as {
      rounds: unknown[];
    };
    expect(kept.rounds.length).toBe(3);
  });

  it('opens a breaker after three failures, also in an isolate that reads them from KV', async () => {
    await start();
    a.fault('reset');
    for (let round = 0; round < 3; round++) await probe();
    const { stateDirectory } = modferry;
    await modferry.miniflare.purgeCache();
    await modferry.stop();
    await start({ stateDirectory });
    await eventually(async () => {
      const { origins } = await fetchOrigins(modferry);
      expect(origins[0]).toMatchObject({ breakers: { reach: { state: 'open' } } });
    });
  });
});

describe('/-/api/origins', () => {
  it('is JSON that may not be stored, with GET and HEAD', async () => {
    await start();
    for (const method of ['GET', 'HEAD']) {
      const { body, headers, status } = await rawRequest(modferry.url, '/-/api/origins', {
        method,
        headers: as('read'),
      });
      expect({ status, hasBody: body.length > 0 }).toEqual({
        status: 200,
        hasBody: method === 'GET',
      });
      expect(headers).toMatchObject({ 'content-type': JSON_TYPE, 'cache-control': NO_STORE });
    }
    expect((await rawRequest(modferry.url, '/-/api/other', { headers: as('admin') })).status).toBe(
      404,
    );
  });

  it('reports what probes and requests found', async () => {
    await start();
    a.fault(500);
    await probe();
    await (await fetch(`${modferry.url}/golang.org/x/text/@v/list`)).arrayBuffer();
    const { origins } = await fetchOrigins(modferry);
    expect(origins).toMatchObject([
      { name: 'a', kind: 'modules', regions: ['DE'], probe: { small: { verdict: 'status 500' } } },
      { name: 'b', kind: 'modules', probe: { small: { verdict: 'ok' }, large: { verdict: 'ok' } } },
      { name: 'corp', kind: 'modules', only: true },
    ]);
    expect(origins[0]?.counters['failed']).toBeGreaterThan(0);
  });

  it('contains no address, credential or pattern, and neither does anything that modferry stores or logs', async () => {
    await start();
    for (const server of [a, b]) server.fault('reset');
    for (let round = 0; round < 3; round++) await probe();
    const secret = /SECRET-TOKEN|hunter2|b3arer|Basic|Bearer|127\.0\.0\.1|corp\.example/;
    const report = await fetchOrigins(modferry);
    expect(report.origins[0]?.lastFailure?.text).toMatch(/^connection failed/);
    expect(JSON.stringify(report)).not.toMatch(secret);
    expect((await ready()).text).not.toMatch(secret);
    const namespace = await modferry.miniflare.getKVNamespace('META');
    for (const key of ['-/health', '-/probes']) {
      const text = await namespace.get(key);
      expect(text).toMatch(/"version":1/);
      expect(text).not.toMatch(secret);
    }
    expect(JSON.stringify(modferry.log)).not.toMatch(/SECRET-TOKEN|hunter2|b3arer|Basic|Bearer/);
  });
});
