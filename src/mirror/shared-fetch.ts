import type { StoreKey } from '../store/key.ts';
import type { RequestContext } from './context.ts';
import type { Outcome, SharedOutcome } from './outcome.ts';
import type { Leader } from './single-flight.ts';

/** The result of a fetch. */
export interface Delivery {
  readonly outcome: Outcome;
  /** Resolves when the writes to the store have ended. */
  readonly settled?: Promise<void> | undefined;
  /**
   * Present where the body is a stream, which no other request can read. Resolves with whether the
   * file is stored, as soon as that is certain.
   */
  readonly stored?: Promise<boolean> | undefined;
}

/**
 * Fetches a file for this request and for those that join until it is stored. `fetch` receives the
 * `Leader` of the flight: it shows how many requests wait, and takes signs of progress. Rejects as
 * `fetch` does.
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
      // A fetch that was aborted with its client is no answer for the waiting requests.
      const isAborted = signal.aborted && outcome.kind !== 'found';
      if (stored) leader.share((await stored) ? 'stored' : 'not stored');
      else leader.share(isAborted ? 'not stored' : outcome);
      await settled;
    })
    .finally(() => {
      leader.share('not stored'); // without effect after the first value
      leader.end();
    });
  background('fetch', ended);
  return (await fetched).outcome;
}
