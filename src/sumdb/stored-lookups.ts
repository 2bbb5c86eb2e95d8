import type { LookupSource } from './checksums.ts';
import type { Database } from './database.ts';
import type { LogClient } from './log/log-client.ts';
import type { CacheEffects } from './log/log-effects.ts';
import type { Lookup } from './log/log-verifier.ts';
import { lookupPath } from './request.ts';

export interface StoredLookupsOptions {
  /** The client of the database. */
  readonly client: LogClient;
  readonly cache: CacheEffects;
}

/**
 * The records of a database, for modferry's own use: a stored look-up if it is proven, else one
 * that the database is asked for, which is then kept.
 */
export function storedLookups(
  { name }: Pick<Database, 'name'>,
  { cache, client }: StoredLookupsOptions,
): LookupSource {
  return {
    name,
    async find(module, version) {
      const path = lookupPath(module, version);
      const stored = await cache.readCache(path);
      const known = stored && (await client.proveStoredLookup(stored, module, version));
      if (known) return { kind: 'proven', value: known };
      const answer = await client.lookup(module, version);
      if (answer.kind === 'proven') keepProof(path, answer.value, { cache, stored });
      return answer;
    },
  };
}

/**
 * Keeps a look-up that the database was asked for, in place of a stored one that was not proven.
 */
function keepProof(
  path: string,
  { bytes }: Lookup,
  { cache, stored }: { readonly cache: CacheEffects; readonly stored: Uint8Array | undefined },
): void {
  cache.writeCache(path, bytes, { heals: stored !== undefined });
}
