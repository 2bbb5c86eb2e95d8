import { createHash } from 'node:crypto';
import { failed, success } from '../../../src/effects/result.ts';
import { compareHash, type Expectation } from '../../../src/mirror/expectation.ts';
import type { LargeFile } from '../../../src/mirror/large/large-file.ts';
import type { ByteSource } from '../../../src/bytes/byte-source.ts';
import type { Outcome } from '../../../src/mirror/outcome.ts';
import { wrongContent } from '../../../src/origins/failure.ts';
import type { Origin } from '../../../src/origins/origin.ts';
import { bytesOf } from '../../../src/bytes/streams.ts';
import { versionKey } from '../../../src/store/key.ts';
import { cut, pattern, scriptedStream } from '../effects/byte-source.ts';
import { originOf } from '../effects/fetch.ts';
import { modulePath, version } from '../effects/values.ts';

const MIB = 1024 * 1024;

/** A file of this size streams also where its length is declared. */
export const STREAMED_BYTES = 8 * MIB + 1;

/** A file of this size streams where its length is not declared. */
export const UNDECLARED_BYTES = 3 * MIB;

/** Files of one kind begin and end with these bytes. */
const START = Buffer.from('BIG\n');
const END = Buffer.from('END\n');

const made = new Map<string, Uint8Array<ArrayBuffer>>();

/** A file of this kind: the same one for the same arguments, made when it is first asked for. */
export function bigBytes(size: number, seed = 0): Uint8Array<ArrayBuffer> {
  const name = `${size} ${seed}`;
  const known = made.get(name);
  if (known) return known;
  const bytes = pattern(size);
  bytes.set(START);
  bytes.set(END, size - END.length);
  bytes[START.length] = seed;
  made.set(name, bytes);
  return bytes;
}

export function hashOf(bytes: Uint8Array): `h1:${string}` {
  return `h1:${createHash('sha256').update(bytes).digest('base64')}`;
}

/** What a database has of a version with these bytes. */
export function knownAs(bytes: Uint8Array): Expectation {
  return { kind: 'known', database: 'sum.example', hash: hashOf(bytes) };
}

export interface BigFileOptions {
  readonly version?: string;
  readonly origins?: readonly Origin[];
  /** What a database has of it; absent where nothing is compared. */
  readonly expected?: Expectation | undefined;
}

/** A large file of the origins `a` and `b`. */
export function bigFile({
  version: number = 'v1.0.0',
  origins = [originOf('a'), originOf('b')],
  expected,
}: BigFileOptions = {}): LargeFile {
  const module = modulePath('example.com/big');
  return {
    key: versionKey(module, version(number), 'zip'),
    hashKey: versionKey(module, version(number), 'ziphash'),
    subject: `example.com/big@${number}`,
    path: `/big/${number}`,
    origins,
    contentType: 'application/x-big',
    ...(expected && { expect: async () => expected }),
    inspect: (first) =>
      START.equals(first.subarray(0, START.length))
        ? success(undefined)
        : failed(wrongContent('a body that is no big file')),
    checkEnd: (tail) =>
      END.equals(tail.subarray(-END.length))
        ? success('complete')
        : failed(wrongContent('a broken big file')),
    checkStored: async () => success(undefined),
    async verify(source, comparable) {
      return compareHash(comparable, await hashSource(source));
    },
  };
}

async function hashSource(source: ByteSource): Promise<`h1:${string}`> {
  const hash = createHash('sha256');
  for (let at = 0; at < source.size; at += MIB) {
    hash.update(await source.read(at, Math.min(MIB, source.size - at)));
  }
  return `h1:${hash.digest('base64')}`;
}

export interface Sent {
  /** Default: true. */
  readonly declares?: boolean;
  /** The declared length; default the true one. */
  readonly length?: number;
  /** Called before each piece of 200,000 bytes. */
  readonly pause?: () => Promise<void>;
}

/** A reply with these bytes. */
export function sends(bytes: Uint8Array, { declares = true, length, pause }: Sent = {}) {
  return () => {
    const stream = scriptedStream(cut(bytes, 200_000), { pause });
    const declared = { 'Content-Length': String(length ?? bytes.length) };
    return new Response(stream, { headers: declares ? declared : {} });
  };
}

/**
 * What a client gets of an outcome: the file that is `right`, another one, a broken stream, or the
 * text of an error.
 */
export async function readOutcome(outcome: Outcome, right: Uint8Array): Promise<string> {
  if (outcome.kind !== 'found') return `${outcome.kind}: ${outcome.text}`;
  const body = await bytesOf(outcome.file.body).catch(() => undefined);
  if (!body) return 'broken';
  return Buffer.compare(body, right) === 0 ? 'right' : 'wrong';
}

/** The reader of an outcome that streams; throws where it does not. */
export function readerOf(outcome: Outcome): ReadableStreamDefaultReader<Uint8Array> {
  if (outcome.kind !== 'found' || outcome.file.body instanceof Uint8Array) {
    throw new Error(`not streamed: ${outcome.kind}`);
  }
  return outcome.file.body.getReader();
}
