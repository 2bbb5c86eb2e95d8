import { askEffects } from '../effects/ask.ts';
import { askOrigins } from '../../../src/origins/race/ask.ts';
import type { LogEffects } from '../../../src/sumdb/log-effects.ts';
import type { SecurityEvent } from '../../../src/telemetry/security-event.ts';
import { systemClock } from '../../../src/effects/clock.ts';
import { fakeFetch, originOf } from '../effects/fetch.ts';

/**
 * Answers a path of a database, such as `/latest`; undefined is a 404, what it throws a broken
 * connection.
 */
export type Address = (path: string) => string | Uint8Array | undefined;

/**
 * Effects in memory: addresses of a database, a cache and a common tree head that tests look into
 * and change.
 */
export interface FakeLogEffects extends LogEffects {
  readonly cache: Map<string, Uint8Array>;
  /** The tree head that all isolates have in common. */
  latest: Uint8Array | undefined;
  readonly alarms: SecurityEvent[];
  /** What was asked of the database, as `https://<address>/<path>`. */
  readonly asked: () => readonly string[];
  /** What other isolates do between a read of the common tree head and the swap that follows. */
  meanwhile: () => void;
}

const nameOf = (note: Uint8Array | undefined) => note && Buffer.from(note).toString('base64');

/** The addresses are named a, b, c, … and asked in that order. */
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
  const effects: FakeLogEffects = {
    cache: new Map(),
    latest: undefined,
    alarms: [],
    asked: () => fetch.calls.map(({ url }) => url),
    meanwhile: () => undefined,
    alarm: (event) => void effects.alarms.push(event),
    readRemote: (path, { accept, avoid, limit }) =>
      askOrigins(
        origins.filter(({ name }) => !avoid?.has(name)),
        { path: `/${path}`, accept: async (body) => accept(await body.all(limit)) },
        askEffects({ fetch, clock: systemClock }),
      ),
    readCache: async (path) => effects.cache.get(path),
    writeCache: (path, body) => void effects.cache.set(path, body),
    readLatest: async () =>
      effects.latest && { bytes: effects.latest, known: nameOf(effects.latest) ?? '' },
    async swapLatest(known, note) {
      effects.meanwhile();
      if (nameOf(effects.latest) !== known) return false;
      effects.latest = note;
      return true;
    },
  };
  return effects;
}
