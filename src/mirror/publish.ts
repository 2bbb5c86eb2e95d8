import type { FileToStore, WriteMode } from '../store/contract.ts';
import type { StoreKey } from '../store/key.ts';
import type { LayeredStore } from '../store/layered.ts';

export interface FileToPublish {
  readonly key: StoreKey;
  readonly file: FileToStore;
  readonly mode: WriteMode;
}

/**
 * Publishes several files in the durable tier, all or none.
 *
 * Readers find the other files through the last one, so it is written last. When a write fails, the
 * files that were created before it are removed. Resolves with true when all files are stored; a
 * file that already exists under a key of mode `create` stays and counts as stored. Never rejects.
 */
export async function publish(
  files: readonly FileToPublish[],
  store: Pick<LayeredStore, 'write' | 'undo'>,
): Promise<boolean> {
  const created: StoreKey[] = [];
  for (const { key, file, mode } of files) {
    const isWritten = await store.write(key, file, mode);
    if (isWritten === undefined) {
      if (created.length > 0) await store.undo(...created);
      return false;
    }
    // What replaced a file may vouch for another one by now, which another isolate wrote.
    if (isWritten && mode === 'create') created.push(key);
  }
  return true;
}
