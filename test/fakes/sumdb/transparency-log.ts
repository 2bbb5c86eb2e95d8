/**
 * A checksum database for attacks: it can sign any text, fork, and serve any of its trees. It is a
 * second implementation on purpose, after RFC 6962 and https://go.dev/design/25530-sumdb, and
 * shares no code with src, so that it does not repeat an error of src. The database in sumdb.ts,
 * which is that of x/mod, only behaves correctly.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { textAnswer } from '../origin/answer.ts';
import { type FakeServer, startFakeServer } from '../origin/fake-server.ts';

export interface LogOptions {
  /** The name of the database, default that of `keyFrom`, else `sum.example.test`. */
  readonly name?: string;
  /** A log whose private key this one uses too; default a fresh key. */
  readonly keyFrom?: FakeLog;
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
  return makeLog(options, []);
}

function makeLog(
  { keyFrom, name = keyFrom?.name ?? 'sum.example.test' }: LogOptions,
  first: string[],
): FakeLog {
  const pair = (keyFrom && keys.get(keyFrom)) ?? generateKeyPairSync('ed25519');
  // The last 32 bytes of a SubjectPublicKeyInfo are the key (RFC 8410).
  const raw = pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const key = Buffer.concat([Buffer.of(1), raw]);
  const keyHash = digest(`${name}\n`, key).subarray(0, 4);
  const tree = new Tree();
  for (const lines of first) tree.add(lines);

  const signText = (text: string) => {
    const signature = Buffer.concat([keyHash, sign(null, Buffer.from(text), pair.privateKey)]);
    return `${text}\n\u2014 ${name} ${signature.toString('base64')}\n`;
  };
  const treeHead = (size = tree.records.length) =>
    signText(`go.sum database tree\n${size}\n${tree.hash(0, size).toString('base64')}\n`);
  const find = (module: string, version: string) =>
    tree.records.findIndex((lines) => lines.startsWith(`${module} ${version} `));
  const lookup = (module: string, version: string, treeSize?: number) => {
    const id = find(module, version);
    if (id < 0) throw new Error(`no record of ${module}@${version}`);
    return `${id}\n${tree.records[id]}\n${treeHead(treeSize)}`;
  };

  const log: FakeLog = {
    name,
    verifierKey: `${name}+${keyHash.toString('hex')}+${key.toString('base64')}`,
    get size() {
      return tree.records.length;
    },
    add: (lines) => tree.add(lines),
    treeHash: (size = tree.records.length) => tree.hash(0, size),
    treeHead,
    lookup,
    answer(path) {
      if (path === '/latest') return treeHead();
      const [, module = '', version = ''] = /^\/lookup\/([^@]+)@([^@]+)$/.exec(path) ?? [];
      if (module !== '') {
        const [path, number] = [unescape(module), unescape(version)];
        return find(path, number) < 0 ? undefined : lookup(path, number);
      }
      return tree.tile(path);
    },
    sign: signText,
    fork: (size) => makeLog({ name, keyFrom: log }, tree.records.slice(0, size)),
  };
  keys.set(log, pair);
  return log;
}

/** `!a` is `A`. */
function unescape(text: string): string {
  return text.replaceAll(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

class Tree {
  readonly records: string[] = [];
  /** The hashes of complete subtrees, by level and first record. */
  readonly #complete: Map<number, Buffer>[] = [];

  add(lines: string): number {
    return this.records.push(lines) - 1;
  }

  /**
   * MTH(D[start:end]) of RFC 6962, section 2.1. Complete subtrees never change, so their hashes are
   * kept.
   */
  hash(start: number, end: number): Buffer {
    const level = Math.log2(end - start);
    if (!Number.isInteger(level)) return this.#compute(start, end);
    const nodes = (this.#complete[level] ??= new Map());
    const hash = nodes.get(start) ?? this.#compute(start, end);
    nodes.set(start, hash);
    return hash;
  }

  #compute(start: number, end: number): Buffer {
    if (end === start) return digest();
    if (end - start === 1) return digest(Buffer.of(0), this.records[start] ?? missing(start));
    let k = 1;
    while (k * 2 < end - start) k *= 2;
    return digest(Buffer.of(1), this.hash(start, start + k), this.hash(start + k, end));
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
    if (width < 1 || (first + width) * span > this.records.length) return undefined;
    if (level === 'data')
      return this.records
        .slice(first, first + width)
        .map((text) => `${text}\n`)
        .join('');
    const nodes = Array.from({ length: width }, (_, at) => first + at);
    return Buffer.concat(nodes.map((node) => this.hash(node * span, (node + 1) * span)));
  }
}

function missing(id: number): never {
  throw new Error(`no record ${id}`);
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
export function startLogServer(
  log: Pick<FakeLog, 'answer'> | (() => FakeLog),
): Promise<FakeServer> {
  return startFakeServer(({ path }) => {
    const body = (typeof log === 'function' ? log() : log).answer(path);
    if (body === undefined) return textAnswer(404, 'not found');
    const type =
      typeof body === 'string' ? 'text/plain; charset=UTF-8' : 'application/octet-stream';
    return { status: 200, headers: { 'content-type': type }, body };
  });
}
