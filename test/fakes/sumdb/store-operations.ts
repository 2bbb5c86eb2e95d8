import type { DurableStore, NearStore } from '../../../src/store/contract.ts';

/** The operations on stores, by key. */
export interface StoreOperations {
  readonly tiers: { readonly near: NearStore; readonly durable: DurableStore };
  /** The operations on a key, such as `{ 'near read': 1 }`. */
  of(key: string): Readonly<Record<string, number>>;
  /** The operations that were done more than once on one key, as `<operation> <key>`. */
  repeated(): Readonly<Record<string, number>>;
}

/** Counts what is done to stores. */
export function countOperations(tiers: StoreOperations['tiers']): StoreOperations {
  const counts = new Map<string, Map<string, number>>();
  function counted<S extends object>(tier: string, store: S): S {
    return new Proxy(store, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: readonly unknown[]) => {
          const key = String(args[0]);
          const operations = counts.get(key) ?? new Map<string, number>();
          counts.set(key, operations);
          const operation = `${tier} ${String(name)}`;
          operations.set(operation, (operations.get(operation) ?? 0) + 1);
          return Reflect.apply(method, target, args);
        };
      },
    });
  }
  return {
    tiers: { near: counted('near', tiers.near), durable: counted('durable', tiers.durable) },
    of: (key) => Object.fromEntries(counts.get(key) ?? []),
    repeated() {
      const all = [...counts].flatMap(([key, operations]) =>
        [...operations].map(([operation, count]) => [`${operation} ${key}`, count] as const),
      );
      return Object.fromEntries(all.filter(([, count]) => count > 1));
    },
  };
}
