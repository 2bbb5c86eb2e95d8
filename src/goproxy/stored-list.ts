import type { LayeredStore } from '../store/layered.ts';
import { versionPrefix } from '../store/key.ts';
import { type ModulePath, versionFitsPath } from '../module/module-path.ts';
import {
  compareVersions,
  isPseudoVersion,
  parseVersion,
  unescapeVersionElement,
  type Version,
} from '../module/version.ts';

/** Toolchains are fetched by their zip alone: their versions have no `.info` to be listed by. */
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
  store: LayeredStore,
  module: ModulePath,
): Promise<Uint8Array | undefined> {
  const prefix = versionPrefix(module);
  const versions = new Set<Version>();
  let any = false;
  for (const key of await store.keys(prefix)) {
    const file = /^([^/]+)\.(info|mod|zip)$/.exec(key.slice(prefix.length));
    const version = parseVersion(unescapeVersionElement(file?.[1] ?? '') ?? '');
    // The answer to v3.0.0 may be v3.0.0+incompatible: a version that cannot be the module's own is
    // a query's copy.
    if (version === undefined || !versionFitsPath(module, version)) continue;
    any = true;
    const listed = file?.[2] === 'info' || (module === TOOLCHAIN && file?.[2] === 'zip');
    if (listed && !isPseudoVersion(version)) versions.add(version);
  }
  const lines = [...versions].toSorted(compareVersions).map((version) => `${version}\n`);
  return any ? new TextEncoder().encode(lines.join('')) : undefined;
}
