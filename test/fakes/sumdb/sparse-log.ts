import { createHash } from 'node:crypto';
import { escapeModule } from '../origin/module.ts';
import { createLog, type FakeLog } from './transparency-log.ts';

export interface SparseLogOptions {
  /** The number of records. */
  readonly size: number;
  /** The records that matter, by their ids: the two go.sum lines of a version each. */
  readonly records: ReadonlyMap<number, string>;
  /** The log that signs the tree head. Default: one with a fresh key. */
  readonly signer?: FakeLog;
}

/** A checksum database as `startLogServer` serves it. */
export type SparseLog = Pick<FakeLog, 'name' | 'verifierKey' | 'size' | 'treeHash' | 'answer'>;

/** The text of every other record. */
export const REPEATED_RECORD =
  'filler.example/m v0.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nfiller.example/m v0.0.0/go.mod h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n';

/**
 * A log of the height of a real one, tens of millions of records, that is made at once: all records
 * but a few are the same, so a subtree without one of the few is hashed by doubling.
 */
export function createSparseLog(options: SparseLogOptions): SparseLog {
  const { size, records, signer = createLog() } = options;
  const tree = new SparseTree(records);
  const lookups = new Map([...records].map(([id, lines]) => [lookupPath(lines), id]));
  const treeHead = signer.sign(
    `go.sum database tree\n${size}\n${tree.hash(0, size).toString('base64')}\n`,
  );
  return {
    name: signer.name,
    verifierKey: signer.verifierKey,
    size,
    treeHash: (length = size) => tree.hash(0, length),
    answer(path) {
      if (path === '/latest') return treeHead;
      const id = lookups.get(path);
      return id === undefined ? tree.tile(path, size) : `${id}\n${tree.record(id)}\n${treeHead}`;
    },
  };
}

/** The path of the lookup of a record, which starts with `<module> <version> `. */
function lookupPath(lines: string): string {
  const [module = '', version = ''] = lines.split(' ');
  return `/lookup/${escapeModule(module)}@${escapeModule(version)}`;
}

/** The tree of RFC 6962, section 2.1. */
class SparseTree {
  readonly #records: ReadonlyMap<number, string>;
  /** The ids of the records that matter, ascending. */
  readonly #ids: readonly number[];
  /** The hash of a complete subtree of repeated records, by its level. */
  readonly #repeated: Buffer[] = [digest(Buffer.of(0), REPEATED_RECORD)];
  /** The hashes of the other complete subtrees, by `<start> <end>`. */
  readonly #others = new Map<string, Buffer>();

  constructor(records: ReadonlyMap<number, string>) {
    this.#records = records;
    this.#ids = [...records.keys()].toSorted((a, b) => a - b);
  }

  record(id: number): string {
    return this.#records.get(id) ?? REPEATED_RECORD;
  }

  /** MTH(D[start:end]). */
  hash(start: number, end: number): Buffer {
    const level = Math.log2(end - start);
    if (!Number.isInteger(level)) return this.#compute(start, end);
    if (!this.#matters(start, end)) return this.#repeatedHash(level);
    const key = `${start} ${end}`;
    const hash = this.#others.get(key) ?? this.#compute(start, end);
    this.#others.set(key, hash);
    return hash;
  }

  #compute(start: number, end: number): Buffer {
    if (end === start) return digest();
    if (end - start === 1) return digest(Buffer.of(0), this.record(start));
    let k = 1;
    while (k * 2 < end - start) k *= 2;
    return digest(Buffer.of(1), this.hash(start, start + k), this.hash(start + k, end));
  }

  #repeatedHash(level: number): Buffer {
    for (let known = this.#repeated.at(-1); this.#repeated.length <= level && known;) {
      known = digest(Buffer.of(1), known, known);
      this.#repeated.push(known);
    }
    return this.#repeated[level] ?? digest();
  }

  /** Whether one of the records that matter is in [start, end). */
  #matters(start: number, end: number): boolean {
    let [low, high] = [0, this.#ids.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ids[middle] ?? end) < start) low = middle + 1;
      else high = middle;
    }
    return (this.#ids[low] ?? end) < end;
  }

  /** The body of `/tile/8/<level>/<index>[.p/<width>]`; undefined where there is no such tile. */
  tile(path: string, size: number): Buffer | undefined {
    const [, level, groups = '', partial] =
      /^\/tile\/8\/(\d)\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d+))?$/.exec(path) ?? [];
    if (level === undefined) return undefined;
    const first = Number(groups.replaceAll(/[x/]/g, '')) * 256;
    const width = Number(partial ?? 256);
    const span = 256 ** Number(level);
    if (width < 1 || (first + width) * span > size) return undefined;
    return Buffer.concat(
      Array.from({ length: width }, (_, at) =>
        this.hash((first + at) * span, (first + at + 1) * span),
      ),
    );
  }
}

function digest(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
