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
/** Seconds after which a download is given up. */
const PATIENCE = 120;

/** What both sides of a comparison need. */
interface World {
  readonly script: string;
  readonly go: string;
  readonly database: FakeSumDB;
  /** Of the first run, and of the second: nothing of it is stored yet. */
  readonly sets: readonly [readonly FakeModule[], readonly FakeModule[]];
  /** The second of two origins, which is always well. */
  readonly second: FakeOrigin;
}

/** What one fresh modferry took, and asked. */
interface Measured {
  readonly cold: TimedDownload;
  readonly learnt: TimedDownload;
  /** Asked of the first origin in the cold run. */
  readonly firstCold: number;
  /** Asked of the first origin in the learnt run. */
  readonly firstLearnt: number;
  readonly second: number;
  /** Asked of both beyond once for every file. */
  readonly extra: number;
}

/**
 * What a fault of the first of two origins costs: the wall time of a `go mod download` through a
 * modferry that has just been started (cold) and of another one directly afterwards (learnt), and
 * how both compare with those when all is well. Each is the median of three, and well ones are
 * measured beside every fault, so that nothing else of this machine makes the difference.
 *
 * "extra" counts what the origins were asked beyond once for every file, in both runs: requests
 * that failed, hedges, and the rest of what broke. A fault below HTTP counts by its connections,
 * and those that nobody sees (refused, dropped) not at all.
 */
export async function measureFaults(
  script: string,
  go: string,
  {
    faults = ORIGIN_FAULTS,
    repeats = REPEATS,
  }: { faults?: readonly OriginFault[]; repeats?: number } = {},
): Promise<string> {
  const sets = [moduleSet('cold', 1), moduleSet('learnt', 2)] as const;
  const modules = sets.flat();
  const database = await startSumDB({ go, records: goSums(modules) });
  const second = await startOrigin({ modules });
  const world = { script, go, database, sets, second };
  try {
    const rows: string[][] = [];
    const allWell: Measured[] = [];
    await measure(world, () => wellOrigin(world)); // the first one of all finds cold files and cold code
    for (const fault of faults) {
      const { well, bad } = await compare(world, fault, repeats);
      allWell.push(...well);
      rows.push(row(fault.name, { measured: bad, well }));
    }
    rows.unshift(row('all well', { measured: allWell, well: allWell }));
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
  'learnt s',
  'ratio',
  'asked 1st cold',
  'learnt',
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

/** Both sides, in turns: what comes first is second the next time. */
async function compare(
  world: World,
  fault: OriginFault,
  repeats: number,
): Promise<{ readonly well: readonly Measured[]; readonly bad: readonly Measured[] }> {
  const [well, bad]: [Measured[], Measured[]] = [[], []];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const sides = [
      async () => void well.push(await measure(world, () => wellOrigin(world))),
      async () =>
        void bad.push(
          await measure(world, () => startBadOrigin(fault, { modules: world.sets.flat() })),
        ),
    ];
    for (const side of repeat % 2 === 0 ? sides : sides.toReversed()) await side();
  }
  return { well, bad };
}

async function wellOrigin({
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
  startFirst: () => ReturnType<typeof wellOrigin>,
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
      timeout: PATIENCE * 1000,
    });
  try {
    const cold = await download(world.sets[0]);
    const firstCold = first.asked();
    const learnt = await download(world.sets[1]);
    const files = new Set([...first.paths(), ...second.requests.map(({ path }) => path)]);
    return {
      cold,
      learnt,
      firstCold,
      firstLearnt: first.asked() - firstCold,
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
  { measured, well }: { measured: readonly Measured[]; well: readonly Measured[] },
): string[] {
  const count = (of: (one: Measured) => number) => median(measured.map(of)).toFixed(0);
  const times = (of: (one: Measured) => TimedDownload) => {
    const [ours, theirs] = [seconds(measured.map(of)), seconds(well.map(of))];
    if (typeof ours === 'string') return [ours, ''];
    return [ours.toFixed(2), typeof theirs === 'string' ? '' : (ours / theirs).toFixed(2)];
  };
  return [
    name,
    ...times(({ cold }) => cold),
    ...times(({ learnt }) => learnt),
    count(({ firstCold }) => firstCold),
    count(({ firstLearnt }) => firstLearnt),
    count(({ second }) => second),
    count(({ extra }) => extra),
  ];
}

/** The median, or in words how many have none. */
function seconds(downloads: readonly TimedDownload[]): number | string {
  const failed = downloads.filter(({ kind }) => kind === 'failed').length;
  if (failed > 0) return `${failed} of ${downloads.length} failed`;
  if (downloads.some(({ kind }) => kind === 'killed')) return `>${PATIENCE}`;
  return median(downloads.map((one) => (one.kind === 'done' ? one.seconds : Number.NaN)));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/**
 * `node test/bench/faults.ts` measures all of them, `node test/bench/faults.ts refused "status
 * 500"` these, once.
 */
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const names = process.argv.slice(2);
  const go = findAnyGo();
  if (go === undefined) throw new Error('Cannot measure downloads: no go command was found');
  const options = names.length === 0 ? {} : { faults: names.map(originFault), repeats: 1 };
  process.stdout.write(`${await measureFaults(await buildWorker(), go, options)}\n`);
}
