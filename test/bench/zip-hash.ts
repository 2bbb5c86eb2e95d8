import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { PREFIX } from '../fakes/zip/forged-zip.ts';
import { seededRandom } from '../fakes/effects/seeded-random.ts';
import { bigZip, noise, writeZip } from '../fakes/zip/zip-writer.ts';
import { startZipJudge } from '../fakes/zip/zipjudge/judge.ts';
import { findAnyGo } from '../go/go.ts';
import { resetPeak, usageOf, workerdChildren } from './process-usage.ts';
import { table } from './table.ts';

const MB = 1_000_000;
const MIB = 1_048_576;
const FILES = 2000;
const RUNS = 20;
const ROOT = join(import.meta.dirname, '..', '..');

/**
 * Hashes the file at `url` `runs` times, held whole or read in ranges. With 0 runs it only reads
 * the file.
 */
const WORKER = `
import { checkModuleZip } from './src/zip/rules/check-module-zip.ts';
import { hashZip } from './src/zip/hash/hash-zip.ts';
import { bytesSource } from './src/bytes/byte-source.ts';
import { readInto as fill } from './src/bytes/streams.ts';
import { WINDOW_BYTES as READ } from './src/zip/read/windows.ts';

export default {
  async fetch(request) {
    const { url, size, runs, ranged } = await request.json();
    const read = async (offset, length) => {
      const headers = { range: 'bytes=' + offset + '-' + (offset + length - 1) };
      return new Uint8Array(await (await fetch(url, { headers })).arrayBuffer());
    };
    const readInto = async (offset, length, memory) => {
      const headers = { range: 'bytes=' + offset + '-' + (offset + length - 1) };
      const { body } = await fetch(url, { headers });
      return fill(memory, length, body);
    };
    const source = ranged ? { size, read, readInto } : bytesSource(await read(0, size));
    const check = (entries) => checkModuleZip(entries, { prefix: '${PREFIX}', size });
    if (runs === 0) {
      let memory = new ArrayBuffer(READ);
      for (let at = 0; at < size; at += READ) memory = (await readInto(at, Math.min(READ, size - at), memory)).buffer;
      return Response.json({ h1: 'h1:none' });
    }
    let result;
    for (let run = 0; run < runs; run++) result = await hashZip(source, { check });
    return Response.json(result);
  },
};`;

/**
 * The time that workerd and Go need to hash the same zip, and the memory that workerd needs for
 * large zips. CPU time is that of the process, because the clock in a Worker stops while it
 * computes.
 */
