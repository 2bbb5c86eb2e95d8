/**
 * The sizes of a log, as this deployment observed them: the clock by which versions grow old
 * (docs/decisions/034).
 *
 * Sorted by time, and by size as well: of two trees the larger one is seen later, or the smaller one
 * says nothing. A record was in the log at the time of the first observation whose tree has it.
 */

/** A tree of `size` records was proven at a time, in milliseconds since the epoch. */
export interface Observation {
  readonly size: number;
  readonly at: number;
}

export type Observations = readonly Observation[];

/** The first observation of a tree with this record; undefined where none has it. */
export function firstWith(record: number, observations: Observations): Observation | undefined {
  return observations.find(({ size }) => size > record);
}

/** All that two say. What says nothing beside an earlier observation is dropped. */
export function merged(some: Observations, others: Observations): Observations {
  let largest = 0;
  return [...some, ...others]
    .toSorted((a, b) => a.at - b.at || b.size - a.size)
    .filter(({ size }) => {
      if (size <= largest) return false;
      largest = size;
      return true;
    });
}

/** How much later a record may count as observed: a part of its age, and at least a second. */
const LATER_BY_PART = 16;
const LATER_BY_MS = 1_000;

/**
 * The observations without those that add little. Where one is dropped, the records that it was the
 * first to have count from the next one on: so they become younger, by a sixteenth of their age at
 * most, and never older. The first and the last one stay. What is left are some hundred, however
 * long it goes on: 33 at most of each span from some age to twice that age.
 */
export function thinned(observations: Observations, now: number): Observations {
  const kept: Observation[] = [];
  for (const [index, observation] of observations.entries()) {
    const before = kept.at(-1);
    const next = observations[index + 1];
    if (!before || !next || next.at - before.at > laterBy(next, now)) kept.push(observation);
  }
  return kept;
}

function laterBy({ at }: Observation, now: number): number {
  return Math.max((now - at) / LATER_BY_PART, LATER_BY_MS);
}
