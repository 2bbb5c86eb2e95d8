import { systemClock } from '../../../src/effects/clock.ts';
import { askOrigins } from '../../../src/origins/race/ask.ts';
import type { LogEvent } from '../../../src/sumdb/events.ts';
import type { LogEffects } from '../../../src/sumdb/log/log-effects.ts';
import { remoteReader } from '../../../src/sumdb/log/remote-reader.ts';
import { askEffects } from '../effects/ask.ts';
import { type FakeClock, fakeClock } from '../effects/clock.ts';
import { fakeFetch, originOf } from '../effects/fetch.ts';

/**
 * Answers a path of a database, such as `/latest`. Undefined is a 404, and an exception is a broken
 * connection.
 */
export type Address = (path: string) => string | Uint8Array | undefined;

/**
 * Effects in memory: the addresses of a database, a cache, and a shared tree head. Tests read and
 * change them.
 */
export interface FakeLogEffects extends LogEffects {
  /** The time of the common tree head. Requests to the database have that of the system. */
  readonly clock: FakeClock;
  readonly cache: Map<string, Uint8Array>;
  /** The paths that were read from the cache, in order. */
  readonly cacheReads: string[];
  /** The tree head that all isolates share. */
  latest: Uint8Array | undefined;
  readonly events: LogEvent[];
  /** The sizes of the trees that were proven. */
  readonly observed: number[];
  /** The requests to the database, as `https://<address>/<path>`. */
  readonly requests: () => readonly string[];
  /** Resolves when no background work is left. */
  readonly idle: () => Promise<void>;
  /** Called before each swap, to play a concurrent change of the shared tree head. */
  meanwhile: () => void;
}

const versionOf = (note: Uint8Array | undefined) => note && Buffer.from(note).toString('base64');

/** Effects of a database with these addresses, named a, b, c, … and asked in that order. */
export function fakeLogEffects(...addresses: readonly Address[]): FakeLogEffects {
  const origins = addresses.map((_, at) => originOf(String.fromCharCode(97 + at)));
  const replies = addresses.map((address, at) => [
    `https://${origins[at]?.name}/`,
    ({ url }: { readonly url: string }) => {
      const body = address(decodeURIComponent(new URL(url).pathname));
      if (body === undefined) return new Response('not found', { status: 404 });
      return new Response(typeof body === 'string' ? body : new Uint8Array(body));
    },
  ]);
  const fetch = fakeFetch(Object.fromEntries(replies));
  const running = new Set<Promise<unknown>>();
  const effects: FakeLogEffects = {
    cache: new Map(),
    cacheReads: [],
    latest: undefined,
    events: [],
    observed: [],
    observe: (size) => void effects.observed.push(size),
    requests: () => fetch.calls.map(({ url }) => url),
    meanwhile: () => undefined,
    hasPartialTiles: false,
    background(_label, work) {
      const guarded = work.catch(() => undefined).finally(() => running.delete(guarded));
      running.add(guarded);
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
    readLookup: async (path) => {
      const found = await effects.readCache(path);
      return found && { bytes: found, wasProven: true };
    },
    clock: fakeClock(),
    emit: (event) => void effects.events.push(event),
    readRemote: remoteReader({ origins }, (asked, question) =>
      askOrigins(asked, question, askEffects({ fetch, clock: systemClock })),
    ),
    async readCache(path) {
      effects.cacheReads.push(path);
      return effects.cache.get(path);
    },
    writeCache(path, body, { heals }) {
      if (heals || !effects.cache.has(path)) effects.cache.set(path, body);
    },
    readLatest: async () =>
      effects.latest && { bytes: effects.latest, known: versionOf(effects.latest) ?? '' },
    async swapLatest(known, note) {
      effects.meanwhile();
      if (versionOf(effects.latest) !== known) return false;
      effects.latest = note;
      return true;
    },
  };
  return effects;
}
