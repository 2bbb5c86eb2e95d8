import type { Failure } from '../failure.ts';
import type { BreakerState } from '../health/breaker.ts';

/** The outcome of a question to several origins. */
export type Answer<T> =
  | {
      readonly kind: 'accepted';
      readonly value: T;
      /** Name of the origin. */
      readonly origin: string;
      /** The failures before it. */
      readonly failures: readonly Failure[];
      readonly effort: Effort;
    }
  | {
      readonly kind: 'missing';
      readonly missing: Missing;
      /** False when some origin could not be asked: its answer may differ, so this is not kept. */
      readonly isUnanimous: boolean;
      readonly effort: Effort;
    }
  | {
      readonly kind: 'failed';
      readonly failures: readonly Failure[];
      readonly effort: Effort;
    };

/** What it took to get an answer. */
export interface Effort {
  /** Requests to origins. */
  readonly attempts: number;
  /** Whether an origin was asked although another one might still have answered. */
  readonly hedged: boolean;
  /** Breakers that were not closed when the origins were ranked, by the name of the origin. */
  readonly breakers: Readonly<Record<string, BreakerState>>;
}

/** An origin's answer that it has no such file (404, 410), or does not give it (403). */
export interface Missing {
  readonly status: 403 | 404 | 410;
  /** What the origin wrote; empty where that was a page. */
  readonly text: string;
  /** Name of the origin. */
  readonly origin: string;
  /** Whether it is a 403 that no other origin's answer counts against: a takedown. */
  readonly isFinal?: true;
}
