import type { LookupSource } from './checksums.ts';
import type { Database } from './database.ts';
import type { LogClient } from './log/log-client.ts';
import type { LookupEffects } from './log/log-effects.ts';
import { readLookup } from './log/log-verifier.ts';
import { lookupPath } from './request.ts';

export interface StoredLookupsOptions {
  /** The client of the database. */
  readonly client: LogClient;
  readonly cache: LookupEffects;
}

/**
 * The records of a database, for modferry's own use: a stored look-up if it is proven, else one
 * that the database is asked for, which is then kept.
 *
 * The partial tiles of a proof are not stored. So where the database cannot be asked, a stored
 * look-up with a signed tree head counts that was proven when it was stored.
 */
export function storedLookups(
  { name }: Pick<Database, 'name'>,
  { cache, client }: StoredLookupsOptions,
): LookupSource {
  return {
    name,
    async find(module, version) {
      const path = lookupPath(module, version);
      const stored = await cache.readLookup(path);
      const proof = stored && (await client.proveStoredLookup(stored.bytes, module, version));
      if (proof?.kind === 'proven') return proof;
      const answer = await client.lookup(module, version);
      if (answer.kind === 'proven') {
        // In place of a stored one that was not proven.
        cache.writeCache(path, answer.value.bytes, { heals: stored !== undefined });
        return answer;
      }
      const lacksTile = proof?.kind === 'unproven' && proof.lacking.kind === 'missing tile';
      if (!stored || !lacksTile || (answer.kind === 'missing' && answer.isUnanimous)) return answer;
      const known = stored.wasProven && readLookup(stored.bytes, module, version);
      return known ? { kind: 'proven', value: known.lookup } : answer;
    },
  };
}
