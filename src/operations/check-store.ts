import type { Emit, TroubleEvent } from '../effects/emit.ts';
import type { ModuleRequest } from '../goproxy/request.ts';
import type { Rechecked } from '../mirror/recheck.ts';
import type { DurableStore } from '../store/contract.ts';
import { parseKey } from '../store/key.ts';

/** One run of the check of the store, a slice of what is stored. */
export interface StoreCheckEvent {
  readonly event: 'store check';
  /** Files whose hash was computed again. */
  readonly files: number;
  readonly bytes: number;
  /** Files that were wrong, and were removed and fetched again. */
  readonly wrong: number;
}

export interface CheckedSlice {
  /** The key after which the check goes on; undefined at the end of the store. */
  readonly cursor: string | undefined;
  readonly files: number;
}

/** Checks the files behind a key, and at most so many. */
export type StoreCheck = (cursor: string | undefined, maxFiles: number) => Promise<CheckedSlice>;

export interface StoreCheckEffects {
  readonly durable: Pick<DurableStore, 'list'>;
  /** Compares the stored file of a request with its expected hash again. */
  readonly recheck: (request: HashedFile) => Promise<Rechecked>;
  readonly emit: Emit<StoreCheckEvent | TroubleEvent>;
}

/** The requests for files that a checksum database has a hash of. */
export type HashedFile = Extract<ModuleRequest, { readonly kind: 'mod' | 'zip' }>;

/** How much one run reads. All of a store of 10 GB is checked in a day and a half. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_FILES = 50;

/** Keys that one run looks at. */
const MAX_KEYS = 2_000;

/**
 * The slow check of the store: a disk or a person may have changed a file since it was checked. It
 * reads `.mod` and `.zip`. Files of checksum databases are proven whenever they are used.
 */
export function storeCheck({ durable, emit, recheck }: StoreCheckEffects): StoreCheck {
  return async function checkSlice(cursor, maxFiles) {
    let [keys, files, bytes, wrong] = [0, 0, 0, 0];
    let last = cursor;
    const isFull = () =>
      keys >= MAX_KEYS || bytes >= MAX_BYTES || files >= Math.min(maxFiles, MAX_FILES);
    for await (const { key, size } of durable.list('', cursor)) {
      if (isFull()) {
        emit({ event: 'store check', files, bytes, wrong });
        return { cursor: last, files };
      }
      keys += 1;
      last = key;
      const file = parseKey(key);
      if (file?.kind !== 'mod' && file?.kind !== 'zip') continue;
      const { kind, module, version } = file;
      files += 1;
      bytes += size;
      // A file that cannot be read now is looked at in the next round.
      const result = await recheck({ kind, module, version }).catch((error: unknown) => {
        emit({ event: 'trouble', label: `check of ${key}`, error });
      });
      if (result === 'wrong') wrong += 1;
    }
    emit({ event: 'store check', files, bytes, wrong });
    return { cursor: undefined, files };
  };
}
