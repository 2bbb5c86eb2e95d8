import type { Emit } from '../../effects/emit.ts';
import type { ProbeEvent } from '../events.ts';
import { publicFailureText } from '../failure.ts';
import { MIN_RATE_BYTES } from '../health/health.ts';
import type { Origin } from '../origin.ts';
import type { Attempt } from '../request/attempt.ts';
import type { Upstream } from '../upstream.ts';
import { askKnownFile, type KnownFileEffects, type KnownFileOptions } from './known-file.ts';
import type { ProbeFile, ProbeFiles } from './probe-files.ts';
import { type FileVerdict, type ProbeResult, type ProbeRound, verdictOf } from './probe-history.ts';

export interface ProbeEffects extends KnownFileEffects {
  /** How long one file may take. */
  readonly limitMs: number;
  readonly emit: Emit<ProbeEvent>;
}

/**
 * Requests two known files from each upstream, records the outcome in the registry, and emits an
 * event for each upstream. The log then shows an operator what is blocked where the Worker runs.
 */
export async function probe(
  upstreams: readonly Upstream[],
  effects: ProbeEffects,
): Promise<ProbeRound> {
  const at = effects.clock.now();
  const results: ProbeResult[] = [];
  // One after the other, so that no origin is slow because another one sends a long body.
  for (const upstream of upstreams)
    if (upstream.probe) results.push(await probeOne(upstream, upstream.probe, effects));
  return { at, results };
}

async function probeOne(
  { database, id, origin }: Upstream,
  files: ProbeFiles,
  effects: ProbeEffects,
): Promise<ProbeResult> {
  const { clock, emit } = effects;
  const at = clock.now();
  const small = await probeFile(origin, files.small, { ...effects, lane: 'reach' });
  // Without headers for the small file the large one would only take as long again.
  const isReached = small.headersAfter !== undefined;
  const large =
    isReached && files.large
      ? await probeFile(origin, files.large, { ...effects, lane: 'bulk' })
      : undefined;
  emit({
    event: 'probe',
    origin: origin.name,
    database,
    verdict: small.verdict,
    headersAfter: small.headersAfter,
    large: large?.verdict,
    bytes: large?.bytes,
    rate: large?.rate,
    ms: clock.now() - at,
  });
  return { id, at, small, ...(large ? { large } : {}) };
}

async function probeFile(
  origin: Origin,
  file: ProbeFile,
  effects: KnownFileEffects & KnownFileOptions,
): Promise<FileVerdict> {
  const { progress, result } = await askKnownFile(origin, file, effects);
  const { bodyMs, bytes, headersMs } = progress;
  const showsRate = bytes >= MIN_RATE_BYTES && bodyMs > 0;
  return {
    ...verdictOn(result),
    ...(headersMs === undefined ? {} : { headersAfter: headersMs }),
    bytes,
    ...(showsRate ? { rate: Math.round((bytes / bodyMs) * 1000) } : {}),
  };
}

/**
 * The text of a "not now" is the origin's own and is not shown: it may name the module that an
 * operator probes with.
 */
function verdictOn(result: Attempt<unknown>): Pick<FileVerdict, 'isUp' | 'verdict'> {
  if (result.kind === 'accepted') return { isUp: true, verdict: 'ok' };
  if (result.kind === 'missing')
    return { isUp: true, verdict: result.missing.status === 403 ? 'refused' : 'not found' };
  const { reason } = result.failure;
  if (reason.kind === 'not asked' && reason.because === 'it does not carry the database')
    return { isUp: true, verdict: reason.because };
  if (reason.kind === 'not now')
    return { isUp: true, verdict: 'it could not fetch the file itself' };
  return { isUp: false, verdict: verdictOf(publicFailureText(reason)) };
}
