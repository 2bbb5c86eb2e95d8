/**
 * A checksum database for attacks: it can sign any text, fork, and serve any of its trees. It is a
 * second implementation on purpose, after RFC 6962 and https://go.dev/design/25530-sumdb, and
 * shares no code with src, so that it does not repeat an error of src. The database in sumdb.ts,
 * which is that of x/mod, only behaves correctly.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type Answer, textAnswer } from '../origin/answer.ts';
import { type FakeServer, startFakeServer } from '../origin/fake-server.ts';

export interface LogOptions {
  /** The name of the database, default that of `keyFrom`, else `sum.example.test`. */
  readonly name?: string;
  /** A log whose private key this one uses too; default a fresh key. */
  readonly keyFrom?: FakeLog;
  /** What the log has from the start. Default nothing. */
  readonly start?: LogStart;
}

/**
 * The start of a log that is as large as a real one: it takes no memory, because all of its records
 * are the same one, except those in `records`.
 */
export interface LogStart {
  readonly size: number;
  /** The records with a text of their own, by id. */
  readonly records: ReadonlyMap<number, string>;
}

export interface FakeLog {
  readonly name: string;
  /** `name+hash+key`. */
  readonly verifierKey: string;
  /** The number of records. */
  readonly size: number;
  /** Appends a record, the two go.sum lines of a version, and returns its id. */
  add(lines: string): number;
  /** The hash of the tree of the first `size` records; default all. */
  treeHash(size?: number): Uint8Array;
  /** The signed tree head of the same tree. */
  treeHead(size?: number): string;
  /**
   * The body of a lookup with the tree head of `treeSize`, default all records, even where that
   * tree lacks the record. Throws for a version without a record.
   */
  lookup(module: string, version: string, treeSize?: number): string;
  /** The body for a path such as `/latest`; undefined where a real database answers 404. */
  answer(path: string): string | Uint8Array | undefined;
  /** A text as a note that this database signed. */
  sign(text: string): string;
  /** A log with the same key and the same first `size` records, and further ones of its own. */
  fork(size: number): FakeLog;
}

const keys = new WeakMap<
  FakeLog,
  { readonly privateKey: KeyObject; readonly publicKey: KeyObject }
>();

export function createLog(options: LogOptions = {}): FakeLog {
  return makeLog(options, new Tree(options.start));
}

function makeLog(
  { keyFrom, name = keyFrom?.name ?? 'sum.example.test' }: LogOptions,
  tree: Tree,
): FakeLog {
  const pair = (keyFrom && keys.get(keyFrom)) ?? generateKeyPairSync('ed25519');
  // The last 32 bytes of a SubjectPublicKeyInfo are the key (RFC 8410).
  const raw = pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const key = Buffer.concat([Buffer.of(1), raw]);
  const keyHash = digest(`${name}\n`, key).subarray(0, 4);

  const signText = (text: string) => {
    const signature = Buffer.concat([keyHash, sign(null, Buffer.from(text), pair.privateKey)]);
    return `${text}\n\u2014 ${name} ${signature.toString('base64')}\n`;
  };
  const treeHead = (size = tree.size) =>
    signText(`go.sum database tree\n${size}\n${tree.hash(0, size).toString('base64')}\n`);
  const find = (module: string, version: string) => tree.find(`${module} ${version} `);
  const lookup = (module: string, version: string, treeSize?: number) => {
    const id = find(module, version);
    if (id === undefined) throw new Error(`no record of ${module}@${version}`);
    return `${id}\n${tree.record(id)}\n${treeHead(treeSize)}`;
  };

  const log: FakeLog = {
    name,
    verifierKey: `${name}+${keyHash.toString('hex')}+${key.toString('base64')}`,
    get size() {
      return tree.size;
    },
    add: (lines) => tree.add(lines),
    treeHash: (size = tree.size) => tree.hash(0, size),
    treeHead,
    lookup,
    answer(path) {
      if (path === '/latest') return treeHead();
      const [, module = '', version = ''] = /^\/lookup\/([^@]+)@([^@]+)$/.exec(path) ?? [];
      if (module !== '') {
        const [path, number] = [unescape(module), unescape(version)];
        return find(path, number) === undefined ? undefined : lookup(path, number);
      }
      return tree.tile(path);
    },
    sign: signText,
    fork: (size) => makeLog({ name, keyFrom: log }, tree.copy(size)),
  };
  keys.set(log, pair);
  return log;
}

