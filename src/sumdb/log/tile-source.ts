import type { Effort } from '../../origins/race/answer.ts';
import type { Tile } from '../../tlog/tile-path.ts';
import { InconsistentTile, type TileReading } from '../../tlog/tile-reader.ts';
import { atMost } from './at-most.ts';
import { type ProvenAnswer, totalEffort } from './log-answer.ts';
import type { TileEffects } from './log-effects.ts';
import type { Unproven } from './proof.ts';
import { type OwnTile, Reading, type TileMemory, TileUnavailable } from './reading.ts';

/** How many tiles a request reads at once: the platform gives it six connections. */
const MAX_READS = 4;

export interface ReadingOptions {
  /**
   * The tile that a client asked for. Whatever serves it has found neither it nor the full one in
   * the cache, and keeps it: here it is not read from the cache a second time, and not written.
   */
  readonly served?: Tile | undefined;
  /**
   * A tile that is to be proven itself. When the tiles do not fit together there is no second
   * reading: which of them is wrong is for the caller to find.
   */
  readonly own?: OwnTile | undefined;
}

/** The result of a proof, with the tiles that were read for it. */
export interface ProvenReading<T> extends ProvenAnswer<T> {
  /**
   * Remembers and stores the tiles. For when everything that the answer rests on is proven, and not
   * before: the tiles of a forked log fit together as well.
   */
  readonly keepTiles: () => void;
}

/**
 * Reads the tiles of a request's proofs: from memory, from the cache, from the database. A partial
 * tile belongs to one tree head, so it is remembered and not stored.
 *
 * When they do not fit together the cache is passed over and then, one after the other, the
 * addresses that gave them: one damaged copy anywhere costs some more requests, and a damaged copy
 * in the cache is replaced.
 */
export class TileSource {
  readonly #effects: TileEffects;
  readonly #memory: TileMemory | undefined;
  readonly #inTurn = atMost(MAX_READS);

  constructor(effects: TileEffects, memory?: TileMemory) {
    this.#effects = effects;
    this.#memory = memory;
  }

  /**
   * The result of `prove`, whose tiles are read here, or why there are no tiles for it. This is the
   * one place where an exception inside a proof turns into its result. Rejects when the cache does.
   */
  async read<T>(
    prove: (reading: TileReading) => Promise<T>,
    options: ReadingOptions = {},
  ): Promise<ProvenReading<T> | Unproven> {
    const avoid = new Set<string>();
    const efforts: Effort[] = [];
    let inconsistent: InconsistentTile | undefined;
    for (let useCache = true; ; useCache = false) {
      const { own, served } = options;
      const reading = new Reading(this.#effects, {
        memory: this.#memory,
        inTurn: this.#inTurn,
        avoid,
        useCache,
        own,
        served,
        efforts,
      });
      try {
        const value = await prove(reading);
        const keepTiles = () => reading.keep();
        return { kind: 'proven', value, source: reading.source(), keepTiles };
      } catch (error) {
        if (error instanceof TileUnavailable) {
          return inconsistent ? doNotFit(inconsistent, efforts) : isMissing(error, efforts);
        }
        if (!(error instanceof InconsistentTile)) throw error;
        if (own) return doNotFit(error, efforts);
        inconsistent = error;
        reading.forget();
        if (!reading.usedCache) for (const origin of reading.origins) avoid.add(origin);
      }
    }
  }
}

function doNotFit({ message, tile }: InconsistentTile, efforts: readonly Effort[]): Unproven {
  return {
    kind: 'unproven',
    reason: message,
    lacking: { kind: 'inconsistent tiles', tile },
    effort: totalEffort(efforts),
  };
}

function isMissing({ answer, message }: TileUnavailable, efforts: readonly Effort[]): Unproven {
  return {
    kind: 'unproven',
    reason: message,
    lacking: { kind: 'missing tile', answer },
    effort: totalEffort(efforts),
  };
}
