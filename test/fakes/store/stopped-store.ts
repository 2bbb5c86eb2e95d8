import type { DurableStore, Upload } from '../../../src/store/contract.ts';

/** A store as a process sees it that is killed. */
export interface StoppedStore {
  readonly store: DurableStore;
  /** The calls that were begun. */
  readonly calls: () => number;
}

/**
 * The store until the process is killed: `before` its call number `at` (from 1) has an effect, or
 * `after` it had. This call and all later ones reject.
 */
export function stoppedStore(
  store: DurableStore,
  { at, when }: { readonly at: number; readonly when: 'before' | 'after' },
): StoppedStore {
  let calls = 0;
  async function run<T>(call: () => Promise<T>): Promise<T> {
    calls += 1;
    if (calls > at || (calls === at && when === 'before')) throw new Error('killed');
    const result = await call();
    if (calls >= at) throw new Error('killed');
    return result;
  }
  const stopped: DurableStore = {
    label: store.label,
    read: (key, range) => run(() => store.read(key, range)),
    head: (key) => run(() => store.head(key)),
    write: (key, file, mode) => run(() => store.write(key, file, mode)),
    swap: (key, known, file) => run(() => store.swap(key, known, file)),
    readForSwap: (key) => run(() => store.readForSwap(key)),
    remove: (keys) => run(() => store.remove(keys)),
    async upload(key, file) {
      const upload = await run(() => store.upload(key, file));
      const guarded: Upload = {
        write: (chunk) => run(() => upload.write(chunk)),
        commit: () => run(() => upload.commit()),
        abort: (reason) => run(() => upload.abort(reason)),
      };
      return guarded;
    },
    async *list(prefix, after) {
      await run(async () => undefined);
      yield* store.list(prefix, after);
    },
  };
  return { store: stopped, calls: () => calls };
}
