import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Fault } from '../fakes/origin/faults.ts';
import { goSums, makeModule, makeVersion } from '../fakes/origin/module.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type FakeSumDB, startSumDB } from '../fakes/sumdb/sumdb.ts';
import { as } from '../fakes/tokens.ts';
import { findAnyGo } from '../go/go.ts';
import { rawRequest, type RawAnswer } from '../conformance/raw-request.ts';
import { type Modferry, startModferry } from './modferry.ts';

// A public origin, and a checksum database, have a module with the path of a private one, and with
// higher versions. In no order of events are they asked about it.

const go = findAnyGo() ?? '';
const PATH = 'corp.example/group/tool';
const MARK = 'the-right-one';

function moduleOf(path: string, mark: string, versions: readonly string[]) {
  const files = { 'go.mod': `module ${path}\n\n// ${mark}\n`, 'x.go': `package x // ${mark}\n` };
  const all = versions.map((version) => [version, makeVersion(path, version, files)] as const);
  return makeModule(path, Object.fromEntries(all));
}

const OWN = ['v1.0.0', 'v1.1.0'];
const LURE = [...OWN, 'v1.99.0'];
const SPARE = 'corp.example/group/other';
const OPEN = 'open.example/hello';

let corp: FakeOrigin;
let outside: FakeOrigin;
let database: FakeSumDB;
beforeAll(async () => {
  if (go === '') return;
  const paths = [PATH, SPARE, ...FAULTS.map((_, index) => coldPath(index))];
  corp = await startOrigin({ modules: paths.map((path) => moduleOf(path, MARK, OWN)) });
  const lures = paths.map((path) => moduleOf(path, 'lure', LURE));
  const open = moduleOf(OPEN, 'open', OWN);
  database = await startSumDB({ go, records: goSums([...lures, open]) });
  outside = await startOrigin({
    modules: [...lures, open],
    carries: { name: database.name, answer: (path) => (path === '/supported' ? '' : undefined) },
  });
});
afterEach(async () => {
  corp?.reset();
  outside?.reset();
  database?.reset();
});
afterAll(async () => {
  await corp?.close();
  await outside?.close();
  await database?.close();
});

/** A module that has not been asked for before. */
const coldPath = (index: number) => `corp.example/group/cold${index}`;

const FAULTS: readonly Fault[] = [
  404,
  { status: 410 },
  401,
  403,
  500,
  { status: 429, headers: { 'retry-after': '1' } },
  'html',
  'hang',
  'reset',
  'truncate',
  'wrong-version',
  'not-a-zip',
  'redirect-loop',
  { 'delay-headers': 700 },
];

const ENDS = ['@v/list', '@latest', '@v/v1.1.0.info', '@v/v1.1.0.mod', '@v/v1.1.0.zip'];
/** What corp does not have, and others do. */
const LURES = ['@v/v1.99.0.info', '@v/v1.99.0.mod', '@v/v1.99.0.zip', '@v/main.info'];

interface Options {
  readonly stateDirectory?: string;
  readonly variables?: Readonly<Record<string, string>>;
}

/** For what never answers. */
const IMPATIENT = { TIMEOUT_HEADERS: '400ms', TIMEOUT_STALL: '400ms', TIMEOUT_TOTAL: '1500ms' };

async function start({ stateDirectory, variables }: Options = {}): Promise<Modferry> {
  const ORIGINS = JSON.stringify([
    // The order does not matter: the public one is the first.
    { name: 'outside', url: outside.url },
    { name: 'corp', url: corp.url, modules: 'corp.example/group', probe: `${PATH}@v1.0.0` },
  ]);
  const modferry = await startModferry({
    variables: {
      ORIGINS,
      SUMDBS: `${database.verifierKey} ${database.url}`,
      ...variables,
    },
    ...(stateDirectory === undefined ? {} : { stateDirectory }),
  });
  onTestFinished(() => modferry.close());
  return modferry;
}

async function askAll(
  modferry: Modferry,
  ends: readonly string[] = [...ENDS, ...LURES],
  path = PATH,
): Promise<readonly RawAnswer[]> {
  const answers: RawAnswer[] = [];
  for (const end of ends)
    answers.push(await rawRequest(modferry.url, `/${path}/${end}`, { headers: as('private') }));
  return answers;
}

/** Nobody outside has heard of a module below the private path, and no answer has their files. */
function expectUnheard(answers: readonly RawAnswer[] = []): void {
  const heard = [...outside.requests, ...database.requests].map(({ path }) => path);
  expect(heard.filter((path) => path.includes('corp.example/group'))).toEqual([]);
  for (const { body, headers } of answers) {
    const text = body.toString('latin1');
    expect(text).not.toContain('lure');
    expect(headers['cache-status']).not.toContain('outside');
    if (headers['content-type'] !== 'application/json') continue;
    expect(JSON.parse(text)).toMatchObject({ Version: expect.stringMatching(/^v1\.[01]\.0$/) });
  }
}

