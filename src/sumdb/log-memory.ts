import type { TreeHead } from '../tlog/tree-head.ts';

/** A tree head, and the note that the database signed it with. */
export interface SignedHead {
  readonly head: TreeHead;
  readonly note: Uint8Array;
}

/**
 * Tiles that are remembered: 8 KiB each, and a lookup in a tree of 50 million records needs about
 * eight.
 */
const MAX_TILES = 128;

/** Tree heads that are remembered as consistent with the latest one. */
const MAX_HEADS = 256;

/**
 * What an isolate knows of a database's log: the latest tree head, and what has been proven under
 * it, so that the next proof need not fetch and hash it again. All of it can be lost at any time.
 */
export class LogMemory {
  latest: SignedHead | undefined;
  readonly #tiles = new Map<string, Uint8Array>();
  readonly #consistent = new Set<string>();

  tile(path: string): Uint8Array | undefined {
    const bytes = this.#tiles.get(path);
    if (bytes) this.keepTile(path, bytes);
    return bytes;
  }

  /** Keeps a tile that was authenticated; the one that was not used for longest makes room. */
  keepTile(path: string, bytes: Uint8Array): void {
    this.#tiles.delete(path);
    this.#tiles.set(path, bytes);
    dropOldest(this.#tiles, MAX_TILES);
  }

  forgetTiles(): void {
    this.#tiles.clear();
  }

  /**
   * Takes another tree head for the latest, which what was proven under the former one may not fit
   * to.
   */
  goBackTo(head: SignedHead): void {
    this.latest = head;
    this.#tiles.clear();
    this.#consistent.clear();
  }

  isConsistent(head: TreeHead): boolean {
    return this.#consistent.has(nameOf(head));
  }

  /**
   * Keeps in mind that a tree head is on the timeline of the latest one, and so on that of every
   * later one.
   */
  keepConsistent(head: TreeHead): void {
    this.#consistent.add(nameOf(head));
    dropOldest(this.#consistent, MAX_HEADS);
  }
}

/** An empty memory for each database, by its name. */
export function openLogs(
  databases: readonly { readonly name: string }[],
): ReadonlyMap<string, LogMemory> {
  return new Map(databases.map(({ name }) => [name, new LogMemory()]));
}

function nameOf({ size, hash }: TreeHead): string {
  return `${size} ${hash.join(' ')}`;
}

function dropOldest(all: Map<string, unknown> | Set<string>, limit: number): void {
  if (all.size <= limit) return;
  for (const oldest of all.keys()) {
    all.delete(oldest);
    return;
  }
}
