import { join } from 'node:path';
import { startGoProgram } from '../../go/program.ts';
import type { Answer } from '../origin/answer.ts';
import { type FakeServer, startFakeServer } from '../origin/fake-server.ts';

export interface SumDBOptions {
  /** The go command that builds the database, as `findGo` returns it. */
  readonly go: string;
  /** The database's name, default `sum.example.test`. */
  readonly name?: string;
  /**
   * The records in the order of their ids, as `goSums` returns them: each has the two go.sum lines
   * of a version.
   */
  readonly records?: readonly string[];
}

/** A checksum database of golang.org/x/mod, behind a fake server with its counters and faults. */
export interface FakeSumDB extends FakeServer {
  readonly name: string;
  /**
   * The verifier key, `name+hash+key`. `${verifierKey} ${url}` is a GOSUMDB that asks the database
   * directly.
   */
  readonly verifierKey: string;
  /** Appends a record: the two go.sum lines of one version. */
  add(lines: string): Promise<void>;
}

/** Starts a checksum database with a fresh key. The caller closes it. */
export async function startSumDB(options: SumDBOptions): Promise<FakeSumDB> {
  const { name = 'sum.example.test', records = [] } = options;
  const source = join(import.meta.dirname, 'server', 'main.go');
  const program = await startGoProgram(options.go, { source, args: ['-name', name] });
  const { address, verifierKey } = parseReady(await program.next());
  const add = async (lines: string) => void (await program.ask(JSON.stringify(lines)));
  for (const lines of records) await add(lines);
  const front = await startFakeServer(({ url }) => forward(`http://${address}${url}`));
  return {
    ...front,
    name,
    verifierKey,
    add,
    async close() {
      await front.close();
      await program.close();
    },
  };
}

/** `count` records of modules that do not exist, for a tree of a certain size. */
export function fillerRecords(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const version = `filler.example/m v0.0.${index}`;
    const hash = `h1:${Buffer.alloc(32, index).toString('base64')}`;
    return `${version} ${hash}\n${version}/go.mod ${hash}\n`;
  });
}

async function forward(url: string): Promise<Answer> {
  const response = await fetch(url);
  const type = response.headers.get('content-type') ?? 'application/octet-stream';
  return {
    status: response.status,
    headers: { 'content-type': type },
    body: await response.bytes(),
  };
}

function parseReady(line: string): { address: string; verifierKey: string } {
  const value: unknown = JSON.parse(line);
  if (typeof value === 'object' && value !== null && 'address' in value && 'verifierKey' in value) {
    return { address: String(value.address), verifierKey: String(value.verifierKey) };
  }
  throw new Error(`Cannot read the checksum database's first line "${line}"`);
}
