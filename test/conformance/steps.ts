import type { Fault, FaultOptions } from '../fakes/origin/faults.ts';
import type { FakeModule } from '../fakes/origin/module.ts';
import type { Override } from '../fakes/origin/origin.ts';
import { FILE_HEADERS, type FileKind, NO_STORE, TEXT } from './headers.ts';
import type { Expected, NearKind, Quantity, RequestStep, Step, Tier, UpstreamName } from './row.ts';

// The steps of rows in short. Each function makes data and does nothing else.

type RequestOptions = Omit<RequestStep, 'do' | 'target' | 'expected'>;

export function get(target: string, expected: Expected, options: RequestOptions = {}): RequestStep {
  return { ...options, do: 'request', target, expected };
}

export function head(
  target: string,
  expected: Expected,
  options: RequestOptions = {},
): RequestStep {
  return get(target, expected, { ...options, method: 'HEAD' });
}

export function together(requests: readonly RequestStep[]): Step {
  return { do: 'requests', together: requests };
}

export function originFault(fault: Fault, options?: FaultOptions): Step {
  return { do: 'fault', at: 'origin', fault, options };
}

export function databaseFault(fault: Fault, options?: FaultOptions): Step {
  return { do: 'fault', at: 'database', fault, options };
}

export function stop(at: UpstreamName): Step {
  return { do: 'stop', at };
}

export function restart(at: UpstreamName): Step {
  return { do: 'restart', at };
}

export function publish(module: FakeModule): Step {
  return { do: 'publish', module };
}

export function override(path: string, by: Override): Step {
  return { do: 'override', path, by };
}

export function nearEntry(kind: NearKind, key: string, seconds?: Quantity): Step {
  return { do: 'near entry', kind, key, seconds };
}

/** The durable tier comes to hold these keys. */
export function awaitStored(...keys: readonly string[]): Step {
  return { do: 'await keys', tier: 'durable', keys };
}

/** A tier, by default the durable one, holds nothing below the prefix. */
export function nothingStored(prefix: string, tier: Tier = 'durable'): Step {
  return { do: 'keys', tier, prefix, keys: [] };
}

export function sent(match: string | RegExp, times: Quantity): Step {
  return { do: 'sent', match, times };
}

export const MEND: Step = { do: 'mend' };
export const EXPIRE: Step = { do: 'expire' };
export const EMPTY: Step = { do: 'empty' };

/** A file of this kind as it is answered. */
export function file(kind: FileKind, more: Partial<Expected> = {}): Expected {
  return { status: 200, ...FILE_HEADERS[kind], ...more };
}

/** An error, by default one that may not be stored. */
export function failure(status: number, requests: Quantity, cache: string = NO_STORE): Expected {
  return { status, type: TEXT, cache, requests };
}
