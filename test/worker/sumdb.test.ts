import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findAnyGo } from '../go/go.ts';
import { goSum, goSums } from '../fakes/origin/module.ts';
import { fixtureModules, hello } from '../fakes/origin/modules.ts';
import { type FakeSumDB, fillerRecords, startSumDB } from '../fakes/sumdb/sumdb.ts';
import {
  failure,
  forgetEverything,
  IMMUTABLE,
  MUTABLE,
  NEGATIVE,
  NO_STORE,
  type Stage,
  startStage,
  summary,
  TEXT,
  TILE,
  STALE_STATUS,
} from './conformance.ts';

// Rows 117 to 138 of the conformance list: a checksum database by golang.org/x/mod, carried by
// modferry. Nobody but the database may be asked for any of this, and it only for what it can have.
// To prove an answer, modferry reads tiles besides.

const go = findAnyGo() ?? '';
const NAME = 'sum.example.test';
const BASE = `/sumdb/${NAME}`;
const FILE = { status: 200, type: TEXT, cache: IMMUTABLE };

describe.skipIf(go === '')('a checksum database', () => {
  let database: FakeSumDB;
  let second: FakeSumDB;
  let stage: Stage;
  beforeAll(async () => {
    const records = [...goSums(fixtureModules()), ...fillerRecords(300)];
    database = await startSumDB({ go, records });
    second = await startSumDB({ go, name: `${NAME}/v2`, records: goSums([hello()]) });
    stage = await startStage({
      variables: {
        SUMDBS: [database, second].map(({ verifierKey, url }) => `${verifierKey} ${url}`).join(','),
        PRIVATE: '*.corp.example,example.com/secret',
      },
      others: [database, second],
    });
  });
  beforeEach(() => {
    for (const server of [stage.origin, database, second]) server.reset();
  });
  afterAll(async () => {
    await stage.close();
    await database.close();
    await second.close();
  });

  it('row 117: /supported is 200 by itself, also below /cached-only', async () => {
    for (const target of [
      `${BASE}/supported`,
      `/cached-only${BASE}/supported`,
      `${BASE}/v2/supported`,
    ]) {
      const answer = await stage.ask(target);
      expect(summary(answer)).toEqual({ status: 200, type: TEXT, cache: MUTABLE, asked: 0 });
    }
  });

  it('row 121: /supported is 200 while the database is down, and a lookup 502', async () => {
    await database.stop();
    try {
      expect(await stage.ask(`${BASE}/supported`)).toMatchObject({ status: 200, asked: 0 });
      const answer = await stage.ask(`${BASE}/lookup/example.com/hello@v0.1.0`);
      expect(summary(answer)).toEqual(failure(502, 0));
      expect(answer.text).toContain(new URL(database.url).host);
    } finally {
      await database.restart();
    }
  });

  it('row 122: a lookup is the record of the database, asked for once', async () => {
    const target = `${BASE}/lookup/example.com/hello@v1.1.0`;
    const first = await stage.ask(target);
    expect(summary(first)).toMatchObject(FILE);
    expect(database.count('/lookup/example.com/hello@v1.1.0')).toBe(1);
    const lines = goSum(
      'example.com/hello',
      'v1.1.0',
      hello().versions['v1.1.0'] ?? { info: '', mod: '', zip: Buffer.alloc(0) },
    );
    expect(first.text).toMatch(/^\d+\n/);
    expect(first.text).toContain(`\n${lines}\ngo.sum database tree\n`);
    for (const again of [
      await stage.ask(target),
      await stage.expire().then(() => stage.ask(target)),
    ]) {
      expect(summary(again)).toEqual({ ...FILE, asked: 0 });
      expect(again.text).toBe(first.text);
    }
  });

  it('row 123: ! and %21 are one spelling and one entry', async () => {
    const literal = await stage.ask(`${BASE}/lookup/github.com/!azure/!thing@v1.0.0`);
    const encoded = await stage.ask(`${BASE}/lookup/github.com/%21azure/%21thing@v1.0.0?x=1`);
    expect(summary(literal)).toEqual({ ...FILE, asked: 1 });
    expect(summary(encoded)).toEqual({ ...FILE, asked: 0 });
    expect(encoded.text).toBe(literal.text);
    expect(database.requests[0]?.url).toBe('/lookup/github.com/!azure/!thing@v1.0.0');
  });

  it('row 124: +incompatible is looked up as it stands', async () => {
    const answer = await stage.ask(`${BASE}/lookup/example.com/legacy@v3.0.0+incompatible`);
    expect(summary(answer)).toEqual({ ...FILE, asked: 1 });
    expect(answer.text).toContain('example.com/legacy v3.0.0+incompatible h1:');
  });

  it.each([404, 410])(
    'row 125: a lookup that the database answers with %i is that, for a short time',
    async (status) => {
      const target = `${BASE}/lookup/example.com/unknown${status}@v1.0.0`;
      database.fault({ status, text: 'not found: unknown revision' });
      const answer = await stage.ask(target);
      expect(summary(answer)).toEqual(failure(status, 1, NEGATIVE));
      expect(answer.text).toContain('unknown revision');
      expect(
        await stage.edgeEntry('missing', target.replace(BASE, `sumdb/${NAME}`)),
      ).toBeLessThanOrEqual(30);
    },
  );

  it.each([
    'git.corp.example/tool@v1.0.0',
    'example.com/secret@v1.0.0',
    'example.com/secret/sub@v1.0.0',
  ])('row 128: the database does not hear of %s, which is private', async (lookup) => {
    expect(summary(await stage.ask(`${BASE}/lookup/${lookup}`))).toEqual(failure(403, 0));
  });

  it('row 129: the tree head is fresh for a minute', async () => {
    const answer = await stage.ask(`${BASE}/latest`);
    expect(summary(answer)).toEqual({ status: 200, type: TEXT, cache: MUTABLE, asked: 1 });
    expect(answer.text).toMatch(/^go\.sum database tree\n\d+\n/);
    expect(await stage.edgeEntry('file', `sumdb/${NAME}/latest`)).toBe(60);
  });

  it('row 129: the last good tree head is served while the database is down', async () => {
    const { text } = await stage.ask(`${BASE}/latest`);
    await stage.expire();
    database.fault(500);
    const answer = await stage.ask(`${BASE}/latest`);
    expect(answer).toMatchObject({ status: 200, text, asked: 2 });
    expect(answer.headers['cache-status']).toMatch(STALE_STATUS);
  });

  it('rows 130 and 131: tiles are kept for ever, and a full one answers for its parts', async () => {
    await forgetEverything(stage.modferry);
    const tile = `${BASE}/tile/8/0/000`;
    const part = await stage.ask(`${tile}.p/29`);
    const full = await stage.ask(tile);
    expect(summary(part)).toMatchObject({ ...FILE, type: TILE });
    expect(summary(full)).toMatchObject({ ...FILE, type: TILE });
    expect(database.count(/^\/tile\/8\/0\/000/)).toBeLessThanOrEqual(1);
    expect([part.body.length, full.body.length]).toEqual([928, 8192]);
    expect(part.body.equals(full.body.subarray(0, 928))).toBe(true);
    const cut = await stage.ask(`${tile}.p/30`);
    expect(summary(cut)).toEqual({ ...FILE, type: TILE, asked: 0 });
    expect(cut.body.equals(full.body.subarray(0, 960))).toBe(true);
  });

  it('row 132: a partial tile that the database does not have is 404 for a short time', async () => {
    database.fault(404, { match: /^\/tile/ });
    // The tree is smaller: the database is asked whether it has grown.
    expect(summary(await stage.ask(`${BASE}/tile/8/0/001.p/200`))).toEqual(
      failure(404, 2, NEGATIVE),
    );
  });

  it('a tile that no tree head reaches is passed on, and kept by nobody', async () => {
    const path = '/tile/8/0/001.p/201';
    database.fault({ redirect: stage.origin.url }, { match: /^\/tile/ });
    for (const from of [path, `/-redirected${path}`])
      stage.origin.set(from, { body: 'h'.repeat(201 * 32) });
    const answer = await stage.ask(BASE + path);
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, NO_STORE]);
    expect(await stage.bucketKeys()).not.toContain(`sumdb/${NAME}${path}`);
  });

  it.each<[string, Parameters<FakeSumDB['fault']>[0]]>([
    ['row 133: a tile of the wrong length', 'tampered'],
    ['row 133: a page instead of a tile', 'html'],
    ['row 133: a tile that breaks off', 'truncate'],
  ])('%s is 502, not stored, and the next request gets it', async (_row, fault) => {
    const { verifierKey, url } = database;
    const fresh = await startStage({
      variables: { SUMDBS: `${verifierKey} ${url}` },
      others: [database],
    });
    try {
      database.fault(fault, { match: /^\/tile/ });
      const answer = await fresh.ask(`${BASE}/tile/8/0/001.p/20`);
      expect(summary(answer)).toMatchObject({ status: 502, cache: NO_STORE });
      expect((await fresh.bucketKeys()).filter((key) => key.includes('/tile/'))).toEqual([]);
      database.fault(undefined);
      expect(await fresh.ask(`${BASE}/tile/8/0/001.p/20`)).toMatchObject({ status: 200 });
    } finally {
      await fresh.close();
    }
  });

  it('row 135: a data tile is text', async () => {
    const answer = await stage.ask(`${BASE}/tile/8/data/000.p/2`);
    expect(summary(answer)).toEqual({ ...FILE, asked: 1 });
    expect(answer.text.match(/ h1:/g)).toHaveLength(4);
  });

  it.each<[string, string, Parameters<FakeSumDB['fault']>[0]]>([
    ['row 127: a record that was changed', '/lookup/example.com/hello@v1.0.0', 'tampered'],
    ['row 127: a data tile that was changed', '/tile/8/data/000.p/4', 'tampered'],
    ['row 127: a tree head that was changed', '/latest', 'tampered'],
    ['a page instead of a data tile', '/tile/8/data/000.p/3', 'html'],
    ['a page instead of a record', '/lookup/example.com/hello@v1.0.0', 'html'],
    ['a page instead of the tree head', '/latest', 'html'],
  ])('%s is 502, not stored, and the next request gets it', async (_row, path, fault) => {
    await stage.expire();
    const bucket = await stage.modferry.miniflare.getR2Bucket('FILES');
    const key = `sumdb/${NAME}${path}`;
    await bucket.delete(key);
    database.fault(fault);
    expect(summary(await stage.ask(BASE + path))).toEqual(failure(502, 2));
    expect(await bucket.head(key)).toBeNull();
    database.fault(undefined);
    expect(await stage.ask(BASE + path)).toMatchObject({ status: 200, asked: 1 });
  });

  it('the record of another version is no answer to a lookup', async () => {
    const other = await stage.ask(`${BASE}/lookup/example.com/dep@v1.0.0`);
    expect(other.status).toBe(200);
    const target = `${BASE}/lookup/gopkg.in/yaml.v2@v2.2.1`;
    // A mirror that mixes its files up: every lookup is redirected to the same record.
    stage.origin.set('/-redirected/lookup/gopkg.in/yaml.v2@v2.2.1', { body: other.body });
    database.fault({ redirect: stage.origin.url });
    stage.origin.set('/lookup/gopkg.in/yaml.v2@v2.2.1', { body: other.body });
    expect(await stage.ask(target)).toMatchObject({ status: 502 });
    database.fault(undefined);
    expect(await stage.ask(target)).toMatchObject({ status: 200, asked: 1 });
  });

  it('row 137: a name with a path beside its own beginning has its own upstream', async () => {
    const lookup = '/lookup/example.com/hello@v1.2.0-rc.1';
    const answer = await stage.ask(`${BASE}/v2${lookup}`);
    expect(summary(answer)).toMatchObject(FILE);
    expect(answer.text).toContain(`\u2014 ${NAME}/v2 `);
    expect([database.count(), second.count(lookup)]).toEqual([0, 1]);
  });

  it('row 138: POST is 405; HEAD and Range are like GET', async () => {
    const target = `${BASE}/lookup/example.com/dep@v1.0.0`;
    const get = await stage.ask(target);
    const head = await stage.ask(target, { method: 'HEAD' });
    const range = await stage.ask(target, { headers: { Range: 'bytes=0-3' } });
    expect(summary(await stage.ask(target, { method: 'POST' }))).toEqual(failure(405, 0));
    expect(summary(head)).toEqual({ ...FILE, asked: 0 });
    expect(head.headers['content-length']).toBe(String(get.body.length));
    expect(head.body.length).toBe(0);
    expect(range).toMatchObject({ status: 200, text: get.text });
  });

  it.each([
    [118, '/sumdb/unknown.example/supported'],
    [119, '/sumdb/169.254.169.254/supported'],
    [119, '/sumdb/localhost:8080/x'],
    [119, `/sumdb/${NAME}@evil.example/supported`],
    [119, `/sumdb/${NAME}.evil.example/supported`],
    [119, `/sumdb/${NAME}%2f..%2fevil/supported`],
    [119, '/sumdb/SUM.EXAMPLE.TEST/supported'],
    [120, '/sumdb/sum.golang.org/supported'],
    [120, '/sumdb/sum.golang.org/lookup/example.com/hello@v1.1.0'],
    [126, `${BASE}/lookup/example.com/hello@master`],
    [126, `${BASE}/lookup/example.com/hello`],
    [126, `${BASE}/lookup/example.com/hello@v1.1.0@v1.1.0`],
    [126, `${BASE}/lookup/github.com/Azure/Thing@v1.0.0`],
    [126, `${BASE}/lookup/example.com/hello@v1.1.0-RC1`],
    [126, `${BASE}/lookup/example.com/hello@v1.1.0/go.mod`],
    [126, `${BASE}/lookup/example.com/hello@v1.1.0+meta`],
    [126, `${BASE}/lookup/example.com/../hello@v1.1.0`],
    [126, `${BASE}/lookup/@v1.1.0`],
    [134, `${BASE}/tile/8/0/000.p/0`],
    [134, `${BASE}/tile/8/0/000.p/256`],
    [134, `${BASE}/tile/8/0/000.p/01`],
    [134, `${BASE}/tile/8/0/1`],
    [134, `${BASE}/tile/8/0/001/234`],
    [134, `${BASE}/tile/8/0/x000/001`],
    [134, `${BASE}/tile/31/0/000`],
    [134, `${BASE}/tile/7/0/000`],
    [134, `${BASE}/tile/8/-1/000`],
    [134, `${BASE}/tile/8/8/000`],
    [134, `${BASE}/tile/8/0/000/`],
    [134, `${BASE}/tile/8/0/..%2f000`],
    [136, `${BASE}/bogus`],
    [136, `${BASE}/supported/`],
    [136, `${BASE}/`],
    [136, BASE],
    [136, '/sumdb/'],
    [136, '/sumdb'],
    [136, '/sumdb//supported'],
  ])('row %i: %s is 404, and nobody is asked', async (_row, target) => {
    expect(summary(await stage.ask(target))).toEqual(failure(404, 0, NEGATIVE));
  });
});

it('row 120: with SUMDBS=off every name is 404', async () => {
  const stage = await startStage();
  try {
    for (const path of ['sum.golang.org/supported', 'sum.golang.org/latest', `${NAME}/supported`]) {
      expect(summary(await stage.ask(`/sumdb/${path}`))).toEqual(failure(404, 0, NEGATIVE));
    }
  } finally {
    await stage.close();
  }
});