const statuses = (answers: readonly RawAnswer[]) => answers.map(({ status }) => status);

describe.skipIf(go === '')('a public origin with the same module is never asked', () => {
  it('cold and warm', async () => {
    const modferry = await start();
    for (const _ of ['cold', 'warm']) {
      const answers = await askAll(modferry);
      expect(statuses(answers)).toEqual([...ENDS.map(() => 200), ...LURES.map(() => 404)]);
      expect(answers[0]?.body.toString()).toBe('v1.0.0\nv1.1.0\n');
      expectUnheard(answers);
    }
    // The public origin and the database do answer for others.
    expect(statuses(await askAll(modferry, ENDS, OPEN))).toEqual(ENDS.map(() => 200));
    expect([outside.count(OPEN) > 0, database.count(OPEN) > 0]).toEqual([true, true]);
  });

  it('whatever the private origin does, for what is cold, stored, and asked for by many', async () => {
    const modferry = await start({ variables: IMPATIENT });
    await askAll(modferry, ENDS, SPARE);
    for (const [index, fault] of FAULTS.entries()) {
      corp.fault(fault);
      const cold = await askAll(
        modferry,
        ['@latest', '@v/v1.1.0.mod', '@v/v1.1.0.zip'],
        coldPath(index),
      );
      const stored = await askAll(modferry, [...ENDS, '@v/v1.99.0.mod'], SPARE);
      const paths = Array.from({ length: 4 }, (_, at) => `${coldPath(index)}/m${at}`);
      const many = await Promise.all(paths.map((path) => askAll(modferry, ['@v/list'], path)));
      corp.fault(undefined);
      expectUnheard([...cold, ...stored, ...many.flat()]);
      // What is stored is served whatever happens.
      expect([fault, statuses(stored).slice(2, 5)]).toEqual([fault, [200, 200, 200]]);
    }
  });

  it('while the private origin is down, with its breaker open, and after it is back', async () => {
    const modferry = await start();
    await corp.stop();
    for (let times = 0; times < 4; times++) {
      const answers = await askAll(modferry, ['@v/list', '@latest', '@v/v1.99.0.zip']);
      for (const status of statuses(answers)) expect(status).toBeGreaterThanOrEqual(502);
      expectUnheard(answers);
    }
    await corp.restart();
  });

  it('by the scheduled jobs, and after a restart on the same files', async () => {
    const first = await start();
    await askAll(first);
    await first.stop();
    const { stateDirectory } = first;
    const modferry = await start({ stateDirectory });
    const worker = await modferry.miniflare.getWorker();
    expect(await worker.scheduled({ cron: '*/15 * * * *' })).toMatchObject({ outcome: 'ok' });
    corp.fault(500);
    expectUnheard(await askAll(modferry));
    expect(outside.count()).toBeGreaterThan(0); // the probe of the public origin
    expect(corp.count('.mod')).toBeGreaterThan(0); // and that of the private one
  });

  it('for a look-up of the checksum database, whoever asks and however it is written', async () => {
    const modferry = await start();
    const below = `/sumdb/${database.name}/lookup`;
    const targets = [
      `${below}/${PATH}@v1.0.0`,
      `${below}/${PATH}@v1.99.0`,
      `${below}/corp.example%2Fgroup%2Ftool@v1.0.0`,
      `${below}/corp.ex%61mple/group/tool@v1.0.0`,
      `${below}//corp.example/group/tool@v1.0.0`,
      `${below}/${PATH}@v1.0.0/`,
      `${below}/${PATH}@v1.0.0?x=1`,
      `/cached-only${below}/${PATH}@v1.0.0`,
    ];
    for (const target of targets) {
      for (const headers of [{}, as('read'), as('private'), as('admin')]) {
        const { body, status } = await rawRequest(modferry.url, target, { headers });
        expect([target, status]).toEqual([target, expect.toSatisfy(isNoRecord)]);
        expect(body.toString()).not.toContain('h1:');
      }
    }
    expectUnheard();
  });

  it('when the go command asks for the parts of an import path: those that are covered', async () => {
    const modferry = await start();
    const answers = await Promise.all(
      [`${PATH}/cmd/x`, `${PATH}/cmd`, PATH, 'corp.example/group'].map((path) =>
        rawRequest(modferry.url, `/${path}/@v/list`, { headers: as('private') }),
      ),
    );
    expect(statuses(answers)).toEqual([404, 404, 200, 404]);
    expectUnheard();
    // A part in front of what is covered is public, and the public origin hears that part.
    const host = await rawRequest(modferry.url, '/corp.example/@v/list');
    expect([host.status, outside.requests.map(({ path }) => path)]).toEqual([
      404,
      ['/corp.example/@v/list'],
    ]);
  });
});

function isNoRecord(status: number): boolean {
  return status === 401 || status === 403 || status === 404;
}
