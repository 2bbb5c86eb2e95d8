import { expect } from 'vitest';
import { sha256 } from '../../../src/bytes/sha256.ts';
import { Connections } from '../../../src/effects/connections.ts';
import { success } from '../../../src/effects/result.ts';
import { AttemptProgress } from '../../../src/origins/request/attempt-progress.ts';
import { attempt } from '../../../src/origins/request/attempt.ts';
import type { OriginBody } from '../../../src/origins/request/body.ts';
import type { QuestionPolicy } from '../../../src/origins/request/question.ts';
import type { BodyBreak, RestSearch } from '../../../src/origins/request/resume.ts';
import { openHttpDriver } from './ask.ts';
import { pattern } from './byte-source.ts';
import { type FakeClock, fakeClock } from './clock.ts';
import { type FakeFetch, originOf } from './fetch.ts';

export const MIB = 1024 * 1024;
export const CHUNK = 256 * 1024;
export const FILE = pattern(4 * MIB + 77);

export const a = originOf('a.example', { authorization: 'Bearer a' });
export const b = originOf('b.example');

export function changed(bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  copy[at] = 255 - (copy[at] ?? 0);
  return copy;
}

export interface Setup {
  /** Default: by digest. */
  readonly resume?: QuestionPolicy['resume'] | 'not at all';
  readonly isAlone?: boolean;
  /** Default 0.5. */
  readonly random?: number;
  readonly clock?: FakeClock;
  /** Default: six, all free. */
  readonly connections?: Connections;
  /** Default 25 s. */
  readonly limitMs?: number;
  /** Bytes that `accept` reads. The rest is read in chunks. */
  readonly start?: number;
}

/** What the reader received, and what happened on the way. */
export interface Got {
  readonly bytes: Uint8Array;
  readonly end: 'whole' | 'broken';
  readonly error: unknown;
  readonly body: OriginBody | undefined;
  readonly breaks: readonly BodyBreak[];
  readonly resumed: readonly RestSearch[];
  readonly givenUp: readonly RestSearch[];
  /** Milliseconds from the last break to each request after the first one. */
  readonly pauses: readonly number[];
  /** The progress of the first origin's request. */
  readonly progress: AttemptProgress;
  /** The requests after the first one, as `<host> <Range>`. */
  readonly asked: readonly string[];
}

/**
 * Asks a.example, whose body may break off, and b.example for the rest. Reads the body as the relay
 * does.
 */
export async function get(fetch: FakeFetch, setup: Setup = {}): Promise<Got> {
  const { resume = 'by-digest', isAlone = false, start = CHUNK } = setup;
  const {
    clock = fakeClock(),
    connections = new Connections(),
    random = 0.5,
    limitMs = 25_000,
  } = setup;
  const breaks: BodyBreak[] = [];
  const resumed: RestSearch[] = [];
  const givenUp: RestSearch[] = [];
  const parts: Uint8Array[] = [];
  const pauses: number[] = [];
  const progress = new AttemptProgress(clock);
  let brokeAt = 0;
  async function read(): Promise<{ body?: OriginBody; error?: unknown }> {
    const result = await attempt(
      a,
      {
        path: '/m/@v/v1.0.0.zip',
        policy: { resume: resume === 'not at all' ? undefined : resume },
        async accept(body) {
          parts.push(await body.start(start));
          return success(body);
        },
      },
      {
        clock,
        connections,
        limitMs,
        progress,
        openDriver: openHttpDriver({
          clock,
          fetch(url, init) {
            if (fetch.calls.length > 0) pauses.push(clock.now() - brokeAt);
            return fetch(url, init);
          },
        }),
        resume: {
          others: isAlone ? [] : [b],
          isAlone,
          random: () => random,
          onBreak(event) {
            brokeAt = clock.now();
            breaks.push(event);
          },
          onRestFound: (event) => void resumed.push(event),
          onGivenUp: (event) => void givenUp.push(event),
        },
      },
    );
    if (result.kind !== 'accepted') return { error: result };
    const body = result.value;
    try {
      for (;;) {
        const chunk = await body.fill(new ArrayBuffer(CHUNK));
        if (chunk.length === 0) break;
        parts.push(chunk);
      }
      body.checkLength(parts.reduce((size, { length }) => size + length, 0));
      return { body };
    } catch (error) {
      return { body, error };
    }
  }
  const over = new AbortController();
  const reading = read().finally(() => over.abort());
  while (!over.signal.aborted) await clock.advance(100);
  const { body, error } = await reading;
  await clock.advance(60_000); // long enough for every pending timer
  return {
    bytes: new Uint8Array(Buffer.concat(parts)),
    end: error === undefined ? 'whole' : 'broken',
    error,
    body,
    breaks,
    resumed,
    givenUp,
    pauses,
    progress,
    asked: fetch.calls
      .slice(1)
      .map(({ headers, url }) => `${new URL(url).host} ${headers.get('Range') ?? 'all'}`),
  };
}

export const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0;

/** The bytes are the whole file, and so is the digest that the body kept. */
export function expectWhole(got: Got, file = FILE): void {
  expect([got.end, got.error, same(got.bytes, file)]).toEqual(['whole', undefined, true]);
  if (got.body?.keepsDigest) expect(got.body.digest()).toEqual(sha256(file));
}

/** The bytes are a prefix of the file, and the body ended with an error. */
export function expectBroken(got: Got, file = FILE): void {
  expect([got.end, same(got.bytes, file.subarray(0, got.bytes.length))]).toEqual(['broken', true]);
  expect(got.bytes.length).toBeLessThan(file.length);
}
