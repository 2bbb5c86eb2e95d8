import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocally } from '../../src/cli/local.ts';
import { type FakeModule, goSums, makeModule, makeVersion } from '../fakes/module.ts';
import { startOrigin } from '../fakes/origin.ts';
import { startSumDB } from '../fakes/sumdb.ts';
import { noise } from '../fakes/zip-writer.ts';
import { freshGoHome, runGo } from '../go/go.ts';
import { table } from './table.ts';

const MODULES = 20;
const FILES = 10;
const FILE_BYTES = 50_000;

/** Wall time of one `go mod download` of twenty modules of half a megabyte, direct and through modferry. */
export async function measureGoDownload(script: string, go: string): Promise<string> {
  const modules = Array.from({ length: MODULES }, (_, index) => someModule(index));
  const origin = await startOrigin({ modules });
  const database = await startSumDB({ go, records: goSums(modules) });
  const stateDirectory = await mkdtemp(join(tmpdir(), 'modferry-bench-'));
  const gosumdb = database.verifierKey;
  const variables = { ORIGINS: origin.url, SUMDBS: `${gosumdb} ${database.url}` };
  const options = { port: 0, stateDirectory, variables, script, onLog: () => undefined };
  const { miniflare, url } = await startLocally(options);
  try {
    const direct = { proxy: origin.url, gosumdb: `${gosumdb} ${database.url}` };
    const through = { proxy: url.origin, gosumdb };
    const rows = [
      ['direct, first', await download(go, direct)],
      ['direct, again', await download(go, direct)],
      ['modferry cold', await download(go, through)],
      ['modferry warm', await download(go, through)],
      ['modferry warm, again', await download(go, through)],
    ];
    return table([`go mod download of ${MODULES} modules`, 'wall s'], rows as string[][]);
  } finally {
    await miniflare.dispose();
    await database.close();
    await origin.close();
    await rm(stateDirectory, { recursive: true, force: true });
  }
}

function someModule(index: number): FakeModule {
  const path = `bench.example/m${index}`;
  const files = Object.fromEntries(
    Array.from({ length: FILES }, (_, file) => [
      `data${file}.bin`,
      noise(FILE_BYTES, index * FILES + file + 1),
    ]),
  );
  return makeModule(path, {
    'v1.0.0': makeVersion(path, 'v1.0.0', { 'go.mod': `module ${path}\n\ngo 1.21\n`, ...files }),
  });
}

/** Seconds with an empty module cache, as text. */
async function download(go: string, from: { proxy: string; gosumdb: string }): Promise<string> {
  const home = await freshGoHome();
  try {
    const requires = Array.from({ length: MODULES }, (_, index) => `\tbench.example/m${index} v1.0.0\n`);
    const mod = `module example.org/program\n\ngo 1.21\n\nrequire (\n${requires.join('')})\n`;
    await writeFile(join(home.path, 'go.mod'), mod);
    const started = Date.now();
    const { code, stderr } = await runGo(go, ['mod', 'download'], { home, ...from });
    if (code !== 0) throw new Error(`go mod download ended with ${code}: ${stderr}`);
    return ((Date.now() - started) / 1000).toFixed(2);
  } finally {
    await home.close();
  }
}
