import type { Clock } from '../effects/clock.ts';
import { discard } from '../bytes/streams.ts';
import type { H1 } from '../bytes/h1.ts';
import type { StoreKey } from '../store/key.ts';
import type { LayeredStore } from '../store/layered.ts';

/**
 * How long a claim keeps others out, in milliseconds. Whoever made it may be killed at any time, and
 * somebody with other bytes may go on then. Nobody writes a file of the version under a claim that is
 * older.
 */
export const LEASE_MS = 60_000;

/** How often a claim is tried, when somebody else is faster. */
const MAX_ROUNDS = 3;

/** A claim: which zip a version has, or is about to get. */
export interface Claim {
  readonly h1: H1;
  /** The etag of the zip. */
  readonly etag: string;
}

/** What became of a claim: `unknown` where the store fails. */
export type Claimed = 'ours' | 'unknown' | { readonly kind: 'held'; readonly forMs: number };

interface ClaimEffects {
  readonly store: Pick<LayeredStore, 'findDurable' | 'readOwn' | 'swap'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Claims a version for a zip, or makes sure that it is claimed still. The claim of another zip is
 * taken over when it is older than its lease: this function is called for versions alone that are
 * not visible.
 */
export async function claimVersion(
  key: StoreKey,
  { h1, etag }: Claim,
  { clock, store }: ClaimEffects,
): Promise<Claimed> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const now = await store.readOwn(key);
    if (!now) return 'unknown';
    if (now.file) {
      const held = await store.findDurable(key);
      if (!held) continue;
      discard(held.file.body);
      const ageMs = clock.now() - (held.file.storedAt ?? 0);
      const isOurs = held.file.etag === etag;
      // R2 accepts one write a second for a key, so that a new claim is not written again.
      if (isOurs && ageMs < LEASE_MS / 2) return 'ours';
      if (!isOurs && ageMs < LEASE_MS) return { kind: 'held', forMs: LEASE_MS - ageMs };
    }
    const file = { bytes: new TextEncoder().encode(h1), etag };
    if (await store.swap(key, now.file?.known, file)) return 'ours';
  }
  return 'unknown';
}
