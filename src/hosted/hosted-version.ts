import type { ModulePath } from '../module/module-path.ts';
import { versionFitsPath } from '../module/module-path.ts';
import type { Version } from '../module/version.ts';
import { parseKey, type StoreKey, versionKey, versionPrefix } from '../store/key.ts';
import type { LayeredStore } from '../store/layered.ts';

/** A version of a module that is published to modferry. */
export interface HostedVersion {
  readonly module: ModulePath;
  readonly version: Version;
}

/**
 * The keys of a hosted version, in the realm `hosted`.
 *
 * A version is visible if and only if its `.info` is stored. `.ziphash` says which zip the version
 * has or is about to get: it is written first, and its etag is that of the zip.
 */
export interface HostedKeys {
  readonly info: StoreKey;
  readonly mod: StoreKey;
  readonly zip: StoreKey;
  readonly ziphash: StoreKey;
}

export function hostedKeys({ module, version }: HostedVersion): HostedKeys {
  return {
    info: versionKey(module, version, 'info'),
    mod: versionKey(module, version, 'mod'),
    zip: versionKey(module, version, 'zip'),
    ziphash: versionKey(module, version, 'ziphash'),
  };
}

/** The `.info` of a version; `absent` where it is not visible, undefined where that is not known. */
export async function readInfo(
  store: Pick<LayeredStore, 'durableLabel' | 'readOwn'>,
  version: HostedVersion,
): Promise<Uint8Array | 'absent' | undefined> {
  if (store.durableLabel === undefined) return 'absent';
  const stored = await store.readOwn(hostedKeys(version).info);
  return stored && (stored.file?.bytes ?? 'absent');
}

/** The visible versions of a module, pseudo-versions among them; undefined where not known. */
export async function listVersions(
  store: Pick<LayeredStore, 'durableLabel' | 'tryList'>,
  module: ModulePath,
): Promise<readonly Version[] | undefined> {
  if (store.durableLabel === undefined) return [];
  const stored = await store.tryList(versionPrefix(module));
  return stored?.flatMap(({ key }) => {
    const file = parseKey(key);
    const isVisible = file?.kind === 'info' && versionFitsPath(module, file.version);
    return isVisible ? [file.version] : [];
  });
}
