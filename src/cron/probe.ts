import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { attempt } from '../origins/attempt.ts';
import { BadAnswer, type Origin } from '../origins/origin.ts';
import type { WriteLine } from '../telemetry/log.ts';

export interface ProbeEffects {
  readonly config: Config;
  readonly clock: Clock;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly writeLog: WriteLine;
}

/** A module that every public proxy has. */
const WELL_KNOWN = '/golang.org/x/text/@v/v0.3.0.mod';

/**
 * Asks every origin and every address of every checksum database for a small known file, and writes one log line for
 * each, so that an operator sees in the log what is blocked where the Worker runs. An origin for certain modules only
 * is not asked: nothing is known to be there.
 */
export async function probe({ config, clock, fetch, writeLog }: ProbeEffects): Promise<void> {
  async function ask(origin: Origin, path: string, expected: string): Promise<void> {
    const started = clock.now();
    const question = {
      path,
      async accept(body: { all(limit: number): Promise<Uint8Array> }) {
        const text = new TextDecoder().decode(await body.all(64 * 1024));
        if (!text.startsWith(expected)) throw new BadAnswer('another file than the known one');
      },
    };
    const result = await attempt(origin, question, { fetch, clock, ms: config.totalLimit });
    const verdict =
      result.kind === 'failed' ? result.failure.text : result.kind === 'missing' ? 'not found' : 'ok';
    writeLog(JSON.stringify({ event: 'probe', origin: origin.name, verdict, ms: clock.now() - started }));
  }

  // One after the other: connections that wait for headers are limited to six, and queueing would look like slowness.
  for (const origin of config.origins.filter(({ modules }) => !modules))
    await ask(origin, WELL_KNOWN, 'module ');
  for (const { origins } of config.databases) {
    for (const origin of origins) await ask(origin, '/latest', 'go.sum database tree\n');
  }
}
