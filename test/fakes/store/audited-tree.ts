import { audit, type AuditOptions } from '../../../src/operations/audit/audit.ts';
import { type Progress, startProgress } from '../../../src/operations/audit/progress.ts';
import { type Finding, KINDS, VERDICTS } from '../../../src/operations/audit/verdict.ts';
import { parsePatterns } from '../../../src/module/patterns.ts';
import { compareKeys } from '../../../src/store/key.ts';
import type { StoredTree } from '../../../src/store/stored-tree.ts';
import type { Database } from '../../../src/sumdb/database.ts';
import type { Ask } from '../../../src/sumdb/log/remote-reader.ts';
import { systemClock } from '../../../src/effects/clock.ts';
import { askOrigins } from '../../../src/origins/race/ask.ts';
import { askEffects } from '../effects/ask.ts';
import { fakeFetch, originOf } from '../effects/fetch.ts';
import { escapeModule, type FakeModule, filePath, goSums, zipHash } from '../origin/module.ts';
import { azureThing, dep, hello } from '../origin/modules.ts';
import { fillerRecords } from '../sumdb/sumdb.ts';
import { verifierKeyOf } from '../sumdb/log-client.ts';
import { createLog, type FakeLog } from '../sumdb/transparency-log.ts';

/** A tree in memory that records its reads. */
export interface MemoryTree extends StoredTree {
  readonly files: Map<string, Uint8Array>;
  /** Keys of the zips that were opened, in order. */
  readonly opened: string[];
  /** Keys of the files that were read, in order. */
  readonly reads: string[];
}

export function memoryTree(files: ReadonlyMap<string, Uint8Array>): MemoryTree {
  const tree: MemoryTree = {
    files: new Map(files),
    opened: [],
    reads: [],
    async *list(prefix, after = '') {
      const listed = [...tree.files]
        .map(([key, { length }]) => ({ key, size: length }))
        .filter(({ key }) => key.startsWith(prefix) && compareKeys(key, after) > 0);
      yield* listed.toSorted((a, b) => compareKeys(a.key, b.key));
    },
    async read(key, range) {
      if (!range) tree.reads.push(key);
      const bytes = tree.files.get(key);
      if (!bytes) return undefined;
      const body = range ? bytes.subarray(range.offset, range.offset + range.length) : bytes;
      return { body, range, size: bytes.length, etag: '"1"' };
    },
    async head(key) {
      tree.opened.push(key);
      const bytes = tree.files.get(key);
      return bytes && { size: bytes.length, etag: '"1"' };
    },
    async remove(keys) {
      for (const key of keys) tree.files.delete(key);
    },
  };
  return tree;
}

/** A tree as modferry fills it, with all files of a checksum database. */
export interface FakeTree {
  readonly log: FakeLog;
  readonly databases: readonly Database[];
  readonly files: Map<string, Uint8Array>;
}

/**
 * Three modules in the middle of a log of 611 records. The log has three tiles at level 0, the last
 * of them partial, and one at level 1.
 */
export function fakeTree(log = createLog()): FakeTree {
  const modules = [hello(), dep(), azureThing()];
  const fillers = fillerRecords(602);
  for (const lines of [...fillers.slice(0, 300), ...goSums(modules), ...fillers.slice(300)])
    log.add(lines);
  const files = new Map<string, Uint8Array>();
  const put = (key: string, body: string | Uint8Array) =>
    files.set(key, new Uint8Array(Buffer.from(body)));
  for (const module of modules) putModule(module, put);
  for (const { path, versions } of modules) {
    for (const version of Object.keys(versions)) {
      const name = `${escapeModule(path)}@${escapeModule(version)}`;
      put(`sumdb/${log.name}/lookup/${name}`, log.lookup(path, version));
    }
  }
  for (const tile of tilesOf(log.size))
    put(`sumdb/${log.name}/${tile}`, log.answer(`/${tile}`) ?? '');
  put(`sumdb/${log.name}/latest`, log.treeHead());
  return { log, databases: databasesOf(log), files };
}

