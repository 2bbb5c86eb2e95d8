import type { Clock } from '../../effects/clock.ts';
import type { Config } from '../../config/config.ts';
import { type Asked, everyAsked } from '../upstreams.ts';
import { type Attempt, attempt, type Question } from '../request/attempt.ts';
import { learn } from '../health/record-attempt.ts';
import { BadAnswer, type Origin } from '../origin.ts';
import type { Pool } from '../health/pool.ts';
import { type FileVerdict, type ProbeResult, type ProbeRound, verdictOf } from './probe-history.ts';
import { Vitals } from '../request/attempt-progress.ts';
import type { WriteLine } from '../../telemetry/log.ts';
import { type ProbeFile, type ProbeFiles, probeFiles } from './probe-files.ts';

export interface ProbeEffects {
  readonly config: Pick<Config, 'origins' | 'databases' | 'totalLimitMs'>;
  readonly pool: Pool;
  readonly clock: Clock;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly writeLog: WriteLine;
}

/** Less of a body tells no rate: most of it came with the headers. */
const RATE_BYTES = 32 * 1024;

/**
 * Asks every origin and every address of every checksum database for two known files, tells the
 * pool, and writes one log line for each, so that an operator sees in the log what is blocked where
 * the Worker runs.
 */
export async function probe(effects: ProbeEffects): Promise<ProbeRound> {
  const at = effects.clock.now();
  const results: ProbeResult[] = [];
  // One after the other: connections that wait for headers are limited to six, and queueing would
  // look like slowness.
  for (const asked of everyAsked(effects.config)) {
    const files = probeFiles(asked);
    if (files) results.push(await probeOne(asked, files, effects));
  }
  return { at, results };
}

async function probeOne(
  asked: Asked,
  files: ProbeFiles,
  effects: ProbeEffects,
): Promise<ProbeResult> {
  const { clock, writeLog } = effects;
  const { database, id, origin } = asked;
  const at = clock.now();
  const small = await probeFile(origin, files.small, { ...effects, isBulk: false });
  // Who sent no headers for the small file would only make this run wait for as long again.
  const isReached = small.headersAfter !== undefined;
  const large = isReached
    ? await probeFile(origin, files.large, { ...effects, isBulk: true })
    : undefined;
  writeLog(
    JSON.stringify({
      event: 'probe',
      origin: origin.name,
      ...(database === undefined ? {} : { database }),
      verdict: small.verdict,
      headersAfter: small.headersAfter,
      large: large?.verdict,
      bytes: large?.bytes,
      rate: large?.rate,
      ms: clock.now() - at,
    }),
  );
  return { id, at, small, ...(large ? { large } : {}) };
}

async function probeFile(
  origin: Origin,
  file: ProbeFile,
  {
    clock,
    config,
    fetch,
    isBulk,
    pool,
  }: ProbeEffects & {
    /** Whether its body shows that more comes through than the first packets. */
    readonly isBulk: boolean;
  },
): Promise<FileVerdict> {
  const vitals = new Vitals(clock);
  const question: Question<void> = {
    path: file.path,
    isZip: isBulk,
    async accept(body) {
      const bytes = await body.start(file.limit);
      if (bytes.length < file.limit) body.checkLength(bytes.length);
      await body.cancel('it was a probe');
      if (!file.isKnown(bytes)) throw new BadAnswer('another file than the known one');
    },
  };
  pool.counters(origin).asked += 1;
  const result = await attempt(origin, question, { fetch, clock, ms: config.totalLimitMs, vitals });
  learn(pool, { origin, result, vitals, isZip: isBulk });
  const { bodyMs, bytes, headersAfter } = vitals;
  return {
    isUp: isAnswer(result),
    verdict: verdictOf(wordOf(result)),
    ...(headersAfter === undefined ? {} : { headersAfter }),
    bytes,
    ...(bytes >= RATE_BYTES && bodyMs > 0 ? { rate: Math.round((bytes / bodyMs) * 1000) } : {}),
  };
}

function isAnswer(result: Attempt<void>): boolean {
  return result.kind !== 'failed' || result.failure.isBlameless === true;
}

/**
 * What an origin says itself is not repeated: it may name the module that an operator probes with.
 */
function wordOf(result: Attempt<void>): string {
  if (result.kind === 'accepted') return 'ok';
  if (result.kind === 'missing') return 'not found';
  return result.failure.isBlameless ? 'it could not fetch the file itself' : result.failure.text;
}
