import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Miniflare } from 'miniflare';
import { inject } from 'vitest';
import { TOKENS } from '../fakes/tokens.ts';
import { type LocalOptions, startLocally } from '../../src/cli/local/local.ts';

export interface Modferry {
  /** Without a trailing slash. */
  readonly url: string;
  readonly miniflare: Miniflare;
  readonly stateDirectory: string;
  /** The log, one parsed JSON line each; lines come a moment after the answer. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Ends it; the files stay. */
  stop(): Promise<void>;
  /** Ends it and removes its files. */
  close(): Promise<void>;
}

export type ModferryOptions = Partial<
  Pick<LocalOptions, 'certificate' | 'stateDirectory' | 'without'>
> & {
  readonly variables: Readonly<Record<string, string>>;
  /** Code that runs before the Worker's own, to change what the platform does. */
  readonly prelude?: string | undefined;
};

/** The built Worker in workerd, on a port of its own, with files in a folder of its own. */
export async function startModferry({
  variables,
  stateDirectory,
  prelude = '',
  ...options
}: ModferryOptions): Promise<Modferry> {
  const directory = stateDirectory ?? (await mkdtemp(join(tmpdir(), 'modferry-state-')));
  const log: Readonly<Record<string, unknown>>[] = [];
  const { miniflare, url, close } = await startLocally({
    ...options,
    port: 0,
    stateDirectory: directory,
    variables: { SUMDBS: 'off', TOKENS, ...variables },
    script: `${prelude}${inject('workerScript')}`,
    onLog: (line) => log.push(parseLine(line)),
  });
  let running = true;
  const stop = async () => {
    if (running) await close();
    running = false;
  };
  return {
    url: url.origin,
    miniflare,
    stateDirectory: directory,
    log,
    stop,
    async close() {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function parseLine(line: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return { line };
  }
}
