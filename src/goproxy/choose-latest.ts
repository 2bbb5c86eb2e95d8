import type { ModulePath } from '../module/module-path.ts';
import { compareVersions, isPseudoVersion, type Version } from '../module/version.ts';

/**
 * The version that `latest` means among these, as the go command chooses it: the highest release,
 * else the highest pre-release, else the highest pseudo-version; undefined where there is none.
 *
 * Versions with `+incompatible` count only where the highest version without has no go.mod of its
 * own. Source: cmd/go/internal/modload/query.go, Query and queryMatcher.filterVersions.
 */
export async function chooseLatest(
  versions: readonly Version[],
  hasGoMod: (version: Version) => Promise<boolean>,
): Promise<Version | undefined> {
  const compatible = highest(versions.filter((version) => !isIncompatible(version)));
  const incompatible = highest(versions.filter(isIncompatible));
  if (!compatible || !incompatible) return compatible ?? incompatible;
  return (await hasGoMod(compatible)) ? compatible : highest([compatible, incompatible]);
}

/** The highest release, else the highest pre-release, else the highest pseudo-version. */
function highest(versions: readonly Version[]): Version | undefined {
  let found: Version | undefined;
  for (const version of versions) if (!found || isHigher(version, found)) found = version;
  return found;
}

function isHigher(a: Version, b: Version): boolean {
  return (kindOf(b) - kindOf(a) || compareVersions(a, b)) > 0;
}

/** 0 for a release, 1 for a pre-release, 2 for a pseudo-version. */
function kindOf(version: Version): number {
  if (!version.includes('-')) return 0;
  return isPseudoVersion(version) ? 2 : 1;
}

function isIncompatible(version: Version): boolean {
  return version.endsWith('+incompatible');
}

/**
 * Whether a go.mod is one that somebody wrote: the go command and proxies make up one line for a
 * module that has none (cmd/go/internal/modfetch, LegacyGoMod).
 */
export function isWrittenGoMod(body: Uint8Array, module: ModulePath): boolean {
  const text = new TextDecoder().decode(body);
  return text !== `module ${module}\n` && text !== `module ${JSON.stringify(module)}\n`;
}
