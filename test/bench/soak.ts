import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildWorker } from '../../src/cli/local/build.ts';
import { startLazyOrigin } from '../fakes/origin/lazy-origin.ts';
import type { FakeServer } from '../fakes/origin/fake-server.ts';
import { seededRandom } from '../fakes/effects/seeded-random.ts';
import { startSumDB } from '../fakes/sumdb/sumdb.ts';
import { findAnyGo } from '../go/go.ts';
import { startBenchModferry } from './bench-modferry.ts';
import { startFlapping } from './flapping.ts';
import { usageOf, workerdChildren } from './process-usage.ts';
import { type Download, newSoakDeveloper } from './soak-developer.ts';
import { soakModules } from './soak-modules.ts';
import { table } from './table.ts';

const DEVELOPERS = 30;
const ORIGINS = 3;
/** The number of failures that are printed. */
const SHOWN = 5;

/**
 * `npm run soak`: thirty clients download through one modferry while its three origins fail and
 * recover at random. The exit code is 0 if no download failed and no hash was wrong, else 1.
 * MODFERRY_SOAK_SECONDS is the duration, default 300. MODFERRY_SOAK_SEED repeats the random choices
 * of an earlier run.
 */
async function main(): Promise<void> {
  const seconds = numberFrom('MODFERRY_SOAK_SECONDS', 300);
  const seed = numberFrom('MODFERRY_SOAK_SEED', randomInt(2 ** 31));
  const go = findAnyGo();
  if (go === undefined) throw new Error('Cannot soak modferry: no go command was found');
  console.log(`${seconds} s, MODFERRY_SOAK_SEED=${seed}`);

  const modules = soakModules();
  const database = await startSumDB({ go });
  const origins: FakeServer[] = [];
  for (let at = 0; at < ORIGINS; at++) origins.push(await startLazyOrigin(modules.find));
  const errors: string[] = [];
  const modferry = await startBenchModferry({
    script: await buildWorker(),
    origins: origins.map(({ url }) => url),
    database,
    onLog: (line) => void (/"status":5\d\d/.test(line) && errors.push(line)),
  });
  const flapping = startFlapping(origins, seededRandom(seed));
  const downloads: Download[] = [];
  const end = Date.now() + seconds * 1000;
  const report = setInterval(() => console.log(progress(downloads)), 30_000);
  const [workerd] = workerdChildren();
  const work = async (index: number) => {
    const random = seededRandom(seed + 1 + index);
    const developer = newSoakDeveloper({ go, proxy: modferry.url, database, modules, random });
    while (Date.now() < end) {
      const download = await developer.download();
      downloads.push(download);
      if (download.failure !== undefined) await sleep(1000); // a failure is not retried at once
    }
  };
  try {
    await Promise.all(Array.from({ length: DEVELOPERS }, (_, index) => work(index)));
  } finally {
    clearInterval(report);
    await flapping.stop();
    const memory =
      workerd === undefined ? '' : `, workerd has ${mebibytes(usageOf(workerd).resident)} MiB`;
    console.log(
      `\n${progress(downloads)}${memory}\n\n${requestTable(origins)}\n\n${flapTable(flapping.flaps)}`,
    );
    await modferry.close();
    await database.close();
    for (const origin of origins) await origin.close();
  }
  process.exitCode = verdict(downloads, errors);
}

function progress(downloads: readonly Download[]): string {
  const times = downloads.map(({ seconds }) => seconds).toSorted((a, b) => a - b);
  const at = (share: number) => (times[Math.floor((times.length - 1) * share)] ?? 0).toFixed(1);
  const modules = downloads.reduce((sum, download) => sum + download.modules.length, 0);
  return (
    `${downloads.length} downloads of ${modules} modules, ${failed(downloads).length} failed, ` +
    `${wrong(downloads).length} with wrong bytes; ` +
    `median ${at(0.5)} s, 99 of 100 within ${at(0.99)} s, slowest ${at(1)} s`
  );
}

const failed = (downloads: readonly Download[]) =>
  downloads.filter(({ failure }) => failure !== undefined);
/** A checksum mismatch that the go command reports counts both as a failure and as wrong bytes. */
const wrong = (downloads: readonly Download[]) =>
  downloads.filter(
    ({ failure = '', wrong }) => wrong.length > 0 || failure.includes('checksum mismatch'),
  );

function requestTable(origins: readonly FakeServer[]): string {
  const rows = origins.map(({ requests }, at) => {
    const answered = requests.filter(({ state }) => state === 'answered');
    const withFile = answered.filter(({ status }) => status === 200 || status === 206);
    const cells = [
      requests.length,
      withFile.length,
      answered.length - withFile.length,
      requests.length - answered.length,
    ];
    return [`origin ${at + 1}`, ...cells.map(String)];
  });
  return table(['requests', 'all', 'with a file', 'with something else', 'broken off'], rows);
}

function flapTable(flaps: ReadonlyMap<string, number>): string {
  const total = [...flaps.values()].reduce((sum, count) => sum + count, 0);
  return table(
    ['flaps', String(total)],
    [...flaps].map(([name, count]) => [name, String(count)]),
  );
}

/** Returns the exit code, and prints what went wrong. */
function verdict(downloads: readonly Download[], errors: readonly string[]): number {
  if (downloads.length === 0) console.error('\nNothing was downloaded');
  for (const { modules, seconds, failure } of failed(downloads).slice(0, SHOWN)) {
    console.error(`\nFailed after ${seconds.toFixed(1)} s: ${modules.join(' ')}\n${failure}`);
  }
  for (const { wrong } of downloads
    .filter((download) => download.wrong.length > 0)
    .slice(0, SHOWN)) {
    console.error(`\nOther hashes than they must have: ${wrong.join(' ')}`);
  }
  for (const line of errors.slice(0, SHOWN)) console.error(`\nmodferry's log: ${line}`);
  const isGood = downloads.length > 0 && failed(downloads).length + wrong(downloads).length === 0;
  return isGood ? 0 : 1;
}

function mebibytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(0);
}

function numberFrom(variable: string, otherwise: number): number {
  const text = process.env[variable] ?? '';
  if (text === '') return otherwise;
  if (!/^\d{1,10}$/.test(text))
    throw new Error(`Cannot use ${variable} "${text}": it is no whole number`);
  return Number(text);
}

await main();
