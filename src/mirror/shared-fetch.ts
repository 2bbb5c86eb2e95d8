import type { StoreKey } from '../store/key.ts';
import type { RequestContext } from './context.ts';
import type { Outcome, SharedOutcome } from './outcome.ts';
import type { Leader } from './single-flight.ts';

/** The result of a fetch. */
export interface Delivery {
  readonly outcome: Outcome;
  /** Resolves when the outcome's bytes are in the store, or never will be. */
  readonly settled?: Promise<void> | undefined;
  /**
   * Where the outcome's body is a stream, which no other request can read: whether it is in the
   * store, once that is known.
   */
  readonly stored?: Promise<boolean> | undefined;
}

/**
 * Fetches for this request and for all that ask for the same file until it is stored. The fetch is
 * given its `Leader`, by which it sees how many wait, and shows that it makes progress.
 */
export async function fetchShared(
  key: StoreKey,
  { background, shared, signal }: Pick<RequestContext, 'background' | 'shared' | 'signal'>,
  fetch: (leader: Leader<SharedOutcome>) => Promise<Delivery>,
): Promise<Outcome> {
  const leader = shared.flights.lead(key);
  const fetched = fetch(leader);
  const ended = fetched
    .then(async ({ outcome, settled, stored }) => {
      // A fetch that was given up because its client left is no answer for the requests that wait.
      const isGivenUp = signal.aborted && outcome.kind !== 'found';
      if (stored) leader.share((await stored) ? 'stored' : 'not stored');
      else leader.share(isGivenUp ? 'not stored' : outcome);
      await settled;
    })
    .finally(() => {
      leader.share('not stored'); // has no effect once something was shared
      leader.end();
    });
  background('fetch', ended);
  return (await fetched).outcome;
}
