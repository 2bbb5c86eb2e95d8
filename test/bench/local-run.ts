import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, npmStart, processName } from '../e2e/npm-start.ts';
import { goSums } from '../fakes/origin/module.ts';
import { startOrigin } from '../fakes/origin/origin.ts';
import { createLog, startLogServer } from '../fakes/sumdb/transparency-log.ts';
import { table } from './table.ts';
import { noiseModule, timedDownload } from './timed-download.ts';

const MODULES = 240;
/** The zips have about 90 MB together. */
const BYTES = 375_000;
const SETTLE_MS = 10_000;
const SAMPLE_MS = 250;
const POLL_MS = 25;
const DOWNLOAD_MS = 600_000;

/** The memory of each process in MB, by its name. */
type Sample = ReadonlyMap<string, number>;

/**
 * The memory of `npm start` ten seconds after its start, and of the same run after one
 * `go mod download` of 240 modules with an empty cache. It is the proportional set size: pages that
 * processes share are divided among them.
 */
export async function measureLocalRun(go: string): Promise<string> {
  const modules = Array.from({ length: MODULES }, (_, index) =>
    noiseModule(`bench.example/m${index}`, { bytes: BYTES, seed: index }),
  );
  const log = createLog();
  for (const lines of goSums(modules)) log.add(lines);
  const origin = await startOrigin({ modules });
  const database = await startLogServer(log);
  const directory = await mkdtemp(join(tmpdir(), 'modferry-bench-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const npm = npmStart({
    PORT: String(port),
    STATE_DIR: directory,
    ORIGINS: origin.url,
    SUMDBS: `${log.verifierKey} ${database.url}`,
  });
  try {
    const healthyMs = await untilHealthy(url);
    await sleep(SETTLE_MS);
    const idle = sample(npm.tree());
    let peak = idle;
    const sampling = setInterval(() => {
      const now = sample(npm.tree());
      if (total(now) > total(peak)) peak = now;
    }, SAMPLE_MS);
    const paths = modules.map(({ path }) => path);
    const result = await timedDownload(go, {
      proxy: url,
      gosumdb: log.verifierKey,
      modules: paths,
      timeout: DOWNLOAD_MS,
    });
    clearInterval(sampling);
    if (result.kind !== 'done') throw new Error(`Cannot download: ${JSON.stringify(result)}`);
    await sleep(SETTLE_MS);
    const after = sample(npm.tree());
    return [
      `npm start: healthy after ${healthyMs} ms, ${MODULES} modules in ${result.seconds.toFixed(1)} s`,
      memoryTable({ idle, peak, after }),
    ].join('\n');
  } finally {
    npm.killAll();
    await database.close();
    await origin.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The milliseconds until /healthz is 200. */
async function untilHealthy(url: string): Promise<number> {
  const started = Date.now();
  for (;;) {
    const response = await fetch(`${url}/healthz`).catch(() => undefined);
    if (response?.status === 200) return Date.now() - started;
    await sleep(POLL_MS);
  }
}

function memoryTable(samples: {
  readonly idle: Sample;
  readonly peak: Sample;
  readonly after: Sample;
}): string {
  const { idle, peak, after } = samples;
  const row = (name: string, memoryOf: (sample: Sample) => number) => [
    name,
    memoryOf(idle).toFixed(0),
    memoryOf(peak).toFixed(0),
    memoryOf(after).toFixed(0),
  ];
  const rows = [...idle.keys()].map((name) => row(name, (sample) => sample.get(name) ?? 0));
  return table(['PSS in MB', 'idle', 'peak', '10 s after'], [...rows, row('all', total)]);
}

function total(sample: Sample): number {
  return [...sample.values()].reduce((sum, value) => sum + value, 0);
}

function sample(pids: readonly number[]): Sample {
  const memory = new Map<string, number>();
  for (const pid of pids) {
    const name = processName(pid);
    if (name !== undefined) memory.set(name, (memory.get(name) ?? 0) + proportionalSetSize(pid));
  }
  return memory;
}

/** Reads proc_pid_smaps(5). */
function proportionalSetSize(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) / 1000;
  } catch {
    return 0; // the process has ended
  }
}
