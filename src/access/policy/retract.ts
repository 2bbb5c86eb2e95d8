import { directivesOf } from '../../goproxy/go-mod.ts';
import { canonicalVersion, compareVersions, type Version } from '../../module/version.ts';

/** The versions from `low` to `high`, both included. */
export interface Retraction {
  readonly low: Version;
  readonly high: Version;
}

/**
 * The versions that a go.mod retracts: single ones, and intervals `[v1.0.0, v1.1.0]`. Other forms are
 * left out, as the go command does with those of a dependency. Source: golang.org/x/mod/modfile
 * ParseLax and https://go.dev/ref/mod#go-mod-file-retract.
 */
export function retractionsOf(goMod: Uint8Array): readonly Retraction[] {
  const { args } = directivesOf(new TextDecoder().decode(goMod), 'retract');
  return args.flatMap((tokens) => {
    const [, low = '', high = low] =
      /^([^\s[\],]+)$/.exec(tokens.join(' ')) ??
      /^\[ ([^\s[\],]+) , ([^\s[\],]+) \]$/.exec(tokens.join(' ')) ??
      [];
    const ends = { low: canonicalVersion(low), high: canonicalVersion(high) };
    return ends.low && ends.high ? [{ low: ends.low, high: ends.high }] : [];
  });
}

/** The versions that are not retracted. `versions` are sorted. */
export function withoutRetracted(
  versions: readonly Version[],
  retractions: readonly Retraction[],
): readonly Version[] {
  // One pass over both: lists and go.mod files are others' work, and may be long.
  const byLow = retractions.toSorted((a, b) => compareVersions(a.low, b.low));
  let next = 0;
  let high: Version | undefined;
  return versions.filter((version) => {
    for (; ; next++) {
      const begun = byLow[next];
      if (!begun || compareVersions(begun.low, version) > 0) break;
      if (high === undefined || compareVersions(high, begun.high) < 0) high = begun.high;
    }
    return high === undefined || compareVersions(version, high) > 0;
  });
}
