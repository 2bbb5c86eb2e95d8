import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FILE_HEADERS, STALE, STALE_STATUS } from '../conformance/headers.ts';
import { hello } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { failure, type Stage, startStage, summary } from './stage.ts';

// An outage of every origin: what was fetched before is served, everything else is an error, and
// never a 404.

const HELLO = '/example.com/hello';
const WARMED = [
  [`${HELLO}/@v/v1.1.0.info`, 'info'],
  [`${HELLO}/@v/v1.1.0.mod`, 'mod'],
  [`${HELLO}/@v/v1.1.0.zip`, 'zip'],
  [`${HELLO}/@v/list`, 'list'],
  [`${HELLO}/@latest`, 'latest'],
  [`${HELLO}/@v/master.info`, 'query'],
] as const;
const UNKNOWN = [
  '@latest',
  '@v/master.info',
  '@v/v1.0.0.info',
  '@v/v1.0.0.mod',
  '@v/v1.0.0.zip',
  '@v/list',
];

describe('while every origin refuses connections', () => {
  let stage: Stage;
  const before = new Map<string, string>();
  beforeAll(async () => {
    stage = await startStage();
    for (const [target] of WARMED) before.set(target, (await stage.ask(target)).text);
    await stage.ask('/gopkg.in/yaml.v2/@v/v2.2.1.info');
    await stage.stored(
      ...WARMED.map(([target]) => target.slice(1)),
      'gopkg.in/yaml.v2/@v/v2.2.1.info',
    );
    await stage.expire();
    await stage.origin.stop();
  });
  afterAll(() => stage.close());

  it.each(WARMED)('%s is served as before', async (target, kind) => {
    const answer = await stage.ask(target);
    const isStale = ['list', 'latest', 'query'].includes(kind);
    const stale = isStale ? { cache: STALE } : {};
    expect(summary(answer)).toEqual({ status: 200, ...FILE_HEADERS[kind], ...stale, asked: 0 });
    expect(answer.text).toBe(before.get(target));
    expect(answer.headers['cache-status']).toMatch(
      isStale ? STALE_STATUS : /^modferry; hit; detail=(edge|kv|r2)$/,
    );
  });

  it('a list that was never fetched is composed of the keys in the bucket', async () => {
    const answer = await stage.ask('/gopkg.in/yaml.v2/@v/list');
    expect(summary(answer)).toEqual({ status: 200, ...FILE_HEADERS.list, cache: STALE, asked: 0 });
    expect(answer.text).toBe('v2.2.1\n');
    expect(answer.headers['cache-status']).toMatch(STALE_STATUS);
  });

  it('a composed list has every version in the bucket, however many files a module has', async () => {
    const bucket = await stage.modferry.miniflare.getR2Bucket('FILES');
    const versions = Array.from(
      { length: 1_010 },
      (_, at) => `v0.${Math.floor(at / 100)}.${at % 100}`,
    );
    const extra = [
      'v0.0.0-20240101000000-0123456789ab.info',
      'v2.0.0+incompatible.info',
      'v1.0.0-!r!c1.info',
      'v9.0.0.mod',
      'master.info',
      'v1.0.0.ziphash',
    ];
    const names = [...versions.map((version) => `${version}.info`), ...extra];
    await Promise.all(names.map((name) => bucket.put(`example.com/many/@v/${name}`, '{}')));
    await bucket.put('example.com/many/more/@v/v8.0.0.info', '{}');
    const answer = await stage.ask('/example.com/many/@v/list');
    expect(summary(answer)).toMatchObject({ status: 200, asked: 0 });
    expect(answer.text.trim().split('\n')).toEqual([
      ...versions,
      'v1.0.0-RC1',
      'v2.0.0+incompatible',
    ]);
  });

  it('every file of a module that was never requested is 502 that names the origin', async () => {
    for (const answer of await stage.askAll('example.com/dep', UNKNOWN)) {
      expect(summary(answer)).toEqual(failure(502, 0));
      expect(answer.text).toContain(`${new URL(stage.origin.url).host}: connection failed`);
    }
  });

  it('a version of a stored module that was never requested is 502 too', async () => {
    expect(summary(await stage.ask(`${HELLO}/@v/v1.0.0.zip`))).toEqual(failure(502, 0));
  });

  it('the first request after the outage is answered by the origin', async () => {
    await stage.origin.restart();
    const answer = await stage.ask(`${HELLO}/@v/list`);
    expect(answer).toMatchObject({ status: 200, text: hello().list, asked: 1 });
    expect(answer.headers['cache-status']).toContain('fwd=uri-miss');
    await stage.origin.stop();
  });
});

describe('while every origin hangs', () => {
  let stage: Stage;
  let second: FakeOrigin;
  let third: FakeOrigin;
  beforeAll(async () => {
    second = await startOrigin();
    third = await startOrigin();
    stage = await startStage({
      variables: { TIMEOUT_HEADERS: '300ms', TIMEOUT_STALL: '300ms', TIMEOUT_TOTAL: '700ms' },
      others: [second, third],
    });
  });
  afterAll(async () => {
    await stage.close();
    await second.close();
    await third.close();
  });

  it('a last good copy is served instead of a 504', async () => {
    stage.origin.reset();
    const { path, list } = stage.freshModule();
    await stage.ask(`/${path}/@v/list`);
    await stage.expire();
    stage.origin.fault('hang');
    const answer = await stage.ask(`/${path}/@v/list`);
    expect(answer).toMatchObject({ status: 200, text: list, asked: 1 });
    expect(answer.headers['cache-status']).toMatch(STALE_STATUS);
  });

  it('three hanging origins share the total time, and the text names the one that was not asked', async () => {
    stage.origin.reset();
    for (const server of [stage.origin, second, third]) server.fault('hang');
    const group = await startStage({
      variables: {
        ORIGINS: [stage.origin, second, third].map(({ url }) => url).join('|'),
        TIMEOUT_HEADERS: '400ms',
        TIMEOUT_TOTAL: '700ms',
      },
      others: [stage.origin, second, third],
    });
    try {
      const answer = await group.ask('/example.com/hello/@v/list');
      expect(summary(answer)).toEqual(failure(504, 2));
      expect(answer.text).toContain(`${new URL(third.url).host}: not asked, the time was up`);
    } finally {
      await group.close();
    }
  });
});
