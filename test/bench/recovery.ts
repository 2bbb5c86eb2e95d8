import { setTimeout as sleep } from 'node:timers/promises';
import {
  breakServer,
  mendServer,
  originFault,
  type PassingFault,
} from '../fakes/origin/bad-origins.ts';
import { type FakeModule, goSums, makeModule, makeVersion } from '../fakes/origin/module.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { startSumDB } from '../fakes/sumdb/sumdb.ts';
import { type BenchModferry, startBenchModferry } from './bench-modferry.ts';
import { table } from './table.ts';

const FAULTS = ['refused', 'accepts, never answers', 'status 500'];

/** Milliseconds between two requests. */
const PACE_MS = 250;
/**
 * Seconds that a fault lasts after it was noticed. The longer it lasts, the less often the origin
 * is tried again. The numbers are not round, so that a fault does not end exactly when a trial is
 * due.
 */
const FAULT_SECONDS = [4, 33];
/** The longest wait for a change, in milliseconds. */
const LIMIT_MS = 60_000;

/** Each file is requested once, because a stored file involves no origin. */
const FILES = 5 + Math.ceil((Math.max(...FAULT_SECONDS) * 1000 + 2 * LIMIT_MS) / PACE_MS);

/**
 * How long a running modferry takes to notice that the first of two origins has failed, and that it
 * has recovered. Every quarter of a second a small file is requested that was not requested before,
 * and the requests that the origins answered are counted.
 */
export async function measureRecovery(tools: { script: string; go: string }): Promise<string> {
  const { script, go } = tools;
  const modules = [smallFiles()];
  const database = await startSumDB({ go, records: goSums(modules) });
  const rows: string[][] = [];
  try {
    for (const name of FAULTS) {
      const fault = originFault(name);
      if (!fault.recovers)
        throw new Error(`Cannot measure the recovery from "${name}": there is none`);
      for (const seconds of FAULT_SECONDS) {
        const [first, second] = [await startOrigin({ modules }), await startOrigin({ modules })];
        const modferry = await startBenchModferry({
          script,
          origins: [first.url, second.url],
          database,
        });
        try {
          const measured = await breakAndMend(fault, { first, second, modferry, seconds });
          rows.push([`${name}, for ${seconds} s`, ...measured]);
        } finally {
          await modferry.close();
          await first.close();
          await second.close();
        }
      }
    }
  } finally {
    await database.close();
  }
  const headings = [
    'the first origin breaks down',
    'noticed ms',
    'asked meanwhile',
    'recovered ms',
    'failed',
  ];
  return table(headings, rows);
}

/** One module with a version for each request. */
function smallFiles(): FakeModule {
  const path = 'light.example/m';
  const versions = Array.from({ length: FILES }, (_, patch) => {
    const version = `v1.0.${patch}`;
    return [version, makeVersion(path, version, { 'go.mod': `module ${path}\n` })];
  });
  return makeModule(path, Object.fromEntries(versions));
}

interface Stage {
  readonly first: FakeOrigin;
  readonly second: FakeOrigin;
  readonly modferry: BenchModferry;
  readonly seconds: number;
}

async function breakAndMend(
  fault: PassingFault,
  { first, second, modferry, seconds }: Stage,
): Promise<string[]> {
  const client = lightClient(modferry);
  // First without a fault, so that the start of modferry is not measured.
  for (let asked = 0; asked < 5; asked++) await client.ask();
  const secondBefore = answered(second);
  await breakServer(first, fault);
  const asking = client.askAtPace();
  try {
    const noticed = await timeUntil(() => answered(second) > secondBefore, LIMIT_MS);
    const before = first.count();
    await sleep(seconds * 1000);
    const meanwhile = first.count() - before;
    const firstBefore = answered(first);
    await mendServer(first, fault);
    const recovered = await timeUntil(() => answered(first) > firstBefore, LIMIT_MS);
    await asking.stop();
    return [
      milliseconds(noticed),
      fault.fault === 'refused' ? '' : String(meanwhile),
      milliseconds(recovered),
      `${client.failed()} of ${client.asked()}`,
    ];
  } finally {
    await asking.stop();
  }
}

/** The number of files that an origin served. */
function answered(origin: FakeOrigin): number {
  return origin.requests.filter(({ state, status }) => state === 'answered' && status === 200)
    .length;
}

interface LightClient {
  /** Requests the next file. */
  ask(): Promise<void>;
  /** Requests a file every quarter of a second, without waiting for answers. */
  askAtPace(): { stop(): Promise<void> };
  asked(): number;
  failed(): number;
}

function lightClient({ url }: BenchModferry): LightClient {
  let [asked, failed] = [0, 0];
  const ask = async () => {
    const response = await fetch(`${url}/light.example/m/@v/v1.0.${asked++}.mod`);
    await response.bytes();
    if (response.status !== 200) failed += 1;
  };
  return {
    ask,
    askAtPace() {
      const open: Promise<void>[] = [];
      const timer = setInterval(() => open.push(ask()), PACE_MS);
      open.push(ask());
      return {
        async stop() {
          clearInterval(timer);
          await Promise.all(open);
        },
      };
    },
    asked: () => asked,
    failed: () => failed,
  };
}

/** Milliseconds until the condition holds; undefined after more than `limitMs`. */
async function timeUntil(condition: () => boolean, limitMs: number): Promise<number | undefined> {
  const started = performance.now();
  while (!condition()) {
    if (performance.now() - started > limitMs) return undefined;
    await sleep(2);
  }
  return performance.now() - started;
}

function milliseconds(time: number | undefined): string {
  return time === undefined ? `>${LIMIT_MS / 1000} s` : time.toFixed(0);
}
