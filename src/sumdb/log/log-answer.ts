import type { Answer, Effort } from '../../origins/race/answer.ts';

/** The answer of a checksum database, proven. */
export type LogAnswer<T> = ProvenAnswer<T> | NoAnswer;

export interface ProvenAnswer<T> {
  readonly kind: 'proven';
  readonly value: T;
  readonly source: LogSource;
}

/** Where a proven answer came from. */
export type LogSource =
  /** From what is stored or remembered: no request was made. */
  | { readonly kind: 'known' }
  | {
      readonly kind: 'asked';
      /** Name of the address that answered. */
      readonly origin: string;
      readonly effort: Effort;
    };

export const KNOWN: LogSource = { kind: 'known' };

/** No address of the database gave the answer. */
export type NoAnswer = Exclude<Answer<never>, { readonly kind: 'accepted' }>;

/** The effort of several questions. */
export function totalEffort(efforts: readonly Effort[]): Effort {
  return {
    attempts: efforts.reduce((sum, { attempts }) => sum + attempts, 0),
    hedged: efforts.some(({ hedged }) => hedged),
    breakers: Object.fromEntries(efforts.flatMap(({ breakers }) => Object.entries(breakers))),
  };
}
