import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, type ExpectStatic, it } from 'vitest';
import { ORIGIN_FAULTS, type OriginFault, startBadOrigin } from '../fakes/origin/bad-origins.ts';
import { type FakeModule, goSums, makeModule, makeVersion } from '../fakes/origin/module.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type FakeSumDB, startSumDB } from '../fakes/sumdb/sumdb.ts';
import { noise } from '../fakes/zip/zip-writer.ts';
import { findAnyGo } from '../go/go.ts';
import { download } from './download.ts';
import { type Modferry, startModferry } from './modferry.ts';

// Everything that an origin may do wrong, with real sockets: at the first of two, at both, and when
// the fault is over. The clocks are real too, so limits are short and the tests run concurrently.

const PATH = 'example.com/much';
const MUCH: FakeModule = makeModule(PATH, {
  'v1.0.0': makeVersion(PATH, 'v1.0.0', {
    'go.mod': `module ${PATH}\n`,
    'data.bin': noise(200_000),
  }),
});
const FILES = ['@v/list', '@v/v1.0.0.info', '@v/v1.0.0.mod', '@v/v1.0.0.zip', '@latest'];
/** Those whose hash the checksum database has: that a list is wrong cannot be detected. */
const CHECKED = ['@v/v1.0.0.mod', '@v/v1.0.0.zip'];
const go = findAnyGo();

let good: FakeOrigin;
let database: FakeSumDB;
beforeAll(async () => {
  good = await startOrigin({ modules: [MUCH] });
  database = await startSumDB({ go: go ?? 'go', records: goSums([MUCH]) });
});
afterAll(async () => {
  await database.close();
  await good.close();
});

async function startWith(...origins: readonly string[]): Promise<Modferry> {
  return startModferry({
    variables: {
      ORIGINS: origins.join('|'),
      SUMDBS: `${database.verifierKey} ${database.url}`,
      TIMEOUT_HEADERS: '2s',
      TIMEOUT_STALL: '2s',
      TIMEOUT_TOTAL: '4s',
    },
  });
}

/** Status and hash of every file, asked for one after the other. */
async function everyFile(url: string, files = FILES): Promise<readonly object[]> {
  const answers: object[] = [];
  for (const file of files) {
    const { broken, sha256, status } = await download(`${url}/${PATH}/${file}`);
    answers.push({ file, status, sha256, broken });
  }
  return answers;
}

async function filesOfGood(files = FILES): Promise<readonly object[]> {
  const answers: object[] = [];
  for (const file of files) {
    const body = new Uint8Array(await (await fetch(`${good.url}/${PATH}/${file}`)).arrayBuffer());
    answers.push({
      file,
      status: 200,
      sha256: createHash('sha256').update(body).digest('hex'),
      broken: false,
    });
  }
  return answers;
}

const table = ORIGIN_FAULTS.map((fault) => [fault.name, fault] as const);

// Without a go command there is no checksum database.
describe
  .skipIf(!go)
  .concurrent('an origin with a fault (skipped where there is no go command)', () => {
    it.for(table)(
      '%s, at the first of two, does not reach the client, and that origin is asked a few times at most',
      async ([, fault], { expect }) => {
        const bad = await startBadOrigin(fault, { modules: [MUCH] });
        const modferry = await startWith(bad.url, good.url);
        try {
          const files = fault.name === 'wrong bytes' ? CHECKED : FILES;
          expect(await everyFile(modferry.url, files)).toEqual(await filesOfGood(files));
          // Each of the five files at most once; a loop of redirects is up to eleven requests. How
          // many of them ask this origin again, to see whether it recovered, depends on the time.
          const perFile = fault.name === 'redirect loop' ? 11 : 1;
          // A 403 is no failure: such an origin is also asked whether it carries the database.
          const others = fault.name === 'status 403' ? 1 : 0;
          expect(bad.asked()).toBeLessThanOrEqual(5 * perFile + others);
        } finally {
          await modferry.close();
          await bad.close();
        }
      },
    );

    it.for(table)(
      '%s, at both, is an error that names both, and never a 404 or a wrong file',
      async ([, fault], { expect }) => {
        const [one, two] = [
          await startBadOrigin(fault, { modules: [MUCH] }),
          await startBadOrigin(fault, { modules: [MUCH] }),
        ];
        const modferry = await startWith(one.url, two.url);
        try {
          const answer = await fetch(`${modferry.url}/${PATH}/@v/v1.0.0.zip`);
          const isRefusal = fault.name === 'status 403';
          expect(isRefusal ? [403] : [502, 503, 504]).toContain(answer.status);
          expect(answer.headers.get('cache-control')).toBe('no-store');
          const text = await answer.text();
          for (const { url } of isRefusal ? [one] : [one, two])
            expect(text).toContain(new URL(url).host);
          await expectRecovery({ fault, bad: [one, two], modferry, expect });
        } finally {
          await modferry.close();
          await one.close();
          await two.close();
        }
      },
    );
  });

interface Recovery {
  readonly fault: OriginFault;
  readonly bad: readonly { mend(): Promise<void> }[];
  readonly modferry: Modferry;
  readonly expect: ExpectStatic;
}

/** Where the fault passes, the next request succeeds, whatever was recorded before. */
async function expectRecovery({ fault, bad, modferry, expect }: Recovery): Promise<void> {
  if (!fault.recovers) return;
  for (const origin of bad) await origin.mend();
  // The refusal of the zip is remembered for 30 s, as a 404 would be.
  const files =
    fault.name === 'status 403' ? FILES.filter((file) => !file.endsWith('.zip')) : FILES;
  expect(await everyFile(modferry.url, files)).toEqual(await filesOfGood(files));
}
