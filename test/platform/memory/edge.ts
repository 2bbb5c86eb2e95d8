import type { Clock } from '../../../src/effects/clock.ts';
import type { EdgeCache } from '../wrap.ts';

/** The Cache API of one data centre in memory. `entries` has the bodies by address. */
export interface MemoryEdge extends EdgeCache {
  readonly entries: ReadonlyMap<string, unknown>;
  /** Evicts everything, as the platform may at any time. */
  evict(): void;
}

interface Entry {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: Headers;
  readonly expires: number;
}

export function edgeInMemory(clock: Pick<Clock, 'now'>): MemoryEdge {
  const entries = new Map<string, Entry>();
  return {
    entries,
    evict: () => entries.clear(),
    async match(request) {
      const entry = entries.get(addressOf(request));
      if (!entry || clock.now() >= entry.expires) return undefined;
      const headers = new Headers(entry.headers);
      headers.set('CF-Cache-Status', 'HIT');
      return new Response(entry.body.slice(), { headers });
    },
    async put(request, response) {
      if (response.status === 206 || response.headers.get('Vary') === '*')
        throw new TypeError('Cannot cache response to a range request (206 Partial Content).');
      const body = await response.bytes();
      const cacheControl = response.headers.get('Cache-Control') ?? '';
      const seconds = Number(/max-age=(\d+)/.exec(cacheControl)?.[1] ?? 0);
      const expires = clock.now() + seconds * 1000;
      if (!/no-store|private/.test(cacheControl))
        entries.set(addressOf(request), { body, headers: response.headers, expires });
    },
    async delete(request) {
      return entries.delete(addressOf(request));
    },
  };
}

function addressOf(request: RequestInfo | URL): string {
  return request instanceof Request ? request.url : String(request);
}
