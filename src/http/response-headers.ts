import type { Outcome, Source } from '../mirror/outcome.ts';
import type { Trace } from '../effects/trace.ts';

/**
 * `Cache-Status` (RFC 9211): `hit` when the answer came from a store, else `fwd` with the reason
 * why an origin was asked. `detail` names the tier or the origin. What it took beyond one request
 * is said in parameters of our own: `attempts`, `hedged`, and `breakers` with those that were not
 * closed.
 */
export function cacheStatus(outcome: Outcome): string {
  const { source } = outcome;
  if (source.tier === 'local') return 'modferry; detail=local';
  if (source.stale) {
    return [
      'modferry',
      'fwd=stale',
      `detail=${token(source.tier)}`,
      ...effortParameters(source),
    ].join('; ');
  }
  if (source.tier !== 'origin') return `modferry; hit; detail=${token(source.tier)}`;
  const status =
    outcome.kind === 'found' ? 200 : outcome.kind === 'missing' ? outcome.status : undefined;
  return [
    'modferry',
    'fwd=uri-miss',
    ...(status === undefined ? [] : [`fwd-status=${status}`]),
    ...(source.origin === undefined ? [] : [`detail=${token(source.origin)}`]),
    ...effortParameters(source),
  ].join('; ');
}

function effortParameters({ attempts = 0, breakers = {}, hedged }: Source): readonly string[] {
  const states = Object.entries(breakers).map(([origin, state]) => `${origin}=${state}`);
  return [
    ...(attempts > 1 ? [`attempts=${attempts}`] : []),
    ...(hedged ? ['hedged'] : []),
    ...(states.length > 0 ? [`breakers=${JSON.stringify(states.join(' '))}`] : []),
  ];
}

/** A token where the text is one (RFC 9651 3.3.4), else a quoted string. */
function token(text: string): string {
  return /^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/.test(text) ? text : JSON.stringify(text);
}

/** `Server-Timing`: the tiers and origins that were asked, and the whole, in milliseconds. */
export function serverTiming(trace: Trace, total: number): string {
  return [...trace.timings, ['total', total] as const]
    .map(([name, ms]) => `${name};dur=${ms}`)
    .join(', ');
}
