import type { Trace } from '../effects/trace.ts';
import type { Outcome } from '../mirror/outcome.ts';
import type { Effort } from '../origins/race/answer.ts';

/**
 * `Cache-Status` (RFC 9211): `hit` for a fresh answer from the store, else `fwd` with the reason
 * why origins were asked. `detail` names the tier or the origin. Parameters of our own show the
 * effort beyond one request: `attempts`, `hedged`, and `breakers` with those that were not closed.
 */
export function cacheStatus(outcome: Outcome): string {
  const { source } = outcome;
  switch (source.from) {
    case 'local':
      return 'modferry; detail=local';
    case 'store': {
      const parameters = source.effort ? effortParameters(source.effort) : [];
      const how = source.isStale ? 'fwd=stale' : 'hit';
      return ['modferry', how, `detail=${token(source.tier)}`, ...parameters].join('; ');
    }
    case 'origin':
      return [
        'modferry',
        'fwd=uri-miss',
        ...forwardedStatus(outcome),
        ...(source.origin === undefined ? [] : [`detail=${token(source.origin)}`]),
        ...effortParameters(source.effort),
      ].join('; ');
  }
}

/** The status of the origin's answer, where an origin answered. */
function forwardedStatus(outcome: Outcome): readonly string[] {
  if (outcome.kind === 'found') return ['fwd-status=200'];
  if (outcome.kind === 'refused') return ['fwd-status=403'];
  return outcome.kind === 'missing' ? [`fwd-status=${outcome.status}`] : [];
}

function effortParameters({ attempts, breakers, hedged }: Effort): readonly string[] {
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

/** `Server-Timing`: the measured parts of the request and the total, in milliseconds. */
export function serverTiming(trace: Trace, totalMs: number): string {
  return [...trace.timings, ['total', totalMs] as const]
    .map(([name, ms]) => `${name};dur=${ms}`)
    .join(', ');
}
