import { isPseudoVersion, compareVersions, type Version } from '../module/version.ts';
import { type ModulePath, versionFitsPath } from '../module/module-path.ts';
import { parseKey, versionPrefix } from '../store/key.ts';
import type { LayeredStore } from '../store/layered.ts';

/**
 * Toolchains are fetched by their zip alone: their versions have no `.info` to be listed by.
 */
const TOOLCHAIN = 'golang.org/toolchain';

/**
 * `@v/list` made from what the store holds, for a module whose list was never asked while an origin
 * could be reached. Undefined when nothing of the module is stored: an empty list would say that
 * the module exists.
 *
 * Listed is what the go command can go on with: a version without `.info` would break `go get -u`
 * (golang/go#34033), and pseudo-versions are never listed, or clients would be pinned to an old
 * commit.
 */
export async function listStored(
  store: Pick<LayeredStore, 'list'>,
  module: ModulePath,
): Promise<Uint8Array | undefined> {
  const versions = new Set<Version>();
  let isAnyStored = false;
  for (const { key } of await store.list(versionPrefix(module))) {
    const file = parseKey(key);
    const isVersionFile = file?.kind === 'info' || file?.kind === 'mod' || file?.kind === 'zip';
    // The answer to v3.0.0 may be v3.0.0+incompatible: a version that cannot be the module's own is
    // a query's copy.
    if (!isVersionFile || !versionFitsPath(module, file.version)) continue;
    isAnyStored = true;
    const isListed = file.kind === 'info' || (module === TOOLCHAIN && file.kind === 'zip');
    if (isListed && !isPseudoVersion(file.version)) versions.add(file.version);
  }
  const lines = [...versions].toSorted(compareVersions).map((version) => `${version}\n`);
  return isAnyStored ? new TextEncoder().encode(lines.join('')) : undefined;
}
