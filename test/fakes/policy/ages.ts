import type { Age, AgeLimits, Ages } from '../../../src/access/policy/age.ts';
import type { Version } from '../../../src/module/version.ts';

/** Ages that a test decides. */
export interface FakeAges extends Ages {
  /** The versions that were asked for, one by one and as lists. */
  readonly asked: readonly (string | readonly string[])[];
}

export const NO_LIMITS: AgeLimits = { explicitMs: undefined, listMs: undefined };

/** The age of a version is the one that `known` has, else old. */
export function fakeAges(known: Readonly<Record<string, Age>> = {}): FakeAges {
  const asked: (string | readonly string[])[] = [];
  const ageOf = (version: Version) => known[version] ?? ({ kind: 'old' } as const);
  return {
    asked,
    async of(_, version) {
      asked.push(version);
      return ageOf(version);
    },
    async ofAll(_, versions) {
      asked.push(versions);
      return new Map(versions.map((version) => [version, ageOf(version)]));
    },
  };
}
