import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FILE_HEADERS } from '../conformance/headers.ts';
import { findAnyGo } from '../go/go.ts';
import { goSums } from '../fakes/origin/module.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { startSumDB } from '../fakes/sumdb/sumdb.ts';
import { type Stage, startStage, summary } from './stage.ts';
import { eventually } from '../eventually.ts';

// What is stored in which tier, and what happens where a tier is absent.

const FILES = [
  ['@v/list', 'list'],
  ['@v/v1.1.0.info', 'info'],
  ['@v/v1.1.0.mod', 'mod'],
  ['@v/v1.1.0.zip', 'zip'],
  ['@latest', 'latest'],
] as const;

it.each<[string, ('FILES' | 'META')[]]>([
  ['R2', ['FILES']],
  ['KV', ['META']],
  ['R2 and KV', ['FILES', 'META']],
])(
  'rows 1 to 6 without %s: every file is 200, and then 200 again from what is left',
  async (_what, without) => {
    const stage = await startStage({ without });
    try {
      for (const [end, kind] of FILES) {
        const first = await stage.ask(`/example.com/hello/${end}`);
        await stage.nearEntrySeconds('file', `example.com/hello/${end}`);
        const again = await stage.ask(`/example.com/hello/${end}`);
        expect(summary(first)).toEqual({ status: 200, ...FILE_HEADERS[kind], asked: 1 });
        expect(summary(again)).toEqual({ status: 200, ...FILE_HEADERS[kind], asked: 0 });
        expect(again.body.equals(first.body), `the bytes of ${end} are the same`).toBe(true);
      }
      if (!without.includes('META')) await kvHolds(stage, 2);
      await stage.expire();
      const asked: Record<string, number> = {};
      for (const [end, kind] of FILES)
        asked[kind] = (await stage.ask(`/example.com/hello/${end}`)).asked;
      const small = without.length === 2 ? 1 : 0;
      const zip = without.includes('FILES') ? 1 : 0;
      expect(asked).toEqual({ list: 1, latest: 1, info: small, mod: small, zip });
      const part = await stage.ask('/example.com/hello/@v/v1.1.0.zip', {
        headers: { Range: 'bytes=0-9' },
      });
      expect(part.status).toBe(without.includes('FILES') ? 200 : 206);
      expect(await troubles(stage)).toEqual([]);
    } finally {
      await stage.close();
    }
  },
);

async function kvHolds({ modferry }: Stage, count: number): Promise<void> {
  const namespace = await modferry.miniflare.getKVNamespace('META');
  await eventually(async () => {
    if ((await namespace.list()).keys.length !== count)
      throw new Error(`Cannot find ${count} keys in KV`);
  });
}

/** Log lines about a tier that failed. */
async function troubles({ modferry, ask }: Stage): Promise<unknown[]> {
  const { headers } = await ask('/healthz');
  await eventually(() =>
    expect(modferry.log.some(({ request }) => request === headers['x-request-id'])).toBe(true),
  );
  return modferry.log.filter(({ event }) => event !== 'request' && event !== 'note');
}

