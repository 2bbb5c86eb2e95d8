import type { StoreKey } from '../store/key.ts';
import type { Carrier } from './carrier.ts';
import type { Outcome } from './outcome.ts';

/** What a fetch came to. */
export interface Fetched {
  readonly outcome: Outcome;
  /** Resolves when the outcome's bytes are in the store, or never will be. */
  readonly settled?: Promise<void>;
  /** Where the outcome's body is a stream, which nobody else can read: whether it is in the store, once that is known. */
  readonly streamed?: Promise<boolean>;
}

/**
 * Fetches for this request and for all that come for the same file meanwhile. The fetch goes on when the client leaves, and
 * others join it until the file is stored. `touch` is to be called while it makes progress.
 */
export async function fetchAndShare(
  key: StoreKey,
  { background, flights }: Pick<Carrier, 'background' | 'flights'>,
  fetch: (touch: () => void) => Promise<Fetched>,
): Promise<Outcome> {
  const flight = flights.lead(key);
  const fetched = fetch(() => flight.touch());
  const landed = fetched
    .then(async ({ outcome, settled, streamed }) => {
      flight.share(streamed ? ((await streamed) ? 'stored' : 'not stored') : outcome);
      await settled;
    })
    .finally(() => {
      flight.share('not stored'); // no news to those who have the outcome
      flight.land();
    });
  background('fetch', landed);
  return (await fetched).outcome;
}
