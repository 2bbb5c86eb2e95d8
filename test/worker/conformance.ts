import type { Fault, FaultOptions } from '../fakes/origin/faults.ts';
import type { FakeServer } from '../fakes/origin/fake-server.ts';
import { type FakeModule, infoJSON, makeModule, makeVersion } from '../fakes/origin/module.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { expect, vi } from 'vitest';
import { type Modferry, type ModferryOptions, startModferry } from './modferry.ts';
import { type RawAnswer, rawRequest, type RawOptions } from './raw-request.ts';

// What every row of the conformance list (docs/conformance.md) is asserted with. The values stand
// here once more on purpose: a change of policy has to be made in two places.
export const TEXT = 'text/plain; charset=utf-8';
export const JSON_TYPE = 'application/json';
export const ZIP = 'application/zip';
export const TILE = 'application/octet-stream';
export const IMMUTABLE = 'public, max-age=31536000, immutable';
export const CANONICAL_INFO = 'public, max-age=86400';
export const MUTABLE = 'public, max-age=60, stale-while-revalidate=600, stale-if-error=86400';
export const NEGATIVE = 'public, max-age=30, stale-if-error=0';
export const NO_STORE = 'no-store';

/** A file of a version that no checksum database knows. */
export const UNCOVERED = 'public, max-age=86400';

/** A last good copy, because nobody could be asked. */
export const STALE = 'public, max-age=30, stale-if-error=0';

/** Its Cache-Status; what asking in vain took comes behind. */
export const STALE_STATUS = /^modferry; fwd=stale; detail=r2(;|$)/;

/** What a file is answered with besides its bytes, by the end of its path. */
export const FILE_HEADERS = {
  list: { type: TEXT, cache: MUTABLE },
  latest: { type: JSON_TYPE, cache: MUTABLE },
  query: { type: JSON_TYPE, cache: MUTABLE },
  info: { type: JSON_TYPE, cache: CANONICAL_INFO },
  mod: { type: TEXT, cache: IMMUTABLE },
  zip: { type: ZIP, cache: IMMUTABLE },
} as const;

export interface Answer extends RawAnswer {
  readonly text: string;
  /** How many requests reached an upstream because of this one: `u0`, `u1`, … in the list. */
  readonly asked: number;
}

export interface Stage {
  readonly origin: FakeOrigin;
  readonly modferry: Modferry;
  /** Sends a request as written, and asserts what holds for every answer. */
  ask(target: string, options?: RawOptions): Promise<Answer>;
  /**
   * Sends requests for several files of a module at once; each one's `asked` are the requests for
   * that file alone.
   */
  askAll(path: string, ends: readonly string[]): Promise<Answer[]>;
  /** As if every edge entry had expired; R2 and KV stay. */
  expire(): Promise<void>;
  /**
   * Waits until the edge cache holds an entry: it is written beside the answer. Returns its
   * lifetime in seconds.
   */
  edgeEntry(kind: 'file' | 'missing', key: string): Promise<number>;
  /** Waits until the bucket holds these keys: some are written beside the answer. */
  stored(...keys: readonly string[]): Promise<void>;
  /** Every key in the bucket, in order. */
  bucketKeys(): Promise<string[]>;
  /**
   * A module of its own for one test, which nobody has asked for yet: v1.0.0, v1.1.0 and the branch
   * main.
   */
  freshModule(): FakeModule;
  close(): Promise<void>;
}

export interface StageOptions extends Omit<ModferryOptions, 'variables'> {
  readonly variables?: Readonly<Record<string, string>>;
  /** Servers whose requests count besides those of the origin. */
  readonly others?: readonly FakeServer[];
}

