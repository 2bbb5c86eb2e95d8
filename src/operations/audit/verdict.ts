/** The result of the audit of one file. */
export type Judgement =
  /** It equals what the log has, or was signed by the log itself. */
  | { readonly verdict: 'right' }
  /** It equals its `.ziphash`; the log has no record of it, or could not be consulted. */
  | { readonly verdict: 'marked'; readonly unasked?: string }
  /**
   * There is nothing to compare it with. `unasked` is why the log, which may well have its hash,
   * could not be consulted.
   */
  | { readonly verdict: 'uncovered'; readonly unasked?: string }
  | Wrong;

export interface Wrong {
  readonly verdict: 'wrong';
  readonly expected: string;
  readonly found: string;
  /** What the expectation is from: a checksum database, a key, or a rule. */
  readonly source: string;
  /** What shows it to others: the two signed tree heads of a log that has forked. */
  readonly proof?: string;
}

export type Verdict = Judgement['verdict'];

export const VERDICTS = ['right', 'marked', 'uncovered', 'wrong'] as const;

/** Every kind of file that is judged, in the order of the report. */
export const KINDS = [
  'zip',
  'ziphash',
  'mod',
  'info',
  'mutable',
  'lookup',
  'tile',
  'tree head',
] as const;

export type Kind = (typeof KINDS)[number];

/** A file that is wrong. */
export interface Finding extends Omit<Wrong, 'verdict'> {
  readonly key: string;
  readonly kind: Kind;
  /** What has to go so that the file is fetched anew: itself, and the mark that vouches for it. */
  readonly removes: readonly string[];
  /** The audit has removed it. */
  isRemoved?: true;
}

export const RIGHT: Judgement = { verdict: 'right' };
export const UNCOVERED: Judgement = { verdict: 'uncovered' };

export function wrong(facts: Omit<Wrong, 'verdict'>): Wrong {
  return { verdict: 'wrong', ...facts };
}
