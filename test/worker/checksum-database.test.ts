import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NO_STORE } from '../conformance/headers.ts';
import { goSums } from '../fakes/origin/module.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeSumDB, fillerRecords, startSumDB } from '../fakes/sumdb/sumdb.ts';
import { findAnyGo } from '../go/go.ts';
import { type Stage, startStage, summary } from './stage.ts';

// What a checksum database, or something in front of it, may answer wrongly, where it takes more
// than one origin or more than one modferry to see it. The rest are conformance rows.

const go = findAnyGo() ?? '';
const NAME = 'sum.example.test';
const BASE = `/sumdb/${NAME}`;

describe.skipIf(go === '')('a checksum database', () => {
  let database: FakeSumDB;
  let stage: Stage;
  beforeAll(async () => {
    database = await startSumDB({
      go,
      records: [...goSums(fixtureModules()), ...fillerRecords(300)],
    });
  });
  // Each test has a modferry that has not seen a tree head yet.
  beforeEach(async () => {
    database.reset();
    stage = await startStage({
      variables: { SUMDBS: `${database.verifierKey} ${database.url}` },
      database,
    });
    return () => stage.close();
  });
  afterAll(() => database.close());

  it('CVE-2026-56865: with a tile that no tree head reaches cannot have it passed on', async () => {
    await stage.ask(`${BASE}/latest`);
    const path = '/tile/8/0/001.p/201';
    database.fault({ redirect: stage.origin.url }, { match: /^\/tile/ });
    for (const from of [path, `/-redirected${path}`])
      stage.origin.set(from, { body: 'h'.repeat(201 * 32) });
    const { headers, status } = await stage.ask(BASE + path);
    expect({ status, cache: headers['cache-control'] }).toEqual({ status: 404, cache: NO_STORE });
    expect(await stage.bucketKeys()).not.toContain(`sumdb/${NAME}${path}`);
  });

  it.each<[string, Parameters<FakeSumDB['fault']>[0]]>([
    ['row 133: a tile of the wrong length', 'tampered'],
    ['row 133: an HTML page instead of a tile', 'html'],
    ['row 133: a tile that breaks off', 'truncate'],
  ])('%s is 502, not stored, and the next request gets the right one', async (_row, fault) => {
    database.fault(fault, { match: /^\/tile/ });
    const answer = await stage.ask(`${BASE}/tile/8/0/001.p/20`);
    expect(summary(answer)).toMatchObject({ status: 502, cache: NO_STORE });
    expect((await stage.bucketKeys()).filter((key) => key.includes('/tile/'))).toEqual([]);
    database.fault(undefined);
    expect(await stage.ask(`${BASE}/tile/8/0/001.p/20`)).toMatchObject({ status: 200 });
  });

  it('cannot answer a lookup with the record of another version', async () => {
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
});
