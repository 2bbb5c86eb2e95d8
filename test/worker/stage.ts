import { expect } from 'vitest';
import { findProblems } from '../conformance/every-answer.ts';
import { ownModule } from '../conformance/own-module.ts';
import { rawRequest, type RawAnswer, type RawOptions } from '../conformance/raw-request.ts';
import { NO_STORE, TEXT } from '../conformance/headers.ts';
import type { Target, Upstream } from '../conformance/row.ts';
import type { FakeServer, SeenRequest } from '../fakes/origin/fake-server.ts';
import type { Fault, FaultOptions } from '../fakes/origin/faults.ts';
import type { FakeModule } from '../fakes/origin/module.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { entryAddress } from '../../src/platform/cloudflare/data-centre.ts';
import { type Modferry, type ModferryOptions, startModferry } from './modferry.ts';
import { eventually } from '../eventually.ts';

export interface Answer extends RawAnswer {
  readonly text: string;
  /** How many requests reached an upstream because of this one: `u0`, `u1`, … in the list. */
  readonly asked: number;
}

/** The built Worker in front of an origin, as a target of conformance rows and of other tests. */
export interface Stage extends Target {
  readonly origin: FakeOrigin;
  readonly modferry: Modferry;
  /** Sends a request as written, and asserts what holds for every answer. */
  ask(target: string, options?: RawOptions): Promise<Answer>;
  /**
   * Sends requests for several files of a module at once; each one's `asked` are the requests for
   * that file alone.
   */
  askAll(path: string, ends: readonly string[]): Promise<Answer[]>;
  /** Waits until the bucket holds these keys: some are written beside the answer. */
  stored(...keys: readonly string[]): Promise<void>;
  /** Every key in the bucket, in order. */
  bucketKeys(): Promise<string[]>;
  /** A published module that no other test uses: v1.0.0, v1.1.0 and the branch main. */
  freshModule(): FakeModule;
  close(): Promise<void>;
}

export interface StageOptions extends Omit<ModferryOptions, 'variables'> {
  readonly variables?: Readonly<Record<string, string>>;
  /** The checksum database behind modferry, for rows that switch its faults. */
  readonly database?: FakeServer | undefined;
  /** Servers whose requests count besides those of the origin and the database. */
  readonly others?: readonly FakeServer[];
}

/** An origin with the fixture modules, and modferry in front of it. */
export async function startStage({
  variables,
  database,
  others = [],
  ...options
}: StageOptions = {}): Promise<Stage> {
  const origin = await startOrigin({ modules: fixtureModules() });
  const modferry = await startModferry({
    ...options,
    variables: { ORIGINS: origin.url, ...variables },
  });
  const servers = [origin, ...(database ? [database] : []), ...others];
  const ask: Stage['ask'] = (target, options) =>
    askCounting(modferry, target, { servers, ...options });
  let fresh = 0;
  return {
    ...targetOf({ modferry, origin, database, servers }),
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
    stored: (...keys) => untilKeys(() => bucketKeys(modferry), keys),
    bucketKeys: () => bucketKeys(modferry),
    freshModule() {
      fresh += 1;
      const module = ownModule(`fresh${fresh}`);
      origin.add(module);
      return module;
    },
    async close() {
      await modferry.close();
      await origin.close();
    },
  };
}

interface TargetParts {
  readonly modferry: Modferry;
  readonly origin: FakeOrigin;
  readonly database: FakeServer | undefined;
  /** All whose requests count. */
  readonly servers: readonly FakeServer[];
}

/** What conformance rows see of a stage. */
function targetOf({ database, modferry, origin, servers }: TargetParts): Target {
  const { miniflare, url } = modferry;
  const keys: Target['keys'] = (tier) =>
    tier === 'durable' ? bucketKeys(modferry) : worldKeys(modferry);
  return {
    request: (target, options) => rawRequest(url, target, options),
    originRequests: () => servers.flatMap(requestsOfClients),
    upstream(name): Upstream {
      if (name === 'origin') return origin;
      if (!database) throw new Error('Cannot find a checksum database on this stage');
      return database;
    },
    publish: (module) => origin.add(module),
    override: (path, by) => origin.set(path, by),
    mend() {
      for (const server of servers) server.fault(undefined);
    },
    reset() {
      for (const server of servers) server.reset();
    },
    async expire() {
      await miniflare.purgeCache();
    },
    empty: () => emptyStores(modferry),
    async remove(key) {
      await (await miniflare.getR2Bucket('FILES')).delete(key);
    },
    async nearEntrySeconds(kind, key) {
      const caches = await miniflare.getCaches();
      const address = entryAddress('127.0.0.1', key);
      const entry = await eventually(async () => {
        const found = await caches.default.match(address);
        if (found?.headers.has('x-modferry-etag') !== (kind === 'file'))
          throw new Error(`Cannot find ${kind} ${key} in the edge cache`);
        return found;
      });
      return Number(/max-age=(\d+)/.exec(entry.headers.get('cache-control') ?? '')?.[1]);
    },
    keys,
    awaitKeys: (tier, wanted) => untilKeys(() => keys(tier), wanted),
  };
}

async function bucketKeys({ miniflare }: Modferry): Promise<string[]> {
  const bucket = await miniflare.getR2Bucket('FILES');
  return (await bucket.list()).objects.map(({ key }) => key).toSorted();
}

async function worldKeys({ miniflare }: Modferry): Promise<string[]> {
  const namespace = await miniflare.getKVNamespace('META');
  return (await namespace.list()).keys.map(({ name }) => name).toSorted();
}

async function untilKeys(
  keys: () => Promise<readonly string[]>,
  wanted: readonly string[],
): Promise<void> {
  await eventually(async () => {
    const there = await keys();
    const absent = wanted.find((key) => !there.includes(key));
    if (absent !== undefined) throw new Error(`Cannot find ${absent} among the stored keys`);
  });
}

/**
 * Sends a request, counts what it causes at the servers, and asserts what holds for every answer.
 */
export async function askCounting(
  modferry: Modferry,
  target: string,
  { servers, ...options }: RawOptions & { readonly servers: readonly FakeServer[] },
): Promise<Answer> {
  const count = () => servers.flatMap(requestsOfClients).length;
  const before = count();
  const raw = await rawRequest(modferry.url, target, options);
  expect(findProblems(raw, options.method), 'what is wrong with the answer').toEqual([]);
  return { ...raw, text: raw.body.toString(), asked: count() - before };
}

/**
 * The requests that clients caused: all but those for the known file, with which modferry checks an
 * origin in the background after others have failed.
 */
function requestsOfClients({ requests }: FakeServer): readonly SeenRequest[] {
  return requests.filter(({ path }) => path !== '/golang.org/x/text/@v/v0.3.0.mod');
}

/** Status, headers and requests of an answer, for one comparison. */
export function summary({ status, headers, asked }: Answer): object {
  return { status, type: headers['content-type'], cache: headers['cache-control'], asked };
}

/** The summary of an error: `asked` requests, and stored by no one unless `cache` allows it. */
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

/** Empties every tier: the next request for a file is the first one. */
export async function emptyStores({ miniflare }: Modferry): Promise<void> {
  const bucket = await miniflare.getR2Bucket('FILES');
  const namespace = await miniflare.getKVNamespace('META');
  for (const { key } of (await bucket.list()).objects) await bucket.delete(key);
  for (const { name } of (await namespace.list()).keys) await namespace.delete(name);
  await miniflare.purgeCache();
}
