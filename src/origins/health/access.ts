import type { Origin } from '../origin.ts';

/** What an origin does with modferry's credentials: `unknown` where it failed for another reason. */
export type Access = 'granted' | 'refused' | 'unknown';

/** How long it counts in this isolate. */
const KNOWN_MS = 60_000;
const UNKNOWN_MS = 5_000;

/** A request for the known file without an outcome by then was ended by the platform. */
const CLAIM_MS = 10_000;

/**
 * Whether origins give to modferry's credentials what they have, as far as this isolate knows.
 * Two origins at one address may have different credentials, so their names tell them apart.
 * `now` is in milliseconds of a steady clock.
 */
export class KnownAccess {
  readonly #known = new Map<string, { readonly access: Access; readonly until: number }>();
  readonly #claimedUntil = new Map<string, number>();

  /** Undefined where it has to be found out. */
  of({ name }: Pick<Origin, 'name'>, now: number): Access | undefined {
    const known = this.#known.get(name);
    return known && now < known.until ? known.access : undefined;
  }

  /** Claims the request that finds it out. False while another request does. */
  claim({ name }: Pick<Origin, 'name'>, now: number): boolean {
    if (now < (this.#claimedUntil.get(name) ?? 0)) return false;
    this.#claimedUntil.set(name, now + CLAIM_MS);
    return true;
  }

  /** Records the outcome of that request. */
  record({ name }: Pick<Origin, 'name'>, access: Access, now: number): void {
    const ms = access === 'unknown' ? UNKNOWN_MS : KNOWN_MS;
    this.#known.set(name, { access, until: now + ms });
    this.#claimedUntil.delete(name);
  }
}
