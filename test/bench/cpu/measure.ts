import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filePath } from '../../fakes/origin/module.ts';
import { type FakeOrigin, startOrigin } from '../../fakes/origin/origin.ts';
import type { FakeServer } from '../../fakes/origin/fake-server.ts';
import { seededRandom } from '../../fakes/effects/seeded-random.ts';
import { createLog, type FakeLog, startLogServer } from '../../fakes/sumdb/transparency-log.ts';
import { startZipJudge } from '../../fakes/zip/zipjudge/judge.ts';
import { findAnyGo } from '../../go/go.ts';
import { type LoggedModule, sourceModule, VERSION } from './modules.ts';
import { type Budgets, cpuTable, type Measured, topFunctions } from './report.ts';
import { type ProfiledModferry, startProfiled } from './stage.ts';

/** What is measured is repeated so often, with other modules, and the median is printed. */
const ROUNDS = 5;
/** A warm request is repeated so often in a round. */
const WARM_REPEATS = 5;
/** Fresh isolates that are asked for their first `.mod`. */
const FRESH_ISOLATES = 8;
/** About that of sum.golang.org. */
const LOG_RECORDS = 50_000_000;

/** The zips of a round. The last is over 8 MiB, so it is streamed. */
const ZIPS = [
  { name: '60kB', bytes: 60_000, count: 20 },
  { name: '1MB', bytes: 1_000_000, count: 6 },
  { name: '5MB', bytes: 5_000_000, count: 3 },
  { name: '12MB', bytes: 12_000_000, count: 2 },
] as const;

interface Stage {
  readonly script: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly log: FakeLog;
  readonly measured: Measured;
  readonly budgets: Budgets;
}

type Round = readonly { readonly name: string; readonly modules: readonly LoggedModule[] }[];

/**
 * The CPU time of the Worker for each kind of request, beside its budget. `top` names kinds whose
 * functions are listed.
 */
export async function measureCpu(script: string, top: readonly string[]): Promise<string> {
  const rounds: Round[] = Array.from({ length: ROUNDS }, (_, round) =>
    ZIPS.map(({ name, bytes, count }) => ({
      name,
      modules: Array.from({ length: count }, (_, at) =>
        sourceModule(`cpu.example/r${round}/${name.toLowerCase()}/m${at}`, bytes),
      ),
    })),
  );
  const known = sourceModule('cpu.example/known', 1_000);
  const modules = [known, ...rounds.flat().flatMap(({ modules }) => modules)];
  const log = logOf(modules);
  const origin = await startOrigin({ modules: modules.map(({ module }) => module) });
  const database = await startLogServer(log);
  const stage = stageOf(script, log, { origin, database });
  try {
    await withModferry(stage, { VERIFY: 'all' }, async (modferry) => {
      await modferry.request([modPath(known)]);
      for (const round of rounds) await measureRound(stage, modferry, round);
    });
    await withModferry(stage, { VERIFY: 'mod' }, async (modferry) => {
      for (const round of rounds) await measureUnhashedZips(stage, modferry, round);
    });
    for (let isolate = 0; isolate < FRESH_ISOLATES; isolate++) {
      await withModferry(stage, { VERIFY: 'all' }, (modferry) =>
        measure(stage, { kind: 'mod-first', budgetMs: 8, modferry, paths: [modPath(known)] }),
      );
      await withModferry(stage, { VERIFY: 'mod' }, (modferry) => measureCron(stage, modferry));
    }
  } finally {
    await origin.close();
    await database.close();
  }
  for (const { name, modules } of rounds[0] ?? []) await budgetByGo(stage.budgets, name, modules);
  return [
    cpuTable(stage.measured, stage.budgets),
    ...top.map((kind) => topFunctions(kind, stage.measured)),
  ].join('\n\n');
}

function stageOf(
  script: string,
  log: FakeLog,
  { origin, database }: { readonly origin: FakeOrigin; readonly database: FakeServer },
): Stage {
  const variables = { ORIGINS: origin.url, SUMDBS: `${log.verifierKey} ${database.url}` };
  return { script, variables, log, measured: new Map(), budgets: new Map() };
}

/** The records of the modules, at random places of a log of a real height. */
function logOf(modules: readonly LoggedModule[]): FakeLog {
  const random = seededRandom(2);
  const records = new Map(modules.map(({ record }) => [random.below(LOG_RECORDS), record]));
  return createLog({ start: { size: LOG_RECORDS, records } });
}

async function withModferry(
  { script, variables }: Stage,
  settings: Readonly<Record<string, string>>,
  use: (modferry: ProfiledModferry) => Promise<void>,
): Promise<void> {
  const modferry = await startProfiled(script, { ...variables, ...settings });
  try {
    await use(modferry);
  } finally {
    await modferry.close();
  }
}

interface Measurement {
  readonly kind: string;
  readonly budgetMs?: number;
  readonly modferry: ProfiledModferry;
  readonly paths: readonly string[];
  readonly status?: number;
}

