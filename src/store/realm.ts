import type { DurableStore } from './contract.ts';
import { listedKey, type StoreKey } from './key.ts';
import { negativeMemory, type NegativeMemory } from './negative-memory.ts';
import type { Tiers } from './tiers.ts';

/**
 * A realm: the same layout below a prefix of its own, for what only some people may read. `private`
 * has what private modules' origins gave, `hosted` what was published to modferry. Files of a realm
 * are in the durable tier alone, so that no shared copy of them is anywhere.
 */
export type RealmName = 'private' | 'hosted';

/** The tiers of a realm. Answers "not found" are remembered in this isolate for a moment. */
export function realmTiers({ durable }: Tiers, realm: RealmName, missing: NegativeMemory): Tiers {
  return { near: negativeMemory(missing), durable: durable && belowPrefix(durable, `${realm}/`) };
}

/** The part of a store whose keys begin with `prefix`, with keys that do not. */
export function belowPrefix(store: DurableStore, prefix: string): DurableStore {
  const inside = (key: StoreKey) => listedKey(prefix + key);
  return {
    label: store.label,
    read: (key, range) => store.read(inside(key), range),
    head: (key) => store.head(inside(key)),
    write: (key, file, mode) => store.write(inside(key), file, mode),
    upload: (key, file) => store.upload(inside(key), file),
    swap: (key, known, file) => store.swap(inside(key), known, file),
    readForSwap: (key) => store.readForSwap(inside(key)),
    remove: (keys) => store.remove(keys.map(inside)),
    async *list(start, after) {
      const from = after === undefined ? undefined : prefix + after;
      for await (const { key, size } of store.list(prefix + start, from))
        yield { key: key.slice(prefix.length), size };
    },
  };
}
