import type { Origin } from '../origins/origin.ts';
import type { VerifierKey } from '../tlog/verifier-key.ts';

/** A checksum database that clients reach through modferry, so that GOSUMDB stays on. */
export interface Database {
  /** The name in its key and in the paths of clients, such as `sum.golang.org`. */
  readonly name: string;
  /** What it signs its tree heads with. */
  readonly key: VerifierKey;
  /** Its own addresses, in the order in which they are asked, and then its carriers. */
  readonly origins: readonly Origin[];
}
