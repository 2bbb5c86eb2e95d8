import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { IMMUTABLE, NO_STORE, UNCOVERED } from '../conformance/headers.ts';
import { hashGoMod } from '../fakes/zip/dirhash.ts';
import {
  goSum,
  goSums,
  makeModule,
  makeVersion,
  versionOf,
  zipHash,
} from '../fakes/origin/module.ts';
import { fixtureModules, hello } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type FakeSumDB, fillerRecords, startSumDB } from '../fakes/sumdb/sumdb.ts';
import { writeZip } from '../fakes/zip/zip-writer.ts';
import { findAnyGo } from '../go/go.ts';
import { failure, emptyStores, type Stage, startStage, summary, withFault } from './stage.ts';
import { eventually } from '../eventually.ts';

// Rows 56, 57 and 59: what two origins serve is compared with a checksum database by
// golang.org/x/mod.

const go = findAnyGo() ?? '';

describe.skipIf(go === '')('with VERIFY=all', () => {
  let database: FakeSumDB;
  let first: FakeOrigin;
  let second: FakeOrigin;
  beforeAll(async () => {
    // So many that there is a full tile: partial ones are not stored.
    const records = [...goSums(fixtureModules()), ...fillerRecords(300)];
    database = await startSumDB({ go, records });
    first = await startOrigin({ modules: fixtureModules() });
    second = await startOrigin({ modules: fixtureModules() });
  });
  afterAll(async () => {
    for (const server of [first, second, database]) await server.close();
  });

  let stage: Stage;
  beforeEach(async () => {
    for (const server of [first, second, database]) server.reset();
    stage = await startStage({
      variables: {
        ORIGINS: `${first.url},${second.url}`,
        SUMDBS: `${database.verifierKey} ${database.url}`,
        VERIFY: 'all',
      },
      others: [first, second],
    });
    return () => stage.close();
  });

  const events = (kind: string) => stage.modferry.log.filter((line) => line['kind'] === kind);
  const bucket = () => stage.modferry.miniflare.getR2Bucket('FILES');

  it('rows 3 and 4: a file that is in the log is immutable, and stored with its hash', async () => {
    const { mod, ...rest } = versionOf(hello(), 'v1.1.0');
    for (const end of ['mod', 'zip']) {
      const answer = await stage.ask(`/example.com/hello/@v/v1.1.0.${end}`);
      expect(summary(answer)).toMatchObject({ status: 200, cache: IMMUTABLE });
    }
    await stage.stored('example.com/hello/@v/v1.1.0.mod', 'example.com/hello/@v/v1.1.0.ziphash');
    const stored = await (await bucket()).head('example.com/hello/@v/v1.1.0.mod');
    expect(stored?.customMetadata?.['checked']).toBe(hashGoMod(mod));
    const mark = await (await bucket()).get('example.com/hello/@v/v1.1.0.ziphash');
    expect(await mark?.text()).toBe(zipHash({ mod, ...rest }));
    expect(stage.modferry.log.filter(({ event }) => event === 'security')).toEqual([]);
  });

  it.each([
    [56, 'zip'],
    [57, 'mod'],
  ])(
    'row %i: a .%s that is wrong at every origin is 502 with both hashes, is not stored, and is served once one origin is right',
    async (_, end) => {
      const path = `/example.com/hello/@v/v1.1.0.${end}`;
      first.fault('tampered');
      second.fault('tampered');
      const answer = await stage.ask(path);
      expect(summary(answer)).toEqual(failure(502, 2));
      expect(answer.text).toMatch(/hash h1:\S{44} where sum\.example\.test has h1:\S{44}/);
      expect((await stage.bucketKeys()).filter((key) => key.startsWith('example.com/'))).toEqual(
        [],
      );
      await eventually(() => expect(events('mismatch')).toHaveLength(2));
      expect(events('mismatch')[0]).toMatchObject({
        event: 'security',
        subject: `example.com/hello@v1.1.0.${end}`,
        origin: new URL(first.url).host,
        database: 'sum.example.test',
        expected: expect.stringMatching(/^h1:/),
        found: expect.stringMatching(/^h1:/),
      });
      first.fault(undefined);
      const healed = await stage.ask(path);
      expect(healed).toMatchObject({ status: 200, asked: 1 });
      expect(healed.headers['cache-control']).toBe(IMMUTABLE);
    },
  );

  it.each(['mod', 'zip'])(
    'after a wrong .%s the next origin is asked, also behind a comma',
    async (end) => {
      const path = `/example.com/hello/@v/v1.1.0.${end}`;
      first.fault('tampered', { match: path });
      const answer = await stage.ask(path);
      expect(answer).toMatchObject({ status: 200, asked: 2 });
      expect(answer.headers['cache-status']).toContain(new URL(second.url).host);
      await emptyStores(stage.modferry);
      // The first one is avoided for this file, and for no other one.
      expect(await stage.ask(path)).toMatchObject({ status: 200, asked: 1 });
      expect(second.count(path)).toBe(2);
      const other = await stage.ask(`/example.com/hello/@v/v1.1.0.info`);
      expect(other.headers['cache-status']).toContain(new URL(first.url).host);
    },
  );

  it.each(['mod', 'zip'])(
    'a wrong .%s is not hidden behind a 404 of the other origin',
    async (end) => {
      const path = `/example.com/hello/@v/v1.1.0.${end}`;
      first.fault('tampered');
      second.remove(path);
      // Not the first time, nor when the wrong one is avoided and the other one asked first.
      for (let time = 0; time < 3; time++)
        expect(await stage.ask(path)).toMatchObject({ status: 502 });
    },
  );

  it('the right zip of another version is 502', async () => {
    const other = versionOf(hello(), 'v1.0.0').zip;
    for (const origin of [first, second])
      origin.set('/example.com/hello/@v/v1.1.0.zip', { body: other });
    expect(summary(await stage.ask('/example.com/hello/@v/v1.1.0.zip'))).toEqual(failure(502, 2));
  });

  it.each([
    ['a nested go.mod', ['go.mod', 'a/go.mod']],
    ['a go.mod in capitals', ['GO.MOD']],
    ['names that differ in case', ['a.go', 'A.go']],
    ['a name that Windows reserves', ['con.go']],
    ['a file that is also a directory', ['a', 'a/b.go']],
    ['a path that leads out', ['../a.go']],
    ['an absolute path', ['/etc/passwd']],
  ])('row 59: a zip with %s is 502 although the log has its hash', async (what, names) => {
    const path = `bad.example/${what.toLowerCase().replaceAll(' ', '-')}`;
    const files = names.map((name) => ({ name: `${path}@v1.0.0/${name}`, content: 'module x\n' }));
    const version = { ...makeVersion(path, 'v1.0.0', {}), zip: writeZip(files) };
    for (const origin of [first, second]) origin.add(makeModule(path, { 'v1.0.0': version }));
    await database.add(goSum(path, 'v1.0.0', version));
    const answer = await stage.ask(`/${path}/@v/v1.0.0.zip`);
    expect(summary(answer)).toEqual(failure(502, 2));
    expect((await stage.bucketKeys()).filter((key) => key.startsWith('bad.example/'))).toEqual([]);
  });

  it('a module that no log covers is stored without a hash, for a day, and is looked up again', async () => {
    const path = 'new.example/m';
    const module = makeModule(path, {
      'v1.0.0': makeVersion(path, 'v1.0.0', { 'go.mod': `module ${path}\n` }),
    });
    first.add(module);
    for (const end of ['mod', 'zip']) {
      const answer = await stage.ask(`/${path}/@v/v1.0.0.${end}`);
      expect(summary(answer)).toMatchObject({ status: 200, cache: UNCOVERED });
      await stage.stored(`${path}/@v/v1.0.0.${end}`);
      expect(await stage.nearEntrySeconds('file', `${path}/@v/v1.0.0.${end}`)).toBe(86_400);
      const again = await stage.ask(`/${path}/@v/v1.0.0.${end}`);
      expect(summary(again)).toMatchObject({ asked: 0, cache: UNCOVERED });
    }
    expect(await stage.bucketKeys()).not.toContain(`${path}/@v/v1.0.0.ziphash`);
    await database.add(goSum(path, 'v1.0.0', versionOf(module, 'v1.0.0')));
    await stage.expire();
    await sleep(1_000); // the bucket takes one write a second for a key
    for (const end of ['mod', 'zip']) {
      const covered = await stage.ask(`/${path}/@v/v1.0.0.${end}`);
      expect(summary(covered)).toMatchObject({ asked: 0, cache: IMMUTABLE });
    }
    await stage.stored(`${path}/@v/v1.0.0.ziphash`);
    expect((await (await bucket()).head(`${path}/@v/v1.0.0.mod`))?.customMetadata).toMatchObject({
      checked: expect.stringMatching(/^h1:/),
    });
  });

  it('a stored file that was not in the log, and has another hash there now, is removed and fetched again', async () => {
    const path = 'late.example/m';
    const version = (content: string) =>
      makeVersion(path, 'v1.0.0', { 'go.mod': `module ${path}\n`, 'a.go': content });
    first.add(makeModule(path, { 'v1.0.0': version('package wrong\n') }));
    const right = version('package right\n');
    expect(await stage.ask(`/${path}/@v/v1.0.0.zip`)).toMatchObject({ status: 200 });
    await stage.stored(`${path}/@v/v1.0.0.zip`);
    await database.add(goSum(path, 'v1.0.0', right));
    second.add(makeModule(path, { 'v1.0.0': right }));
    await stage.expire();
    const answer = await stage.ask(`/${path}/@v/v1.0.0.zip`);
    expect(summary(answer)).toMatchObject({ status: 200, cache: IMMUTABLE });
    expect(answer.body.equals(Buffer.from(right.zip as Uint8Array)), 'it is the right zip').toBe(
      true,
    );
    await eventually(() => expect(events('stored-mismatch')).toHaveLength(1));
    expect(events('mismatch')).toHaveLength(1);
  });

  it.each(['mod', 'zip'])(
    'a wrong .%s in the bucket is removed from it and fetched again',
    async (end) => {
      const key = `example.com/hello/@v/v1.1.0.${end}`;
      const zip = writeZip([{ name: 'example.com/hello@v1.1.0/go.mod', content: 'module evil\n' }]);
      await (await bucket()).put(key, end === 'zip' ? zip : 'module evil\n');
      expect(await stage.ask(`/cached-only/${key}`)).toMatchObject({ status: 404, asked: 0 });
      await (await bucket()).put(key, end === 'zip' ? zip : 'module evil\n');
      const answer = await stage.ask(`/${key}`);
      expect(summary(answer)).toMatchObject({ status: 200, cache: IMMUTABLE, asked: 1 });
      expect(answer.text).not.toContain('evil');
      await eventually(() => expect(events('stored-mismatch')).toHaveLength(2));
      await eventually(async () =>
        expect((await (await bucket()).head(key))?.customMetadata?.['checked']).toMatch(/h1/),
      );
    },
  );

  it('a right zip without a stored hash gets one when it is requested', async () => {
    const key = 'example.com/hello/@v/v1.1.0.zip';
    const zip = versionOf(hello(), 'v1.1.0').zip;
    await (await bucket()).put(key, zip as Uint8Array);
    const answer = await stage.ask(`/${key}`);
    expect(summary(answer)).toMatchObject({ status: 200, cache: IMMUTABLE, asked: 0 });
    await stage.stored('example.com/hello/@v/v1.1.0.ziphash');
    expect(await stage.ask(`/${key}`)).toMatchObject({ status: 200, asked: 0 });
  });

  it('while the database is down, a file that was checked is served, and a new one is 502', async () => {
    expect(await stage.ask('/example.com/hello/@v/v1.1.0.mod')).toMatchObject({ status: 200 });
    await stage.stored('example.com/hello/@v/v1.1.0.mod');
    await withFault(database, 500, async () => {
      await stage.expire();
      expect(await stage.ask('/example.com/hello/@v/v1.1.0.mod')).toMatchObject({
        status: 200,
        asked: 0,
      });
      for (const end of ['mod', 'zip']) {
        const answer = await stage.ask(`/example.com/dep/@v/v1.0.0.${end}`);
        expect(summary(answer)).toMatchObject({ status: 502, cache: NO_STORE });
        expect(answer.text).toContain(new URL(database.url).host);
      }
    });
    expect((await stage.bucketKeys()).filter((key) => key.startsWith('example.com/dep/'))).toEqual(
      [],
    );
    expect(await stage.ask('/example.com/dep/@v/v1.0.0.zip')).toMatchObject({ status: 200 });
  });

  it('a stored lookup and a stored tile that are damaged are replaced', async () => {
    await stage.ask('/example.com/hello/@v/v1.1.0.mod');
    const keys = (await stage.bucketKeys()).filter((key) =>
      /^sumdb\/.*\/(lookup|tile)\//.test(key),
    );
    expect(keys.length).toBeGreaterThan(1);
    for (const key of keys) {
      const body = await (await bucket()).get(key);
      const bytes = new Uint8Array((await body?.arrayBuffer()) ?? []);
      bytes.set([(bytes[20] ?? 0) ^ 1], 20);
      await (await bucket()).put(key, bytes);
    }
    await stage.modferry.stop();
    const again = await startStage({
      stateDirectory: stage.modferry.stateDirectory,
      variables: {
        ORIGINS: first.url,
        SUMDBS: `${database.verifierKey} ${database.url}`,
      },
    });
    try {
      await again.expire();
      expect(await again.ask('/example.com/hello/@v/v1.1.0.zip')).toMatchObject({ status: 200 });
      const damaged = async () => {
        const there = await again.modferry.miniflare.getR2Bucket('FILES');
        const texts = await Promise.all(
          keys.map(async (key) => (await there.head(key))?.customMetadata?.['etag']),
        );
        return keys.filter((_, at) => texts[at] === undefined);
      };
      await eventually(async () => expect(await damaged()).toEqual([]));
    } finally {
      await again.close();
    }
  });
});
