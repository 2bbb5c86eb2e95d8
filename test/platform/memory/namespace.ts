import type { KVNamespace } from '@cloudflare/workers-types';
import type { Clock } from '../../../src/effects/clock.ts';

/** How long a write is not seen in other data centres: the longest that the documentation names. */
export const LAG_MS = 60_000;
const DEFAULT_CACHE_SECONDS = 60;
const MIN_CACHE_SECONDS = 30;
const MIN_TTL_SECONDS = 60;
const MAX_KEY_BYTES = 512;
const MAX_VALUE_BYTES = 25 * 1024 * 1024;

/** A KV namespace in memory, as the data centres see it. */
export interface MemoryNamespace {
  /** What the Workers of a data centre see of the namespace. */
  readonly seenFrom: (dataCentre: string) => View;
  /** The keys that have a value by now, wherever they were written. */
  readonly keys: () => readonly string[];
}

type View = Pick<KVNamespace, 'getWithMetadata' | 'put' | 'delete'>;

interface Value {
  readonly bytes: Uint8Array;
  readonly metadata: unknown;
  readonly expires: number;
}

/** One write or delete of a key. */
interface Version {
  readonly value: Value | undefined;
  readonly writtenAt: number;
  readonly writtenIn: string;
}

interface ReadOptions {
  readonly type: 'text' | 'arrayBuffer';
  readonly cacheTtl?: number;
}

interface PutOptions {
  readonly expirationTtl?: number;
  readonly metadata?: unknown;
}

/**
 * Eventually consistent, and always as late as it may be: another data centre sees a write after a
 * minute, and one that has read a key, or its absence, keeps that for `cacheTtl`. The data centre
 * of the write sees it at once.
 */
export function memoryNamespace(clock: Pick<Clock, 'now'>): MemoryNamespace {
  const versions = new Map<string, Version[]>();
  const newest = (key: string) => versions.get(key)?.at(-1)?.value;
  return {
    seenFrom: (dataCentre) => view({ dataCentre, versions, clock }),
    keys: () => [...versions.keys()].filter((key) => newest(key) !== undefined).toSorted(),
  };
}

interface Place {
  readonly dataCentre: string;
  readonly versions: Map<string, Version[]>;
  readonly clock: Pick<Clock, 'now'>;
}

function view({ clock, dataCentre, versions }: Place): View {
  /** What this data centre has read, absent keys included. */
  const cached = new Map<string, { readonly value: Value | undefined; readonly until: number }>();

  function write(key: string, value: Value | undefined): void {
    const list = versions.get(key) ?? [];
    versions.set(key, [...list, { value, writtenAt: clock.now(), writtenIn: dataCentre }]);
    cached.delete(key);
  }

  function hasArrived({ writtenAt, writtenIn }: Version): boolean {
    return writtenIn === dataCentre || clock.now() - writtenAt >= LAG_MS;
  }

  function read(key: string, cacheTtl: number): Value | undefined {
    const found = cached.get(key);
    if (found && clock.now() < found.until) return alive(found.value);
    const value = versions.get(key)?.findLast(hasArrived)?.value;
    cached.set(key, { value, until: clock.now() + cacheTtl * 1000 });
    return alive(value);
  }

  const alive = (value: Value | undefined) =>
    value && clock.now() < value.expires ? value : undefined;

  const namespace = {
    async getWithMetadata(key: string, options: ReadOptions | 'text') {
      const { type, cacheTtl = DEFAULT_CACHE_SECONDS } =
        typeof options === 'string' ? { type: options } : options;
      checkKey('GET', key);
      if (cacheTtl < MIN_CACHE_SECONDS) throw invalid('GET', `cache_ttl of ${cacheTtl}`);
      const found = read(key, cacheTtl);
      if (!found) return { value: null, metadata: null };
      const value = type === 'text' ? new TextDecoder().decode(found.bytes) : found.bytes.slice();
      return {
        value: value instanceof Uint8Array ? value.buffer : value,
        metadata: found.metadata,
      };
    },
    async put(key: string, value: string | Uint8Array, options: PutOptions = {}) {
      const { expirationTtl, metadata = null } = options;
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value.slice();
      checkKey('PUT', key);
      if (bytes.length > MAX_VALUE_BYTES)
        throw new Error(`KV PUT failed: 413 Value length of ${bytes.length} exceeds limit`);
      if (expirationTtl !== undefined && expirationTtl < MIN_TTL_SECONDS)
        throw invalid('PUT', `expiration_ttl of ${expirationTtl}`);
      const expires = expirationTtl === undefined ? Infinity : clock.now() + expirationTtl * 1000;
      write(key, { bytes, metadata, expires });
    },
    async delete(key: string) {
      checkKey('DELETE', key);
      write(key, undefined);
    },
  };
  return namespace as unknown as View;
}

function checkKey(method: string, key: string): void {
  const size = Buffer.byteLength(key);
  if (size > MAX_KEY_BYTES)
    throw new Error(`KV ${method} failed: 414 UTF-8 encoded length of ${size} exceeds key limit`);
}

function invalid(method: string, what: string): Error {
  return new Error(`KV ${method} failed: 400 Invalid ${what}`);
}
