import type { DurableStore, NearStore } from '../../../src/store/contract.ts';

/** Counts of the operations on stores. */
export interface StoreOperations {
  readonly tiers: { readonly near: NearStore; readonly durable: DurableStore };
  /** The counts for a key, such as `{ 'near read': 1 }`. */
  of(key: string): Readonly<Record<string, number>>;
  /** The number of operations on a tier. */
  total(tier: keyof StoreOperations['tiers']): number;
  /** The counts above 1, by `<operation> <key>`. */
  repeated(): Readonly<Record<string, number>>;
}

/** Wraps stores so that every operation is counted. */
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
    total(tier) {
      let sum = 0;
      for (const operations of counts.values())
        for (const [operation, count] of operations)
          if (operation.startsWith(`${tier} `)) sum += count;
      return sum;
    },
    repeated() {
      const all = [...counts].flatMap(([key, operations]) =>
        [...operations].map(([operation, count]) => [`${operation} ${key}`, count] as const),
      );
      return Object.fromEntries(all.filter(([, count]) => count > 1));
    },
  };
}
