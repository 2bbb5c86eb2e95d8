import type { FileToStore, WriteMode } from '../store/contract.ts';
import type { StoreKey } from '../store/key.ts';
import type { LayeredStore } from '../store/layered.ts';

export interface FileToPublish {
  readonly key: StoreKey;
  readonly file: FileToStore;
  readonly mode: WriteMode;
}

/**
 * Makes several files of the durable tier visible at once, or none of them.
 *
 * Readers find the other files through the last one, so that one is written when the others are
 * there. When a write fails, the files that were written before are removed again. Resolves with
 * whether all of them are there now; a file that `create` finds in its place stays and counts as
 * there. Never rejects.
 */
export async function publish(
  files: readonly FileToPublish[],
  store: Pick<LayeredStore, 'write' | 'remove'>,
): Promise<boolean> {
  const written: StoreKey[] = [];
  for (const { key, file, mode } of files) {
    const isWritten = await store.write(key, file, mode);
    if (isWritten === undefined) {
      if (written.length > 0) await store.remove(...written);
      return false;
    }
    if (isWritten) written.push(key);
  }
  return true;
}
