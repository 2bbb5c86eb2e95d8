import type { Hashes } from '../origins/failure.ts';

/**
 * What an operator must hear of: a file is another one than the checksum database has the hash of.
 */
export type MirrorEvent =
  /** An origin gave it. It was neither served whole nor stored. */
  | {
      readonly event: 'security';
      readonly kind: 'mismatch';
      readonly subject: string;
      readonly origin: string;
      readonly hashes: Hashes;
    }
  /** It was stored. It was removed and is fetched anew. */
  | {
      readonly event: 'security';
      readonly kind: 'stored-mismatch';
      readonly subject: string;
      readonly hashes: Hashes;
    };
