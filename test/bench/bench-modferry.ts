import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocally } from '../../src/cli/local/local.ts';
import type { FakeSumDB } from '../fakes/sumdb/sumdb.ts';

/** A running modferry. */
export interface BenchModferry {
  /** The base URL, without a trailing slash. */
  readonly url: string;
  /** Stops modferry and removes its files. */
  close(): Promise<void>;
}

export interface BenchModferryOptions {
  /** The built Worker. */
  readonly script: string;
  /** Base URLs of the origins, joined by `|`. */
  readonly origins: readonly string[];
  readonly database: FakeSumDB;
  /** Receives each line of the log; default: ignored. */
  readonly onLog?: (line: string) => void;
}

/**
 * Starts modferry with default settings and an empty store. It verifies everything against
 * `database`.
 */
export async function startBenchModferry(options: BenchModferryOptions): Promise<BenchModferry> {
  const { script, origins, database, onLog = () => undefined } = options;
  const stateDirectory = await mkdtemp(join(tmpdir(), 'modferry-bench-'));
  const variables = {
    ORIGINS: origins.join('|'),
    SUMDBS: `${database.verifierKey} ${database.url}`,
    VERIFY: 'all',
  };
  const { miniflare, url } = await startLocally({
    port: 0,
    stateDirectory,
    variables,
    script,
    onLog,
  });
  return {
    url: url.origin,
    async close() {
      await miniflare.dispose();
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
}
