import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { type LocalOptions, startLocally } from '../../src/cli/local/local.ts';
import { type FakeModule, goSums, makeModule } from '../fakes/origin/module.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { createLog, startLogServer } from '../fakes/sumdb/transparency-log.ts';
import { bigZip } from '../fakes/zip/zip-writer.ts';
import { download, type DownloadOptions } from '../worker/download.ts';
import { resetPeak, usageOf, workerdChildren } from './process-usage.ts';
import { table } from './table.ts';

const MB = 1_000_000;
const MIB = 1_048_576;
const SIZE = 300 * MB;
const FILE = '/big.example/m/@v/v1.0.0.zip';
const SECOND_FILE = '/big.example/second/@v/v1.0.0.zip';

/**
 * The yardstick: plain R2 in the same simulator. `/put`, `/get` and `/pass` are one native stream
 * each.
 */
const BARE_WORKER = `
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === '/get') return new Response((await env.FILES.get('zip')).body);
    const answer = await fetch(env.ORIGIN + '${FILE}');
    if (pathname === '/pass') return answer;
    if (pathname === '/put') await env.FILES.put('zip', answer.body);
    return new Response('ok');
  },
};`;

interface Subject {
  readonly url: string;
  close(): Promise<void>;
}

interface Scenario {
  readonly name: string;
  readonly start: (origin: FakeOrigin) => Promise<Subject>;
  /** Requests made before the measurement, such as those that fill the store. */
  readonly before: readonly string[];
  readonly path: string;
  readonly client?: () => DownloadOptions;
}

const SMALL = '/example.com/hello/@v/v1.1.0.zip';

/** Reads 1 MB a second for ten seconds, then as fast as it can. */
function slowClient(): DownloadOptions {
  const started = Date.now();
  return {
    pace: (bytes) =>
      bytes < 10 * MB ? sleep(Math.max(0, started + bytes / 1000 - Date.now())) : undefined,
  };
}

/**
 * Measures the memory and CPU time that workerd needs for one large zip, in a fresh process per
 * scenario.
 */
export async function measureMemory(script: string): Promise<string> {
  const modferry = (origin: FakeOrigin) => startModferry(script, origin);
  const unchecked = (origin: FakeOrigin) =>
    startModferry(script, origin, { variables: { VERIFY: 'off' } });
  const withoutBucket = (origin: FakeOrigin) =>
    startModferry(script, origin, { without: ['FILES'] });
  const scenarios: readonly Scenario[] = [
    { name: 'plain R2.put', start: startBare, before: ['/none'], path: '/put' },
    { name: 'plain R2.put, the second time', start: startBare, before: ['/put'], path: '/put' },
    { name: 'plain R2.get', start: startBare, before: ['/put'], path: '/get' },
    { name: 'plain pass-through', start: startBare, before: ['/none'], path: '/pass' },
    { name: 'modferry cold', start: modferry, before: [SMALL], path: FILE },
    { name: 'modferry cold, VERIFY=off', start: unchecked, before: [SMALL], path: FILE },
    {
      name: 'modferry cold, slow client',
      start: modferry,
      before: [SMALL],
      path: FILE,
      client: slowClient,
    },
    {
      name: 'modferry cold, the second zip',
      start: modferry,
      before: [SMALL, FILE],
      path: SECOND_FILE,
    },
    { name: 'modferry warm', start: modferry, before: [SMALL, FILE], path: FILE },
    {
      name: 'modferry warm, slow client',
      start: modferry,
      before: [SMALL, FILE],
      path: FILE,
      client: slowClient,
    },
    { name: 'modferry without R2', start: withoutBucket, before: [SMALL], path: FILE },
    {
      name: 'modferry without R2, slow client',
      start: withoutBucket,
      before: [SMALL],
      path: FILE,
      client: slowClient,
    },
  ];
  const rows: string[][] = [];
  for (const scenario of scenarios) rows.push(await measure(scenario));
  return table(
    [
      `zip of ${SIZE / MB} MB`,
      'before MiB',
      'peak growth MiB',
      'growth after MiB',
      'CPU s',
      'wall s',
    ],
    rows,
  );
}

async function measure({ name, start, before, path, client }: Scenario): Promise<string[]> {
  const origin = await startOrigin({ modules: MODULES });
  const known = workerdChildren();
  const subject = await start(origin);
  const pid = workerdChildren().find((child) => !known.includes(child));
  if (pid === undefined) throw new Error('Cannot find the workerd process to measure');
  try {
    for (const path of before) await download(subject.url + path);
    resetPeak(pid);
    const idle = usageOf(pid);
    const started = Date.now();
    const answer = await download(subject.url + path, client?.());
    const seconds = (Date.now() - started) / 1000;
    if (answer.broken)
      throw new Error(`The download of "${name}" broke off after ${answer.bytes} bytes`);
    const after = usageOf(pid);
    return [
      name,
      mib(idle.resident),
      mib(after.peak - idle.resident),
      mib(after.resident - idle.resident),
      (after.cpuSeconds - idle.cpuSeconds).toFixed(1),
      seconds.toFixed(1),
    ];
  } finally {
    await subject.close();
    await origin.close();
  }
}

const MODULES = [...fixtureModules(), bigModule('big.example/m'), bigModule('big.example/second')];

/** A checksum database with all modules. */
const LOG = createLog();
for (const lines of goSums(MODULES)) LOG.add(lines);

function bigModule(path: string): FakeModule {
  const zip = bigZip(`${path}@v1.0.0/`, SIZE);
  return makeModule(path, { 'v1.0.0': { info: '{"Version":"v1.0.0"}', mod: zip.mod, zip } });
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}

async function startModferry(
  script: string,
  origin: FakeOrigin,
  options: Partial<Pick<LocalOptions, 'variables' | 'without'>> = {},
): Promise<Subject> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'modferry-bench-'));
  const database = await startLogServer(LOG);
  const SUMDBS = `${LOG.verifierKey} ${database.url}`;
  const { miniflare, url } = await startLocally({
    ...options,
    port: 0,
    stateDirectory,
    variables: { ORIGINS: origin.url, SUMDBS, ...options.variables },
    script,
    onLog: () => undefined,
  });
  const subject = subjectOf(miniflare, url, stateDirectory);
  return {
    ...subject,
    async close() {
      await subject.close();
      await database.close();
    },
  };
}

async function startBare(origin: FakeOrigin): Promise<Subject> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'modferry-bench-'));
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: 0,
      log: new Log(LogLevel.ERROR),
      cf: false,
      workers: [
        {
          name: 'bare',
          compatibilityDate: '2026-10-01',
          bindings: { ORIGIN: origin.url },
          r2Buckets: { FILES: 'FILES' },
          modules: [{ type: 'ESModule', path: 'worker.js', contents: BARE_WORKER }],
        },
      ],
    }),
    resourcePersistencePath: stateDirectory,
  });
  return subjectOf(miniflare, await miniflare.ready, stateDirectory);
}

function subjectOf(miniflare: Miniflare, url: URL, stateDirectory: string): Subject {
  return {
    url: url.origin,
    async close() {
      await miniflare.dispose();
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
}
