import type { Result } from '../../effects/result.ts';
import type { FailureReason } from '../failure.ts';
import type { Lane } from '../health/health.ts';
import type { Origin } from '../origin.ts';
import type { OriginBody } from './body.ts';

/** What origins are asked for, and how an answer is checked. */
export interface Question<T> {
  /** Path below the origin's base URL, percent-encoded, with its leading slash. */
  readonly path: string;
  /**
   * Reads the body of a 200 and returns its content, or why it cannot be what was asked for. Throws
   * only what reading the body throws.
   */
  accept(body: OriginBody): Promise<Result<T, FailureReason>>;
  /** Releases what `accept` returned when another origin's answer is used. */
  discard?(value: T): void;
  readonly policy?: QuestionPolicy | undefined;
}

/** How the origins are asked. */
export interface QuestionPolicy {
  /**
   * Whether the body may be long, so that the breaker for long bodies counts too.
   *
   * @default 'reach'
   */
  readonly lane?: Lane | undefined;
  /**
   * Whether 400 means that there is no such file, as it does at older module proxies, and 403 that
   * the origin does not give it. Otherwise both are failures.
   *
   * @default true
   */
  readonly areRefusalsAnswers?: boolean | undefined;
  /**
   * Whether the question is about a file of one version, so that the 403 of an origin whose
   * `refusal` is final ends it (race/final-refusal.ts).
   *
   * @default false
   */
  readonly mayBeTakenDown?: boolean | undefined;
  /**
   * How a body of declared length is continued when it breaks off: with the rest that a validator
   * proves to be of the same file, or also with the rest that a digest of the delivered bytes
   * proves. The digest costs 0.8 ms of CPU a MiB (measured in workerd), so it is used only where it
   * is needed anyway. Absent: not at all.
   */
  readonly resume?: 'by-validator' | 'by-digest' | undefined;
  /** Whether an origin is asked after all of its mirrors. Default: none. */
  readonly askLast?: ((origin: Origin) => boolean) | undefined;
  /** Whether an origin is not asked, because it has answered already. Default: none. */
  readonly skip?: ((origin: Origin) => boolean) | undefined;
}

/** The part of a question that needs no answer. */
export type QuestionTerms = Pick<Question<unknown>, 'path' | 'policy'>;

/** The breaker that a question concerns. */
export function laneOf({ policy }: Pick<QuestionTerms, 'policy'>): Lane {
  return policy?.lane ?? 'reach';
}
