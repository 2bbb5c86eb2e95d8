import type { Config } from '../config/config.ts';
import { type Checksums, createChecksums } from '../sumdb/checksums.ts';
import { withoutCarriers } from '../sumdb/carriers.ts';
import type { Database } from '../sumdb/database.ts';
import type { LogContext } from '../sumdb/log-context.ts';
import { LogClient } from '../sumdb/log/log-client.ts';
import { logEffects } from '../sumdb/log/log-effects.ts';
import { LogMemory } from '../sumdb/log/log-memory.ts';
import { storedLookups } from '../sumdb/stored-lookups.ts';
import type { Runtime } from './runtime.ts';

/** The clients of the checksum databases, and the look-up of hashes through them. */
export function checksumSources(
  { databases, privateModules }: Config,
  { clock, hashPairs }: Pick<Runtime, 'clock' | 'hashPairs'>,
) {
  const memories = new Map<string, LogMemory>();
  function memoryOf(name: string): LogMemory {
    const memory = memories.get(name) ?? new LogMemory(clock);
    memories.set(name, memory);
    return memory;
  }
  function open(database: Database, context: LogContext) {
    const { key, name } = database;
    // A request that may not fetch asks no origin, also not on behalf of a database.
    const asked = context.mayFetch ? database : withoutCarriers(database);
    const effects = logEffects(asked, { ...context, ask: context.origins.ask, hashPairs });
    const client = new LogClient({ name, key, memory: memoryOf(name), effects });
    return { client, cache: effects };
  }
  return {
    clientOf: (database: Database, context: LogContext) => open(database, context).client,
    /** Undefined without a database: nothing can be compared then. */
    of(context: LogContext): Checksums | undefined {
      const sources = databases.map((database) => storedLookups(database, open(database, context)));
      return sources.length > 0
        ? createChecksums(sources, { withoutChecksums: privateModules })
        : undefined;
    },
  };
}
