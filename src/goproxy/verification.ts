import type { Checksums } from '../sumdb/checksums.ts';

/** What VERIFY asks for. */
export interface Verification {
  /** What go.mod files are compared with; undefined where they are not compared. */
  readonly mods: Checksums | undefined;
  /** What zips are compared with; undefined where they are not compared. */
  readonly zips: Checksums | undefined;
  /** Whether a zip must keep the rules by which the go command unpacks it. */
  readonly keepsRules: boolean;
}

/** What each value of VERIFY asks for. Without a checksum database nothing can be compared. */
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