async function measure(
  { measured, budgets }: Stage,
  { kind, budgetMs, modferry, paths, status }: Measurement,
): Promise<void> {
  const whole = await modferry.profile(paths, status);
  const each = (ms: number) => ms / paths.length;
  const profiles = measured.get(kind) ?? [];
  measured.set(kind, profiles);
  profiles.push({
    totalMs: each(whole.totalMs),
    garbageCollectionMs: each(whole.garbageCollectionMs),
    functions: whole.functions.map(({ name, selfMs, withCalleesMs }) => ({
      name,
      selfMs: each(selfMs),
      withCalleesMs: each(withCalleesMs),
    })),
  });
  if (budgetMs !== undefined) budgets.set(kind, budgetMs);
}

/** The first run of the scheduled jobs of the free plan: all of them are due. */
async function measureCron({ measured, budgets }: Stage, modferry: ProfiledModferry) {
  const profiles = measured.get('cron-first') ?? [];
  measured.set('cron-first', [...profiles, await modferry.profileCron()]);
  budgets.set('cron-first', 10);
}

/** Measures cold requests, and then the same ones warm. */
async function measureBoth(stage: Stage, { kind, paths, ...rest }: Measurement): Promise<void> {
  await measure(stage, { ...rest, kind: `${kind}-cold`, paths });
  const again = Array.from({ length: WARM_REPEATS }, () => paths).flat();
  await measure(stage, { ...rest, kind: `${kind}-warm`, paths: again, budgetMs: 1 });
}

async function measureRound(stage: Stage, modferry: ProfiledModferry, round: Round): Promise<void> {
  const [first, ...others] = round;
  if (!first) return;
  const small = first.modules;
  const below = (rest: string) => small.map(({ module }) => `/${module.path}/${rest}`);
  const cheap = { modferry, budgetMs: 3 };
  await measureBoth(stage, { ...cheap, kind: 'list', paths: below('@v/list') });
  await measureBoth(stage, { ...cheap, kind: 'latest', paths: below('@latest') });
  await measureBoth(stage, { ...cheap, kind: 'info', paths: below(`@v/${VERSION}.info`) });
  const missing = below('missing/@v/list');
  await measureBoth(stage, { ...cheap, kind: '404', paths: missing, status: 404 });
  await measureBoth(stage, { modferry, kind: 'mod', budgetMs: 5, paths: small.map(modPath) });
  const database = `/sumdb/${stage.log.name}`;
  const lookups = small.map(({ module }) => `${database}/lookup/${module.path}@${VERSION}`);
  const warm = { modferry, budgetMs: 1 };
  await measure(stage, { ...warm, kind: 'lookup-warm', paths: [...lookups, ...lookups] });
  const tiles = Array.from({ length: 50 }, () => `${database}/tile/8/1/001`);
  await modferry.request(tiles.slice(0, 1));
  await measure(stage, { ...warm, kind: 'tile-warm', paths: tiles });
  for (const { modules } of others) await modferry.request(modules.map(modPath));
  for (const { name, modules } of round)
    await measureBoth(stage, { modferry, kind: `zip-${name}-all`, paths: modules.map(zipPath) });
}

/** Zips whose hash is not compared. */
async function measureUnhashedZips(
  stage: Stage,
  modferry: ProfiledModferry,
  round: Round,
): Promise<void> {
  for (const { name, modules } of round) {
    await modferry.request(modules.map(modPath));
    const budgetMs = 3 + zipBytes(modules) / 1_000_000;
    const paths = modules.map(zipPath);
    await measure(stage, { modferry, kind: `zip-${name}-mod-cold`, budgetMs, paths });
  }
}

/** A hashed zip may take 1.5 times what Go takes. Without a go command it has no budget. */
async function budgetByGo(
  budgets: Budgets,
  name: string,
  [first]: readonly LoggedModule[],
): Promise<void> {
  const go = findAnyGo();
  const zip = first?.module.versions[VERSION]?.zip;
  if (!go || !(zip instanceof Uint8Array)) return;
  const directory = await mkdtemp(join(tmpdir(), 'modferry-bench-'));
  const judge = await startZipJudge(go);
  try {
    const file = join(directory, 'module.zip');
    await writeFile(file, zip);
    const { seconds } = await judge.time(file, 21);
    // It is one thread that never waits, so its fastest run is its CPU time also on a busy machine.
    budgets.set(`zip-${name}-all-cold`, 1.5 * 1000 * Math.min(...seconds));
  } finally {
    await judge.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function modPath({ module }: LoggedModule): string {
  return filePath(module.path, VERSION, 'mod');
}

function zipPath({ module }: LoggedModule): string {
  return filePath(module.path, VERSION, 'zip');
}

function zipBytes([first]: readonly LoggedModule[]): number {
  const zip = first?.module.versions[VERSION]?.zip;
  return zip instanceof Uint8Array ? zip.length : 0;
}
