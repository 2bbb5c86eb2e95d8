import type { ModulePath } from '../module/module-path.ts';
import type { Version } from '../module/version.ts';
import type { DurableStore } from '../store/contract.ts';
import { parseKey } from '../store/key.ts';
import type { Takedown } from '../store/takedowns.ts';

export interface StoredVersion {
  readonly module: ModulePath;
  readonly version: Version;
}

export interface AskedSlice {
  /** The key after which the check goes on; undefined at the end of the store. */
  readonly cursor: string | undefined;
  /** Versions that were asked for. */
  readonly versions: number;
}

/** Asks for the versions behind a key, and for so many at most. */
export type TakedownCheck = (
  cursor: string | undefined,
  maxVersions: number,
) => Promise<AskedSlice>;

export interface TakedownCheckEffects {
  readonly durable: Pick<DurableStore, 'list'>;
  /** The takedowns whose origins are to be asked again. */
  readonly due: () => Promise<readonly Takedown[]>;
  /** Asks the origin of a takedown for the file again. */
  readonly askAgain: (takedown: Takedown) => Promise<unknown>;
  /** Asks the final origins for a version. False when one of them cannot say. */
  readonly ask: (version: StoredVersion) => Promise<boolean>;
}

/** Versions of a run: 4,800 a day on the paid plan. */
const MAX_VERSIONS = 50;

/** Keys that one run looks at: a page of a list in R2. */
const MAX_KEYS = 1_000;

/**
 * Asks the origins whose refusals are final for what was taken down before, and for what is stored,
 * a slice at a time: nobody else would notice that a stored version was taken down. The versions of
 * private modules are in a realm of their own, which it does not look into.
 */
export function takedownCheck(effects: TakedownCheckEffects): TakedownCheck {
  const { ask, askAgain, due, durable } = effects;
  return async function checkSlice(cursor, maxVersions) {
    const max = Math.min(maxVersions, MAX_VERSIONS);
    // At least half of a run is left for what is stored.
    const again = (await due()).slice(0, Math.floor(max / 2));
    for (const takedown of again) await askAgain(takedown);
    let versions = again.length;
    let keys = 0;
    let [last, before] = [cursor, nameIn(cursor)];
    for await (const { key } of durable.list('', cursor)) {
      if (keys >= MAX_KEYS || versions >= max) return { cursor: last, versions };
      const stored = versionIn(key);
      const name = nameIn(key);
      if (stored && name !== before) {
        versions += 1;
        // One that fails may be down: the next run goes on, behind a version that may be to blame.
        if (!(await ask(stored))) return { cursor: key, versions };
      }
      keys += 1;
      [last, before] = [key, name];
    }
    return { cursor: undefined, versions };
  };
}

/** The version of which a key is a file. Its files stand together in the order of keys. */
function versionIn(key: string): StoredVersion | undefined {
  const file = parseKey(key);
  return file?.kind === 'info' || file?.kind === 'mod' || file?.kind === 'zip' ? file : undefined;
}

function nameIn(key: string | undefined): string | undefined {
  const stored = key === undefined ? undefined : versionIn(key);
  return stored && `${stored.module}@${stored.version}`;
}
