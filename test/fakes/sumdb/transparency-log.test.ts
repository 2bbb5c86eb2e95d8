import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findAnyGo, freshGoHome, runGo } from '../../go/go.ts';
import { goSums } from '../origin/module.ts';
import { hello } from '../origin/modules.ts';
import { startOrigin } from '../origin/origin.ts';
import { type FakeSumDB, fillerRecords, startSumDB } from './sumdb.ts';
import { createLog, startLogServer } from './transparency-log.ts';

// x/mod as the judge: its own database, and the go command.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });
const go = findAnyGo() ?? '';
const RECORDS = fillerRecords(700);

const unsigned = (note: string) => note.slice(0, note.lastIndexOf('\n\n'));

describe.skipIf(go === '')('with a database of x/mod', () => {
  let database: FakeSumDB;
  const log = createLog();

  beforeAll(async () => {
    database = await startSumDB({ go, records: RECORDS });
    for (const lines of RECORDS) log.add(lines);
  });
  afterAll(() => database.close());

  it.each([
    '/tile/8/0/000',
    '/tile/8/0/001',
    '/tile/8/0/002.p/188',
    '/tile/8/0/002.p/7',
    '/tile/8/1/000.p/2',
    '/tile/8/data/000',
    '/tile/8/data/002.p/188',
    '/tile/8/0/002',
    '/tile/8/0/002.p/189',
    '/tile/8/1/000.p/3',
    '/tile/8/2/000.p/1',
  ])('%s is the same', async (path) => {
    const response = await fetch(`${database.url}${path}`);
    const body = log.answer(path);
    expect(body === undefined ? undefined : Buffer.from(body).toString('hex')).toBe(
      response.ok ? Buffer.from(await response.bytes()).toString('hex') : undefined,
    );
  });

  it.each(['/latest', '/lookup/filler.example/m@v0.0.0', '/lookup/filler.example/m@v0.0.699'])(
    '%s is the same up to the signature',
    async (path) => {
      expect(unsigned(String(log.answer(path)))).toBe(
        unsigned(await (await fetch(`${database.url}${path}`)).text()),
      );
    },
  );
});

describe.skipIf(go === '')('for the go command', () => {
  it('a log verifies, and its fork is a security error', async () => {
    const home = await freshGoHome();
    const origin = await startOrigin({ modules: [hello()] });
    const log = createLog();
    for (const lines of fillerRecords(300)) log.add(lines);
    let served = log;
    const server = await startLogServer(() => served);
    const gosumdb = `${log.verifierKey} ${server.url}`;
    const download = (version: string) =>
      runGo(go, ['mod', 'download', `example.com/hello@${version}`], {
        home,
        proxy: origin.url,
        gosumdb,
      });
    try {
      // After the first 256 records: within a tile that go has in its cache it would see a damaged
      // tile and not the fork.
      const forked = log.fork(280);
      for (const lines of fillerRecords(500).slice(350)) forked.add(lines); // and is the longer one
      for (const one of [log, forked]) for (const lines of goSums([hello()])) one.add(lines);
      expect(await download('v1.1.0')).toMatchObject({ code: 0, stderr: '' });
      expect(server.count('/tile/8/')).toBeGreaterThan(0);
      served = forked;
      expect((await download('v1.0.0')).stderr).toContain('SECURITY ERROR');
    } finally {
      await Promise.all([server.close(), origin.close(), home.close()]);
    }
  });
});

it('a log with a start that takes no memory is the log of the same records', () => {
  const sparse = createLog({ start: { size: 1000, records: new Map([[500, 'one\n']]) } });
  const lines = String(sparse.answer('/tile/8/data/000')).split('\n\n');
  const full = createLog({ keyFrom: sparse });
  for (let id = 0; id < 1000; id++) full.add(id === 500 ? 'one\n' : `${lines[0]}\n`);
  for (const log of [sparse, full]) log.add('two\n');
  expect(sparse.treeHead()).toBe(full.treeHead());
  for (const path of ['/tile/8/0/001', '/tile/8/0/003.p/233', '/tile/8/1/000.p/3'])
    expect(sparse.answer(path)).toEqual(full.answer(path));
  expect(sparse.fork(700).treeHead()).toBe(full.fork(700).treeHead());
});