describe('the bucket', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage.close());

  it.each([
    ['@v/list', 'v1.0.0\nv1.1.0\nv1.3.0\n'],
    ['@latest', '{"Version":"v1.3.0"}'],
    ['@v/main.info', '{"Version":"v1.3.1-0.20240601120000-0123456789ab"}'],
  ])('gets a last good copy of %s only when the file changed', async (end, changed) => {
    const { path } = stage.freshModule();
    const bucket = await stage.modferry.miniflare.getR2Bucket('FILES');
    const version = async () => (await bucket.head(`${path}/${end}`))?.version;
    const fetchAgain = async () => {
      await stage.expire();
      expect((await stage.ask(`/${path}/${end}`)).asked).toBe(1);
      await stage.nearEntrySeconds('file', `${path}/${end}`);
    };
    await stage.ask(`/${path}/${end}`);
    await eventually(async () => expect(await version()).toBeDefined());
    const first = await version();
    await fetchAgain();
    await fetchAgain();
    expect(await version()).toBe(first);

    stage.origin.set(`/${path}/${end}`, { body: changed });
    await fetchAgain();
    await eventually(async () => expect(await version()).not.toBe(first));
    expect(await (await bucket.get(`${path}/${end}`))?.text()).toBe(changed);
  });

  it('never replaces an immutable file', async () => {
    const { path } = stage.freshModule();
    const bucket = await stage.modferry.miniflare.getR2Bucket('FILES');
    await bucket.put(`${path}/@v/v1.0.0.mod`, `module ${path} // first\n`);
    const answer = await stage.ask(`/${path}/@v/v1.0.0.mod`);
    expect(answer).toMatchObject({ status: 200, text: `module ${path} // first\n`, asked: 0 });
    expect(answer.headers['etag']).toMatch(/^"[^"]+"$/);
  });

  it('holds no 404, 410 or error', async () => {
    const keys = await stage.bucketKeys();
    for (const end of [
      '@v/list',
      '@latest',
      '@v/v1.0.0.info',
      '@v/v1.0.0.mod',
      '@v/v1.0.0.zip',
      '@v/x.info',
    ]) {
      for (const fault of [404, { status: 410, text: 'gone' }, 500]) {
        stage.origin.fault(fault);
        expect(
          (await stage.ask(`/example.com/none${JSON.stringify(fault).length}/${end}`)).status,
        ).not.toBe(200);
      }
    }
    stage.origin.fault(undefined);
    expect(await stage.bucketKeys()).toEqual(keys);
  });

  it('holds no file of PRIVATE', async () => {
    const guarded = await startStage({
      variables: { PRIVATE: 'example.com/hello,*.corp.example' },
    });
    try {
      for (const module of [
        'example.com/hello',
        'example.com/hello/sub',
        'git.corp.example/tool/cmd',
      ]) {
        for (const [end] of FILES) {
          const answer = await guarded.ask(`/${module}/${end}`);
          expect(answer).toMatchObject({ status: 401, asked: 0 });
          expect(answer.headers['cache-control']).toBe('no-store');
        }
      }
      expect(await guarded.ask('/example.com/dep/@v/list')).toMatchObject({
        status: 200,
        asked: 1,
      });
      await eventually(async () =>
        expect(await guarded.bucketKeys()).toEqual(['example.com/dep/@v/list']),
      );
    } finally {
      await guarded.close();
    }
  });
});

const go = findAnyGo() ?? '';
it.skipIf(go === '')('the bucket has the layout of GOMODCACHE/cache/download', async () => {
  const database = await startSumDB({ go, records: goSums(fixtureModules()) });
  const stage = await startStage({
    variables: { SUMDBS: `${database.verifierKey} ${database.url}` },
  });
  try {
    for (const target of [
      ...FILES.map(([end]) => `/example.com/hello/${end}`),
      '/github.com/%21azure/%21thing/@v/v1.0.1-%21r%21c1.info?x=1',
      '/example.com/legacy/@v/v3.0.0%2Bincompatible.mod',
      '/example.com/hello/@v/%21dev.info',
      '/sumdb/sum.example.test/lookup/github.com/%21azure/!thing@v1.0.0',
      '/sumdb/sum.example.test/tile/8/0/000.p/9',
      '/sumdb/sum.example.test/latest',
    ]) {
      expect({ target, status: (await stage.ask(target)).status }).toEqual({ target, status: 200 });
    }
    await eventually(async () =>
      expect(await stage.bucketKeys()).toEqual([
        '.modferry/log/sum.example.test.json',
        'example.com/hello/@latest',
        'example.com/hello/@v/!dev.info',
        'example.com/hello/@v/list',
        'example.com/hello/@v/v1.1.0.info',
        'example.com/hello/@v/v1.1.0.mod',
        'example.com/hello/@v/v1.1.0.zip',
        'example.com/hello/@v/v1.1.0.ziphash',
        'example.com/legacy/@v/v3.0.0+incompatible.mod',
        'github.com/!azure/!thing/@v/v1.0.1-!r!c1.info',
        'sumdb/sum.example.test/latest',
        'sumdb/sum.example.test/lookup/example.com/hello@v1.1.0',
        'sumdb/sum.example.test/lookup/example.com/legacy@v3.0.0+incompatible',
        'sumdb/sum.example.test/lookup/github.com/!azure/!thing@v1.0.0',
        'sumdb/sum.example.test/tile/8/0/000.p/9',
      ]),
    );
  } finally {
    await stage.close();
    await database.close();
  }
});
