import { expect, it } from 'vitest';
import type { Checksums } from '../sumdb/checksums.ts';
import { verificationOf } from './verification.ts';

const checksums: Checksums = { expect: async () => ({ kind: 'uncovered' }) };

it.each([
  ['off', false, false, false],
  ['mod', true, false, true],
  ['all', true, true, true],
] as const)(
  'VERIFY=%s compares go.mod files: %s, zips: %s, and holds zips to the rules of the go command: %s',
  (verify, mods, zips, keepsRules) => {
    expect(verificationOf(verify, checksums)).toEqual({
      mods: mods ? checksums : undefined,
      zips: zips ? checksums : undefined,
      keepsRules,
    });
  },
);

it.each(['off', 'mod', 'all'] as const)(
  'VERIFY=%s compares nothing without a checksum database, and keeps the rules',
  (verify) => {
    expect(verificationOf(verify, undefined)).toEqual({
      mods: undefined,
      zips: undefined,
      keepsRules: verify !== 'off',
    });
  },
);
