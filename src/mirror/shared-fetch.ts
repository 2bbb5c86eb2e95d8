import type { Flight } from './flights.ts';
import type { StoreKey } from '../store/key.ts';
import type { Carrier, Shared } from './carrier.ts';
import type { Outcome } from './outcome.ts';

/** What a fetch sees of the requests that wait for it. */
export type Flown = Pick<Flight<Shared>, 'joined' | 'touch'>;

/** What a fetch came to. */
export interface Fetched {
  readonly outcome: Outcome;
  /** Resolves when the outcome's bytes are in the store, or never will be. */
  readonly settled?: Promise<void>;
  /**
   * Where the outcome's body is a stream, which nobody else can read: whether it is in the store,
   * once that is known.
   */
  readonly streamed?: Promise<boolean>;
}

/**
 * Fetches for this request and for all that come for the same file meanwhile, who join it until the
 * file is stored. The fetch gets to know who they are by its flight, and touches that while it
 * makes progress.
 */
export async function fetchAndShare(
  key: StoreKey,
  { background, flights, signal }: Pick<Carrier, 'background' | 'flights' | 'signal'>,
  fetch: (flight: Flown) => Promise<Fetched>,
): Promise<Outcome> {
  const flight = flights.lead(key);
  const fetched = fetch(flight);
  const landed = fetched
    .then(async ({ outcome, settled, streamed }) => {
      // What ended in nothing as its client left is no answer for those who stayed.
      const isGivenUp = signal.aborted && outcome.kind !== 'found';
      const shared = isGivenUp ? 'not stored' : outcome;
      flight.share(streamed ? ((await streamed) ? 'stored' : 'not stored') : shared);
      await settled;
    })
    .finally(() => {
      flight.share('not stored'); // no news to those who have the outcome
      flight.land();
    });
  background('fetch', landed);
  return (await fetched).outcome;
}
