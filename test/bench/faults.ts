import { pathToFileURL } from 'node:url';
import { buildWorker } from '../../src/cli/local/build.ts';
import {
  type BadOrigin,
  ORIGIN_FAULTS,
  type OriginFault,
  originFault,
  startBadOrigin,
} from '../fakes/origin/bad-origins.ts';
import { type FakeModule, goSums } from '../fakes/origin/module.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type FakeSumDB, startSumDB } from '../fakes/sumdb/sumdb.ts';
import { findAnyGo } from '../go/go.ts';
import { startBenchModferry } from './bench-modferry.ts';
import { measureRecovery } from './recovery.ts';
import { table } from './table.ts';
import { noiseModule, type TimedDownload, timedDownload } from './timed-download.ts';

const REPEATS = 3;
const MODULES = 30;
/** Zips of 100 to 500 KB. */
const bytesOf = (index: number) => 100_000 + Math.floor((index * 400_000) / (MODULES - 1));
/** Seconds after which a download is killed. */
const LIMIT_SECONDS = 120;

/** The common parts of both sides of a comparison. */
interface World {
  readonly script: string;
  readonly go: string;
  readonly database: FakeSumDB;
  /**
   * The modules of the cold run, and others for the adapted run, so that none of those is stored
   * yet.
   */
  readonly sets: readonly [readonly FakeModule[], readonly FakeModule[]];
  /** The second of two origins, which is always healthy. */
  readonly second: FakeOrigin;
}

/** The times of one fresh modferry, and its numbers of requests. */
interface Measured {
  readonly cold: TimedDownload;
  readonly adapted: TimedDownload;
  /** Requests to the first origin in the cold run. */
  readonly firstCold: number;
  /** Requests to the first origin in the adapted run. */
  readonly firstAdapted: number;
  /** Requests to the second origin in both runs. */
  readonly second: number;
  /** Requests to both origins in both runs, beyond one for every file. */
  readonly extra: number;
}

/**
 * The cost of a fault of the first of two origins: the wall time of a `go mod download` through a
 * modferry that has just started (`cold`), and of a second one directly afterwards, when modferry
 * has adapted to the fault (`adapted`). Both are compared with a baseline of two healthy origins.
 * Each time is the median of three. The baseline is measured again beside every fault, so that
 * other load of the machine affects both sides.
 *
 * "extra" counts the requests beyond one for every file, in both runs: failed requests, hedges, and
 * resumed bodies. For a fault below HTTP, connections are counted; refused and dropped ones cannot
 * be counted.
 */
export async function measureFaults(
  script: string,
  go: string,
  {
    faults = ORIGIN_FAULTS,
    repeats = REPEATS,
  }: { faults?: readonly OriginFault[]; repeats?: number } = {},
): Promise<string> {
  const sets = [moduleSet('cold', 1), moduleSet('adapted', 2)] as const;
  const modules = sets.flat();
  const database = await startSumDB({ go, records: goSums(modules) });
  const second = await startOrigin({ modules });
  const world = { script, go, database, sets, second };
  try {
    const rows: string[][] = [];
    const baselines: Measured[] = [];
    await measure(world, () => healthyOrigin(world)); // a warm-up of file caches and compiled code
    for (const fault of faults) {
      const { baseline, faulty } = await compare(world, fault, repeats);
      baselines.push(...baseline);
      rows.push(row(fault.name, { measured: faulty, baseline }));
    }
    rows.unshift(row('no fault', { measured: baselines, baseline: baselines }));
    return `${table(HEADINGS, rows)}\n\n${await measureRecovery(world)}`;
  } finally {
    await second.close();
    await database.close();
  }
}

const HEADINGS = [
  `first of two origins, ${MODULES} modules`,
  'cold s',
  'ratio',
  'adapted s',
  'ratio',
  'asked 1st cold',
  'adapted',
  'asked 2nd',
  'extra',
];

function moduleSet(name: string, seed: number): FakeModule[] {
  return Array.from({ length: MODULES }, (_, index) =>
    noiseModule(`${name}.example/m${index}`, {
      bytes: bytesOf(index),
      seed: seed * MODULES + index,
    }),
  );
}