export async function measureZipHash(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'modferry-bench-'));
  try {
    return `${await measureTime(directory)}\n\n${await measureRangedReads(directory)}`;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measureTime(directory: string): Promise<string> {
  const file = join(directory, 'files.zip');
  await writeFile(file, manyFiles());
  const { size } = await stat(file);
  const rows: string[][] = [];
  const worker = await startHasher(file);
  try {
    await worker.hash({ size, runs: RUNS, ranged: false });
    const before = usageOf(worker.pid).cpuSeconds;
    const h1 = await worker.hash({ size, runs: RUNS, ranged: false });
    const ours = (usageOf(worker.pid).cpuSeconds - before) / RUNS;
    rows.push(['workerd', (ours * 1000).toFixed(0), '']);
    const go = findAnyGo();
    if (go) rows.push(...(await timeGo(go, { file, h1, ours })));
  } finally {
    await worker.close();
  }
  return table(
    [`h1 of ${FILES} files in ${(size / MB).toFixed(1)} MB`, 'CPU ms', 'workerd / Go'],
    rows,
  );
}

async function timeGo(
  go: string,
  { file, h1, ours }: { file: string; h1: string; ours: number },
): Promise<string[][]> {
  const judge = await startZipJudge(go);
  try {
    const { seconds, h1: gos } = await judge.time(file, RUNS);
    if (gos !== h1) throw new Error(`Go computes the hash ${gos}, and modferry ${h1}`);
    const mean = seconds.reduce((sum, second) => sum + second, 0) / seconds.length;
    return [['Go, one thread', (mean * 1000).toFixed(0), (ours / mean).toFixed(2)]];
  } finally {
    await judge.close();
  }
}

/** Files of random words, which deflate to a third, like source code. */
function manyFiles(): Uint8Array {
  const { next: random } = seededRandom(1);
  const words = Array.from({ length: 600 }, () => Math.floor(random() * 36 ** 7).toString(36));
  return writeZip(
    Array.from({ length: FILES }, (_, index) => {
      const content = Array.from(
        { length: 2210 },
        () => words[Math.floor(random() ** 2 * words.length)],
      ).join(' ');
      return { name: `${PREFIX}pkg${index % 50}/file${index}.go`, content };
    }),
  );
}

async function measureRangedReads(directory: string): Promise<string> {
  const stored = join(directory, 'stored.zip');
  await pipeline(Readable.from(bigZip(PREFIX, 300 * MB).stream()), createWriteStream(stored));
  const deflated = join(directory, 'deflated.zip');
  await writeFile(deflated, writeZip([{ name: `${PREFIX}data.bin`, content: noise(100 * MB) }]));
  const modules = join(directory, 'modules.zip');
  const sources = Array.from({ length: 300 }, (_, at) => ({
    name: `${PREFIX}${at}`,
    content: noise(MB, at + 1),
  }));
  await writeFile(modules, writeZip(sources));
  const rows = [
    await measureMemory('300 MB, deflated files of 1 MB', { file: modules, runs: 1 }),
    await measureMemory('300 MB, stored files of 1 MB', { file: stored, runs: 1 }),
    await measureMemory('300 MB, read and not hashed', { file: stored, runs: 0 }),
    await measureMemory('100 MB, one deflated file', { file: deflated, runs: 1 }),
  ];
  return table(
    ['h1 of a zip read in ranges', 'before MiB', 'peak growth MiB', 'CPU s', 'wall s'],
    rows,
  );
}

async function measureMemory(
  name: string,
  { file, runs }: { file: string; runs: number },
): Promise<string[]> {
  const { size } = await stat(file);
  const worker = await startHasher(file);
  try {
    const mib = (bytes: number) => (bytes / MIB).toFixed(0);
    resetPeak(worker.pid);
    const before = usageOf(worker.pid);
    const started = Date.now();
    await worker.hash({ size, runs, ranged: true });
    const wall = (Date.now() - started) / 1000;
    const after = usageOf(worker.pid);
    const cpu = after.cpuSeconds - before.cpuSeconds;
    return [
      name,
      mib(before.resident),
      mib(after.peak - before.resident),
      cpu.toFixed(1),
      wall.toFixed(1),
    ];
  } finally {
    await worker.close();
  }
}

interface Hasher {
  readonly pid: number;
  hash(request: { size: number; runs: number; ranged: boolean }): Promise<string>;
  close(): Promise<void>;
}

/** A fresh workerd with only src/zip in it, and a server with the file. */
async function startHasher(file: string): Promise<Hasher> {
  const server = await serve(file);
  const known = workerdChildren();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: 0,
      log: new Log(LogLevel.ERROR),
      cf: false,
      workers: [
        {
          name: 'hasher',
          compatibilityDate: '2026-10-01',
          compatibilityFlags: ['nodejs_compat'],
          modules: [{ type: 'ESModule', path: 'worker.js', contents: await bundle() }],
        },
      ],
    }),
  );
  const url = await miniflare.ready;
  const pid = workerdChildren().find((child) => !known.includes(child));
  if (pid === undefined) throw new Error('Cannot find the workerd process to measure');
  return {
    pid,
    async hash(request) {
      const response = await fetch(url, {
        method: 'POST',
        body: JSON.stringify({ ...request, url: addressOf(server) }),
      });
      const answer = await response.text();
      const h1 = /"h1":"(h1:[^"]+)"/.exec(answer)?.[1];
      if (h1 === undefined) throw new Error(`Cannot hash ${file}: ${answer}`);
      return h1;
    },
    async close() {
      await miniflare.dispose();
      server.close();
    },
  };
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: WORKER, resolveDir: ROOT, sourcefile: 'worker.ts' },
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    external: ['node:*'],
  });
  const [output] = outputFiles;
  if (!output) throw new Error('Cannot find the output of esbuild');
  return output.text;
}

async function serve(file: string): Promise<Server> {
  const server = createServer((request, response) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const [start, end] = [Number(first), Number(last)];
    response.writeHead(206, { 'content-length': end - start + 1 });
    createReadStream(file, { start, end }).pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function addressOf(server: Server): string {
  const address = server.address();
  if (typeof address !== 'object' || address === null)
    throw new Error('Cannot determine the port of the server');
  return `http://127.0.0.1:${address.port}/`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(`${await measureZipHash()}\n`);
}
