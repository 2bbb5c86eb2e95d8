import type { Config } from '../config/config.ts';
import { type Checksums, createChecksums } from '../sumdb/checksums.ts';
import { withoutCarriers } from '../sumdb/carriers.ts';
import type { Database } from '../sumdb/database.ts';
import type { LogContext } from '../sumdb/log-context.ts';
import { LogClient } from '../sumdb/log/log-client.ts';
import { logEffects } from '../sumdb/log/log-effects.ts';
import { LogMemory } from '../sumdb/log/log-memory.ts';
import { LogObservations } from '../sumdb/observations/log-observations.ts';
import { storedLookups } from '../sumdb/stored-lookups.ts';
import type { Runtime } from './runtime.ts';

/** What an isolate knows of the log of a database. */
interface KnownLog {
  readonly memory: LogMemory;
  readonly observations: LogObservations;
}

/** The clients of the checksum databases, and the look-up of hashes through them. */
export function checksumSources(
  { databases, privateModules }: Config,
  { clock, hashPairs }: Pick<Runtime, 'clock' | 'hashPairs'>,
) {
  const logs = new Map<string, KnownLog>();
  function logOf(name: string): KnownLog {
    const log = logs.get(name) ?? {
      memory: new LogMemory(clock),
      observations: new LogObservations(name),
    };
    logs.set(name, log);
    return log;
  }
  function open(database: Database, context: LogContext) {
    const { key, name } = database;
    const { memory, observations } = logOf(name);
    // A request that may not fetch asks no origin, also not on behalf of a database.
    const asked = context.mayFetch ? database : withoutCarriers(database);
    const effects = logEffects(asked, {
      ...context,
      ask: context.origins.ask,
      hashPairs,
      observe: (size) => observations.note(size, context),
    });
    const client = new LogClient({ name, key, memory, effects });
    return { client, cache: effects };
  }
  function openChecksums(asked: readonly Database[], context: LogContext): Checksums {
    const sources = asked.map((database) => storedLookups(database, open(database, context)));
    return createChecksums(sources, { withoutChecksums: privateModules });
  }
  return {
    clientOf: (database: Database, context: LogContext) => open(database, context).client,
    /** Undefined without a database: nothing can be compared then. */
    of(context: LogContext): Checksums | undefined {
      return databases.length > 0 ? openChecksums(databases, context) : undefined;
    },
    /** As above, and where there is no database it says that no module is covered. */
    anyOf: (context: LogContext): Checksums => openChecksums(databases, context),
    /** Of the stored look-ups alone: no database is asked. */
    storedOf: (context: LogContext): Checksums =>
      openChecksums(
        databases.map((database) => ({ ...database, origins: [] })),
        context,
      ),
    observationsOf: (name: string): LogObservations => logOf(name).observations,
  };
}
