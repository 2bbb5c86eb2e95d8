import type { Hashes } from '../origins/failure.ts';

/**
 * Security alarms: the hash of a file differs from the one in the checksum database, or an origin has
 * taken a version down.
 */
export type MirrorEvent =
  /** An origin served the file. No client received all of it, and it was not stored. */
  | {
      readonly event: 'security';
      readonly kind: 'mismatch';
      readonly subject: string;
      readonly origin: string;
      readonly hashes: Hashes;
    }
  /** The file was in the store. It was removed and is fetched again. */
  | {
      readonly event: 'security';
      readonly kind: 'stored-mismatch';
      readonly subject: string;
      readonly hashes: Hashes;
    }
  /** The version is served no more, whoever else has it. */
  | {
      readonly event: 'security';
      readonly kind: 'takedown';
      readonly module: string;
      readonly version: string;
      readonly origin: string;
    };
