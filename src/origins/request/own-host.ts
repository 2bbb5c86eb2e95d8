import type { Emit, TroubleEvent } from '../../effects/emit.ts';
import { OriginError } from '../failure.ts';
import type { Origin } from '../origin.ts';
import type { OpenDriver } from './driver.ts';

/** Whether an address leads to the host (and port) under which modferry itself is reached. */
export function isOwnHost({ url }: Pick<Origin, 'url'>, host: string): boolean {
  return URL.parse(url)?.host === host;
}

/**
 * Keeps modferry from asking itself: each such request would cause the next one.
 *
 * A request tells under which host it reached modferry, and only for this request the host counts:
 * where any client can choose its Host header, as on one's own machine, it could otherwise take
 * every origin away from the others. A request by another name of modferry arrives at the own name
 * once, and ends there.
 */
export class OwnHostGuard {
  readonly #reported = new Set<string>();

  /** The drivers of a request that came by `host`; undefined where there is no such request. */
  openDriver(next: OpenDriver, host: string | undefined, emit: Emit<TroubleEvent>): OpenDriver {
    if (host === undefined) return next;
    return (origin) => {
      if (!isOwnHost(origin, host)) return next(origin);
      this.#report(origin, host, emit);
      return () =>
        Promise.reject(
          new OriginError({ kind: 'not asked', because: 'its address is that of this modferry' }),
        );
    };
  }

  /** Once for each host: every request would repeat it. */
  #report({ name }: Origin, host: string, emit: Emit<TroubleEvent>): void {
    if (this.#reported.has(host)) return;
    this.#reported.add(host);
    const error = `${name} is at ${host}, where this modferry is: remove it from ORIGINS and SUMDBS`;
    emit({ event: 'trouble', label: 'origin', error });
  }
}
