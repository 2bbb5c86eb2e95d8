import type { Checksums } from '../sumdb/checksums.ts';

/** The checks that VERIFY selects. */
export interface Verification {
  /** The hashes for go.mod files; undefined where these are not compared. */
  readonly mods: Checksums | undefined;
  /** The hashes for zips; undefined where these are not compared. */
  readonly zips: Checksums | undefined;
  /** Whether a zip that the go command would not unpack is refused. */
  readonly keepsRules: boolean;
}

/** The checks for a value of VERIFY. Without `checksums` nothing is compared. */
export function verificationOf(
  verify: 'off' | 'mod' | 'all',
  checksums: Checksums | undefined,
): Verification {
  return {
    mods: verify === 'off' ? undefined : checksums,
    zips: verify === 'all' ? checksums : undefined,
    keepsRules: verify !== 'off',
  };
}