/** An origin with the fixture modules, and modferry in front of it. */
export async function startStage({
  variables,
  others = [],
  ...options
}: StageOptions = {}): Promise<Stage> {
  const origin = await startOrigin({ modules: fixtureModules() });
  const modferry = await startModferry({
    ...options,
    variables: { ORIGINS: origin.url, ...variables },
  });
  const bucketKeys = async () => {
    const bucket = await modferry.miniflare.getR2Bucket('FILES');
    return (await bucket.list()).objects.map(({ key }) => key).toSorted();
  };
  const ask: Stage['ask'] = (target, options) =>
    askCounting(modferry, target, { servers: [origin, ...others], ...options });
  let fresh = 0;
  return {
    origin,
    modferry,
    ask,
    askAll(path, ends) {
      const askOne = async (end: string) => {
        const before = origin.count(`/${path}/${end}`);
        const answer = await ask(`/${path}/${end}`);
        return { ...answer, asked: origin.count(`/${path}/${end}`) - before };
      };
      return Promise.all(ends.map(askOne));
    },
    async expire() {
      await modferry.miniflare.purgeCache();
    },
    async edgeEntry(kind, key) {
      const caches = await modferry.miniflare.getCaches();
      const entry = await vi.waitFor(async () => {
        const found = await caches.default.match(
          `https://modferry.invalid/${kind}/${encodeURIComponent(key)}`,
        );
        if (!found) throw new Error(`Cannot find ${kind} ${key} in the edge cache`);
        return found;
      });
      return Number(/max-age=(\d+)/.exec(entry.headers.get('cache-control') ?? '')?.[1]);
    },
    async stored(...keys) {
      await vi.waitFor(async () => {
        const there = await bucketKeys();
        const absent = keys.find((key) => !there.includes(key));
        if (absent !== undefined) throw new Error(`Cannot find ${absent} in the bucket`);
      });
    },
    bucketKeys,
    freshModule() {
      fresh += 1;
      const path = `example.com/fresh${fresh}`;
      const version = (name: string) => makeVersion(path, name, { 'go.mod': `module ${path}\n` });
      const module = makeModule(
        path,
        { 'v1.0.0': version('v1.0.0'), 'v1.1.0': version('v1.1.0') },
        { queries: { main: infoJSON(path, 'v1.1.1-0.20240501120000-0123456789ab') } },
      );
      origin.add(module);
      return module;
    },
    async close() {
      await modferry.close();
      await origin.close();
    },
  };
}

/**
 * Sends a request, counts what it causes at the servers, and asserts what holds for every answer.
 */
export async function askCounting(
  modferry: Modferry,
  target: string,
  { servers, ...options }: RawOptions & { readonly servers: readonly FakeServer[] },
): Promise<Answer> {
  const count = () => servers.reduce((sum, server) => sum + server.count(), 0);
  const before = count();
  const raw = await rawRequest(modferry.url, target, options);
  const answer: Answer = { ...raw, text: raw.body.toString(), asked: count() - before };
  expectEverywhere(answer);
  // A 416 is told by its Content-Range; no go command ever sees one.
  if (answer.status >= 400 && answer.status !== 416) expectErrorShape(answer, options.method);
  return answer;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Without a Cache-Control a platform cache in front of the Worker would make up its own. */
function expectEverywhere({ headers }: Answer): void {
  expect(headers['cache-control']).toMatch(/./);
  expect(headers['cache-status']).toMatch(/^modferry(;|$)/);
  expect(headers['x-request-id']).toMatch(UUID);
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(headers).not.toHaveProperty('location');
}

/** The shape N: what a go command shows to its user, whole (rows 37 to 59 and row 67). */
function expectErrorShape({ headers, body, text }: Answer, method = 'GET'): void {
  expect(headers['content-type']).toBe(TEXT);
  if (method === 'HEAD') return;
  expect(body.length).toBeLessThan(600);
  expect(Buffer.from(text).equals(body), 'valid UTF-8').toBe(true);
  expect(text).toMatch(/^[^\p{C}]+\n$/u);
  expect(text).toContain(`(request ${headers['x-request-id']})`);
}

/** Status, headers and requests of an answer, for one comparison. */
export function summary({ status, headers, asked }: Answer): object {
  return { status, type: headers['content-type'], cache: headers['cache-control'], asked };
}

/** The summary of an error: `asked` requests, and kept by nobody unless `cache` says so. */
export function failure(status: number, asked: number, cache: string = NO_STORE): object {
  return { status, type: TEXT, cache, asked };
}

/** Switches a fault on for one step of a test. */
export async function withFault<T>(
  server: FakeServer,
  fault: Fault,
  step: () => Promise<T>,
  options?: FaultOptions,
): Promise<T> {
  server.fault(fault, options);
  try {
    return await step();
  } finally {
    server.fault(undefined);
  }
}

/** Empties every tier: what comes next is asked for the first time. */
export async function forgetEverything({ miniflare }: Modferry): Promise<void> {
  const bucket = await miniflare.getR2Bucket('FILES');
  const namespace = await miniflare.getKVNamespace('META');
  for (const { key } of (await bucket.list()).objects) await bucket.delete(key);
  for (const { name } of (await namespace.list()).keys) await namespace.delete(name);
  await miniflare.purgeCache();
}
