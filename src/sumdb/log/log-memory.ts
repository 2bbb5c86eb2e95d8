import type { Clock } from '../../effects/clock.ts';
import type { HashTile } from '../../tlog/hash-tile.ts';
import type { TreeHead } from '../../tlog/tree-head.ts';
import type { SignedHead } from './signed-head.ts';
import type { SourcedTile, TileMemory } from './reading.ts';
import { SharedReads } from './shared-reads.ts';

/**
 * Remembered tiles. Each has 16 KiB with the nodes above its hashes, and a look-up in a tree of 50
 * million records needs about eight.
 */
const MAX_TILES = 128;

/** Remembered tree heads that are consistent with the latest one. */
const MAX_HEADS = 256;

/**
 * What an isolate remembers of a database's log: the latest tree head, and what was proven under
 * it, so that the next proof need not fetch and hash it again. The platform may end the isolate at
 * any time, and nothing depends on what it remembered.
 */
export class LogMemory implements TileMemory {
  latest: SignedHead | undefined;
  /** Whether the latest one is not the common one yet, as far as this isolate knows. */
  isUnpublished = false;
  /** Whether the latest one was compared with the common one, as far as that could be read. */
  isCompared = true;
  /** When this isolate may next move the common tree head, in milliseconds since the epoch. */
  nextPublishAt = 0;
  /** For when that is planned, of a head that was not published yet; undefined for never. */
  plannedPublishAt: number | undefined;
  readonly reads: SharedReads<SourcedTile>;
  readonly #tiles = new Map<string, HashTile>();
  readonly #consistent = new Set<string>();

  constructor(clock: Clock) {
    this.reads = new SharedReads(clock);
  }

  tile(path: string): HashTile | undefined {
    const hashes = this.#tiles.get(path);
    if (hashes) this.keepTile(path, hashes);
    return hashes;
  }

  /** Keeps a tile that was proven, in place of the one that was not used for longest. */
  keepTile(path: string, hashes: HashTile): void {
    this.#tiles.delete(path);
    this.#tiles.set(path, hashes);
    dropOldest(this.#tiles, MAX_TILES);
  }

  forgetTile(path: string): void {
    this.#tiles.delete(path);
  }

  /**
   * Takes another tree head for the latest. Of what was proven under the former one the tiles stay:
   * each use of them proves them again.
   */
  goBackTo(head: SignedHead): void {
    this.latest = head;
    this.isUnpublished = false;
    this.isCompared = true;
    this.#consistent.clear();
  }

  isConsistent(head: TreeHead): boolean {
    return this.#consistent.has(nameOf(head));
  }

  /** Remembers that a tree head is on the timeline of the latest one, and so of every later one. */
  keepConsistent(head: TreeHead): void {
    this.#consistent.add(nameOf(head));
    dropOldest(this.#consistent, MAX_HEADS);
  }
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
