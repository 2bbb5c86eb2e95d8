import type { RequestContext } from '../mirror/context.ts';
import type { ModulePath } from '../module/module-path.ts';
import type { Version } from '../module/version.ts';
import {
  latestKey,
  listedKey,
  listKey,
  parseKey,
  versionKey,
  versionPrefix,
} from '../store/key.ts';
import type { LayeredStore } from '../store/layered.ts';

type Stores = Pick<RequestContext, 'realm' | 'store'>;

/** The stores of copies: what origins gave. Hosted versions are no copies. */
function storesOf({ realm, store }: Stores): readonly LayeredStore[] {
  return [store, realm('private').store];
}

/**
 * Removes the stored copies of a version, here at once and everywhere within a minute. False where
 * nothing was stored.
 */
export async function purgeVersion(
  module: ModulePath,
  version: Version,
  context: Stores,
): Promise<boolean> {
  const small = (['info', 'mod'] as const).map((kind) => versionKey(module, version, kind));
  const zip = versionKey(module, version, 'zip');
  const ziphash = versionKey(module, version, 'ziphash');
  let isAnyStored = false;
  for (const store of storesOf(context)) {
    const hits = await Promise.all([
      ...small.map((key) => store.findWhole(key, { inWorldTier: true, checkedOnly: true })),
      store.large.find(zip, { select: () => 'metadata' }),
    ]);
    isAnyStored ||= hits.some((hit) => hit !== undefined && !('missing' in hit));
    await store.remove(...small, zip, ziphash);
  }
  return isAnyStored;
}

/** Removes all stored copies of a module, here at once and everywhere within a minute. */
export async function purgeModule(module: ModulePath, context: Stores): Promise<void> {
  for (const store of storesOf(context)) {
    const stored = (await store.list(versionPrefix(module))).map(({ key }) => listedKey(key));
    if (stored.length > 0) await store.undo(...stored);
    await forget(module, store);
  }
}

/** Removes what may change of a module, so that the next request asks the origins. */
export async function refreshModule(module: ModulePath, context: Stores): Promise<void> {
  for (const store of storesOf(context)) {
    const queries = (await store.list(versionPrefix(module))).flatMap(({ key }) =>
      parseKey(key)?.kind === 'query' ? [listedKey(key)] : [],
    );
    if (queries.length > 0) await store.undo(...queries);
    await forget(module, store);
  }
}

/**
 * Removes the list and `@latest`. The mark for them is one for the module: no copy of any of its
 * files counts any more that a fast tier has.
 */
async function forget(module: ModulePath, store: LayeredStore): Promise<void> {
  await store.remove(listKey(module), latestKey(module));
}
