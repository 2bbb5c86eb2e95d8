import { failed, type Result, success } from '../../effects/result.ts';
import { type FailureReason, wrongContent } from '../../origins/failure.ts';
import type { Effort } from '../../origins/race/answer.ts';
import type { Tile } from '../../tlog/tile-path.ts';
import type { NoAnswer } from './log-answer.ts';

/** Whether something is in the log of a checksum database. */
export type Proof<T> = Proven<T> | Unproven | Refuted;

export interface Proven<T> {
  readonly kind: 'proven';
  readonly value: T;
}

/** Proven by tiles. */
export interface ProvenByTiles<T> extends Proven<T> {
  /** Remembers and stores the tiles, once everything that the answer rests on is proven. */
  readonly keepTiles: () => void;
}

export type TileProof<T> = ProvenByTiles<T> | Unproven | Refuted;

/** Reports what a proof shows of the database, and returns it. Each proof is reported once. */
export type Report = <T>(proof: Proof<T>) => Proof<T>;

/** It may be in the log: there are no tiles that would tell. */
export interface Unproven {
  readonly kind: 'unproven';
  readonly reason: string;
  readonly lacking: MissingTile | InconsistentTiles;
  /** The requests that were made for tiles. */
  readonly effort: Effort;
  readonly evidence?: Evidence | undefined;
}

/** It is not in the log. */
export interface Refuted {
  readonly kind: 'refuted';
  readonly reason: string;
  readonly evidence?: Evidence | undefined;
}

/** A tile cannot be read. */
export interface MissingTile {
  readonly kind: 'missing tile';
  /** The answer of the database's addresses; undefined where none may be asked. */
  readonly answer: NoAnswer | undefined;
}

/** No source has tiles that fit together. */
export interface InconsistentTiles {
  readonly kind: 'inconsistent tiles';
  /** The tile that did not fit; of several that only fit together, the highest. */
  readonly tile: Tile;
}

/** What an answer shows of the database, or of whatever answers in its name: see `LogEvent`. */
export type Evidence =
  | { readonly kind: 'fork'; readonly proof: string }
  | { readonly kind: 'forged'; readonly path: string; readonly reason: string };

export function proven<T>(value: T): Proven<T> {
  return { kind: 'proven', value };
}

export function provenByTiles<T>(value: T, keepTiles: () => void): ProvenByTiles<T> {
  return { kind: 'proven', value, keepTiles };
}

/** What takes no tiles to be proven. */
export function provenAlone<T>(value: T): ProvenByTiles<T> {
  return provenByTiles(value, () => {});
}

export function refuted(reason: string, evidence?: Evidence): Refuted {
  return { kind: 'refuted', reason, evidence };
}

/** Refutes an answer to the question for `path` that its database would not have given. */
export function forged(path: string, reason: string): Refuted {
  return refuted(reason, { kind: 'forged', path, reason });
}

/** What is proven, or why an address that gave an answer without proof has failed. */
export function acceptedIfProven<T>(proof: Proof<T>): Result<T, FailureReason> {
  return proof.kind === 'proven' ? success(proof.value) : failed(notProven(proof.reason));
}

/** The failure of an address whose answer is not what its log has. */
export function notProven(text: string): FailureReason {
  return wrongContent('a wrong answer: the log says which', text);
}
