import { type ModulePath, versionFitsPath } from '../module/module-path.ts';
import {
  isPseudoVersion,
  parseVersion,
  toSortedVersions,
  type Version,
} from '../module/version.ts';

/**
 * The versions in the body of `@v/list`, sorted, each once. Lines that are no canonical version of
 * the module are dropped, and pseudo-versions too: the go command would ignore both
 * (cmd/go/internal/modfetch/proxy.go, Versions). What stands behind a version in its line is not
 * looked at.
 */
export function parseList(body: Uint8Array, module: ModulePath): readonly Version[] {
  const lines = new TextDecoder().decode(body).split('\n');
  const versions = lines.flatMap((line) => {
    const version = parseVersion(line.trim().split(/\s/)[0] ?? '');
    return version && !isPseudoVersion(version) && versionFitsPath(module, version)
      ? [version]
      : [];
  });
  return sortVersions(versions);
}

/** The body of `@v/list` with these versions. */
export function formatList(versions: readonly Version[]): Uint8Array {
  return new TextEncoder().encode(versions.map((version) => `${version}\n`).join(''));
}

/** Versions by semantic version, each once. */
export function sortVersions(versions: Iterable<Version>): readonly Version[] {
  return toSortedVersions([...new Set(versions)]);
}
