import { type FakeModule, goSum, infoJSON, makeModule, versionOf } from '../fakes/origin/module.ts';
import { bigZip } from '../fakes/zip/zip-writer.ts';
import { noiseModule } from './timed-download.ts';

export const VERSION = 'v1.0.0';

/** One of 60 modules has a zip of 9 MiB, which modferry streams because it is over 8 MiB. */
const BIG_EVERY = 60;
const BIG_BYTES = 9 * 1_048_576;
/** The number of modules that are held in memory. */
const HELD = 300;

/** The two hashes of a version, as `go mod download -json` names them. */
export interface Sums {
  readonly Sum: string;
  readonly GoModSum: string;
}

/**
 * An unlimited number of modules `soak.example/m<number>`. Each is made when it is needed, always
 * with the same bytes.
 */
export interface SoakModules {
  /** The path of a new module. */
  next(): string;
  /** How many paths `next` has returned. */
  readonly count: number;
  /** The path with that number; the first one has the number 0. */
  path(number: number): string;
  /** The module of that path; undefined for a path that `next` has not returned. */
  find(path: string): FakeModule | undefined;
  /** The record of the module in a checksum database. */
  record(path: string): string;
  sums(path: string): Sums;
}

export function soakModules(): SoakModules {
  const held = new Map<string, FakeModule>();
  const records = new Map<string, string>();
  let count = 0;

  const find = (path: string) => {
    const number = Number(/^soak\.example\/m(\d+)$/.exec(path)?.[1] ?? Number.NaN);
    if (!(number < count)) return undefined;
    const module = held.get(path) ?? makeOne(path, number);
    held.delete(path);
    held.set(path, module);
    for (const oldest of held.keys()) {
      if (held.size <= HELD) break;
      held.delete(oldest);
    }
    return module;
  };
  const record = (path: string) => {
    const known = records.get(path);
    if (known !== undefined) return known;
    const module = find(path);
    if (module === undefined) throw new Error(`Cannot find the module "${path}" in this soak`);
    const lines = goSum(path, VERSION, versionOf(module, VERSION));
    records.set(path, lines);
    return lines;
  };
  return {
    next: () => pathOf(count++),
    get count() {
      return count;
    },
    path: pathOf,
    find,
    record,
    sums(path) {
      const [, , Sum = '', , , GoModSum = ''] = record(path).split(/\s/);
      return { Sum, GoModSum };
    },
  };
}

function pathOf(number: number): string {
  return `soak.example/m${number}`;
}

/** Most zips have 2 to 100 KB. */
function makeOne(path: string, number: number): FakeModule {
  if (number % BIG_EVERY !== BIG_EVERY - 1) {
    return noiseModule(path, { bytes: 2_000 + ((number * 7_919) % 98_000), seed: number });
  }
  const zip = bigZip(`${path}@${VERSION}/`, BIG_BYTES + number);
  return makeModule(path, { [VERSION]: { info: infoJSON(path, VERSION), mod: zip.mod, zip } });
}