/** Measures both sides, and alternates which of them comes first. */
async function compare(
  world: World,
  fault: OriginFault,
  repeats: number,
): Promise<{ readonly baseline: readonly Measured[]; readonly faulty: readonly Measured[] }> {
  const [baseline, faulty]: [Measured[], Measured[]] = [[], []];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const sides = [
      async () => void baseline.push(await measure(world, () => healthyOrigin(world))),
      async () =>
        void faulty.push(
          await measure(world, () => startBadOrigin(fault, { modules: world.sets.flat() })),
        ),
    ];
    for (const side of repeat % 2 === 0 ? sides : sides.toReversed()) await side();
  }
  return { baseline, faulty };
}

async function healthyOrigin({
  sets,
}: World): Promise<Pick<BadOrigin, 'url' | 'asked' | 'paths' | 'close'>> {
  const origin = await startOrigin({ modules: sets.flat() });
  return {
    url: origin.url,
    asked: () => origin.requests.length,
    paths: () => origin.requests.map(({ path }) => path),
    close: () => origin.close(),
  };
}

async function measure(
  world: World,
  startFirst: () => ReturnType<typeof healthyOrigin>,
): Promise<Measured> {
  const { go, second, database } = world;
  second.reset();
  const first = await startFirst();
  const modferry = await startBenchModferry({ ...world, origins: [first.url, second.url] });
  const download = (set: readonly FakeModule[]) =>
    timedDownload(go, {
      proxy: modferry.url,
      gosumdb: database.verifierKey,
      modules: set.map(({ path }) => path),
      timeout: LIMIT_SECONDS * 1000,
    });
  try {
    const cold = await download(world.sets[0]);
    const firstCold = first.asked();
    const adapted = await download(world.sets[1]);
    const files = new Set([...first.paths(), ...second.requests.map(({ path }) => path)]);
    return {
      cold,
      adapted,
      firstCold,
      firstAdapted: first.asked() - firstCold,
      second: second.requests.length,
      extra: first.asked() + second.requests.length - files.size,
    };
  } finally {
    await modferry.close();
    await first.close();
  }
}

function row(
  name: string,
  { measured, baseline }: { measured: readonly Measured[]; baseline: readonly Measured[] },
): string[] {
  const count = (of: (one: Measured) => number) => median(measured.map(of)).toFixed(0);
  const times = (of: (one: Measured) => TimedDownload) => {
    const [time, usual] = [seconds(measured.map(of)), seconds(baseline.map(of))];
    if (typeof time === 'string') return [time, ''];
    return [time.toFixed(2), typeof usual === 'string' ? '' : (time / usual).toFixed(2)];
  };
  return [
    name,
    ...times(({ cold }) => cold),
    ...times(({ adapted }) => adapted),
    count(({ firstCold }) => firstCold),
    count(({ firstAdapted }) => firstAdapted),
    count(({ second }) => second),
    count(({ extra }) => extra),
  ];
}

/** The median time in seconds, or a text when downloads failed or were killed. */
function seconds(downloads: readonly TimedDownload[]): number | string {
  const failed = downloads.filter(({ kind }) => kind === 'failed').length;
  if (failed > 0) return `${failed} of ${downloads.length} failed`;
  if (downloads.some(({ kind }) => kind === 'killed')) return `>${LIMIT_SECONDS}`;
  return median(downloads.map((one) => (one.kind === 'done' ? one.seconds : Number.NaN)));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/**
 * `node test/bench/faults.ts` measures all faults. `node test/bench/faults.ts refused "status 500"`
 * measures these two, once each.
 */
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const names = process.argv.slice(2);
  const go = findAnyGo();
  if (go === undefined) throw new Error('Cannot measure downloads: no go command was found');
  const options = names.length === 0 ? {} : { faults: names.map(originFault), repeats: 1 };
  process.stdout.write(`${await measureFaults(await buildWorker(), go, options)}\n`);
}