function putModule(
  module: FakeModule,
  put: (key: string, body: string | Uint8Array) => void,
): void {
  const { latest, list, path, queries, versions } = module;
  const folder = escapeModule(path);
  put(`${folder}/@v/list`, list);
  if (latest !== undefined) put(`${folder}/@latest`, latest);
  for (const [query, info] of Object.entries(queries))
    put(filePath(path, query, 'info').slice(1), info);
  for (const [version, files] of Object.entries(versions)) {
    put(filePath(path, version, 'info').slice(1), files.info);
    put(filePath(path, version, 'mod').slice(1), files.mod);
    if (files.zip instanceof Uint8Array) put(filePath(path, version, 'zip').slice(1), files.zip);
    put(`${filePath(path, version, 'zip').slice(1)}hash`, zipHash(files));
  }
}

/** The paths of all tiles of a tree. Only the last tile of a level may be partial. */
function tilesOf(size: number): string[] {
  const tiles: string[] = [];
  for (let level = 0, nodes = size; nodes > 0; level++, nodes = Math.floor(nodes / 256)) {
    for (let index = 0; index * 256 < nodes; index++) {
      const width = Math.min(256, nodes - index * 256);
      const name = `${String(index).padStart(3, '0')}${width < 256 ? `.p/${width}` : ''}`;
      tiles.push(`tile/8/${level}/${name}`, ...(level === 0 ? [`tile/8/data/${name}`] : []));
    }
  }
  return tiles;
}

export function databasesOf(...logs: readonly FakeLog[]): readonly Database[] {
  return logs.map((log) => ({
    name: log.name,
    key: verifierKeyOf(log),
    origins: [originOf('db')],
  }));
}

/** Asks the database itself, as over the network. */
export function databaseOf(log: FakeLog): Ask {
  const fetch = fakeFetch({
    'https://db/': ({ url }) => {
      const body = log.answer(decodeURIComponent(new URL(url).pathname));
      if (body === undefined) return new Response('not found', { status: 404 });
      return new Response(typeof body === 'string' ? body : new Uint8Array(body));
    },
  });
  return (origins, question) =>
    askOrigins(origins, question, askEffects({ fetch, clock: systemClock }));
}

export type RunOptions = Partial<AuditOptions> & {
  readonly progress?: Progress;
  readonly withoutChecksums?: never;
  readonly private?: string;
};

/** Audits to the end, or until `signal` is aborted. */
export async function run(
  tree: StoredTree,
  databases: readonly Database[],
  { progress = startProgress('test'), private: globs = '', ...options }: RunOptions = {},
): Promise<Progress> {
  const patterns = parsePatterns(globs);
  if (!patterns.ok) throw new Error(patterns.reason.join());
  await audit(tree, progress, {
    clock: { now: () => 0 },
    fix: false,
    signal: new AbortController().signal,
    onStep: () => {},
    save: async () => {},
    ...options,
    databases,
    withoutChecksums: patterns.value,
  });
  return progress;
}

/** The keys of the wrong files. */
export function wrongKeys({ findings }: Progress): string[] {
  return findings.map(({ key }: Finding) => key);
}

/** The counts other than 0, as in `{ zip: { right: 3 } }`. */
export function countsOf({ counts }: Progress): unknown {
  const rows = KINDS.map((kind) => {
    const cells = VERDICTS.flatMap((verdict) => {
      const number = counts[kind][verdict];
      return number > 0 ? [[verdict, number] as const] : [];
    });
    return [kind, Object.fromEntries(cells)] as const;
  });
  return Object.fromEntries(rows.filter(([, cells]) => Object.keys(cells).length > 0));
}

/** A copy with one bit flipped. A negative `at` counts from the end. */
export function flipped(bytes: Uint8Array | undefined, at: number): Uint8Array {
  if (!bytes) throw new Error('no such file');
  const changed = new Uint8Array(bytes);
  const index = at < 0 ? bytes.length + at : at;
  changed[index] = (changed[index] ?? 0) ^ 1;
  return changed;
}
