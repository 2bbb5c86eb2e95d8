import { isPseudoVersion, type Version } from '../module/version.ts';
import { type ModulePath, versionFitsPath } from '../module/module-path.ts';
import { parseKey, versionPrefix } from '../store/key.ts';
import type { LayeredStore } from '../store/layered.ts';
import { formatList, sortVersions } from './list-body.ts';

/** The go command fetches only the zip of a toolchain, so its stored versions have no `.info`. */
const TOOLCHAIN = 'golang.org/toolchain';

/**
 * Composes `@v/list` from the stored files, for an outage in which no copy of the list is stored.
 * Undefined when no file of the module is stored: an empty list would mean that the module exists.
 *
 * A version without `.info` is not listed: it would break `go get -u` (golang/go#34033).
 * Pseudo-versions are not listed either: the go command could select an old commit.
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
    // A version that does not fit the module path is the copy of a query: the answer to v3.0.0 may
    // be v3.0.0+incompatible.
    if (!isVersionFile || !versionFitsPath(module, file.version)) continue;
    isAnyStored = true;
    const isListed = file.kind === 'info' || (module === TOOLCHAIN && file.kind === 'zip');
    if (isListed && !isPseudoVersion(file.version)) versions.add(file.version);
  }
  return isAnyStored ? formatList(sortVersions(versions)) : undefined;
}
