import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocally } from '../../src/cli/local/local.ts';
import type { FakeSumDB } from '../fakes/sumdb/sumdb.ts';

export interface BenchModferry {
  /** Without a trailing slash. */
  readonly url: string;
  /** Ends it and removes its files. */
  close(): Promise<void>;
}

export interface BenchModferryOptions {
  readonly script: string;
  /** Base URLs of the origins, joined by `|`. */
  readonly origins: readonly string[];
  readonly database: FakeSumDB;
  /** Takes the log, line by line; by default nobody reads it. */
  readonly onLog?: (line: string) => void;
}

/**
 * A fresh modferry with its defaults and an empty store, which checks everything with the database.
 */
export async function startBenchModferry({
  script,
  origins,
  database,
  onLog = () => undefined,
}: BenchModferryOptions): Promise<BenchModferry> {
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