/** `!a` is `A`. */
function unescape(text: string): string {
  return text.replaceAll(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The record that fills the start of a large log. */
const FILLER = `filler.example/m v0.0.0 h1:${Buffer.alloc(32).toString('base64')}\n`;

class Tree {
  /** The records by id. Those that are absent below `#filled` have the text FILLER. */
  readonly #records: Map<number, string>;
  readonly #filled: number;
  #size: number;
  /** The hashes of complete subtrees, by level and first record. */
  readonly #complete: Map<number, Buffer>[] = [];
  /** The hashes of complete subtrees of which every record is FILLER, by level. */
  readonly #fillers: Buffer[] = [];

  constructor({ size, records }: LogStart = { size: 0, records: new Map() }) {
    this.#records = new Map(records);
    this.#filled = size;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  add(lines: string): number {
    this.#records.set(this.#size, lines);
    this.#size += 1;
    return this.#size - 1;
  }

  record(id: number): string {
    const text = this.#records.get(id) ?? (id < this.#filled ? FILLER : undefined);
    if (text === undefined) throw new Error(`no record ${id}`);
    return text;
  }

  /** The id of the record that begins with `start`. */
  find(start: string): number | undefined {
    return [...this.#records].find(([, lines]) => lines.startsWith(start))?.[0];
  }

  /** A tree with the first `size` records of this one. */
  copy(size: number): Tree {
    const tree = new Tree({ size: Math.min(size, this.#filled), records: this.#records });
    for (const id of this.#records.keys()) if (id >= size) tree.#records.delete(id);
    tree.#size = size;
    return tree;
  }

  /**
   * MTH(D[start:end]) of RFC 6962, section 2.1. Complete subtrees never change, so their hashes are
   * kept.
   */
  hash(start: number, end: number): Buffer {
    const level = Math.log2(end - start);
    if (!Number.isInteger(level)) return this.#compute(start, end);
    if (this.#isFiller(start, end)) return this.#filler(level);
    const nodes = (this.#complete[level] ??= new Map());
    const hash = nodes.get(start) ?? this.#compute(start, end);
    nodes.set(start, hash);
    return hash;
  }

  #isFiller(start: number, end: number): boolean {
    if (end > this.#filled) return false;
    return ![...this.#records.keys()].some((id) => id >= start && id < end);
  }

  #filler(level: number): Buffer {
    const below = () => this.#filler(level - 1);
    return (this.#fillers[level] ??= level === 0 ? recordHash(FILLER) : nodeHash(below(), below()));
  }

  #compute(start: number, end: number): Buffer {
    if (end === start) return digest();
    if (end - start === 1) return recordHash(this.record(start));
    let k = 1;
    while (k * 2 < end - start) k *= 2;
    return nodeHash(this.hash(start, start + k), this.hash(start + k, end));
  }

  /**
   * The body of `/tile/8/<level>/<index>[.p/<width>]`; undefined where the tree has no such tile.
   */
  tile(path: string): string | Uint8Array | undefined {
    const [, level, groups, partial] =
      /^\/tile\/8\/(\d|data)\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d+))?$/.exec(path) ?? [];
    if (level === undefined || groups === undefined) return undefined;
    const first = Number(groups.replaceAll(/[x/]/g, '')) * 256;
    const width = Number(partial ?? 256);
    const span = level === 'data' ? 1 : 256 ** Number(level);
    if (width < 1 || (first + width) * span > this.size) return undefined;
    if (level === 'data')
      return Array.from({ length: width }, (_, at) => `${this.record(first + at)}\n`).join('');
    const nodes = Array.from({ length: width }, (_, at) => first + at);
    return Buffer.concat(nodes.map((node) => this.hash(node * span, (node + 1) * span)));
  }
}

function recordHash(text: string): Buffer {
  return digest(Buffer.of(0), text);
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return digest(Buffer.of(1), left, right);
}

function digest(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/**
 * Serves a log over HTTP, or the log that the function returns at each request. `${verifierKey}
 * ${url}` is a GOSUMDB.
 */
type Answering = Pick<FakeLog, 'answer'>;

export function startLogServer(log: Answering | (() => Answering)): Promise<FakeServer> {
  return startFakeServer(({ path }) => logAnswer(typeof log === 'function' ? log() : log, path));
}

/** The HTTP answer of a log to a path. */
export function logAnswer(log: Answering, path: string): Answer {
  const body = log.answer(path);
  if (body === undefined) return textAnswer(404, 'not found');
  const type = typeof body === 'string' ? 'text/plain; charset=UTF-8' : 'application/octet-stream';
  return { status: 200, headers: { 'content-type': type }, body };
}
