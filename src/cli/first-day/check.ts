import type { Handshake } from '../address/handshake.ts';
import type { Visitor } from '../address/visit.ts';

/** `bad`: mend it. `see`: the check could not decide, and says what to look at. */
export type Verdict = 'ok' | 'bad' | 'see';

/** What a check found, in one line that says what it means. */
export interface Finding {
  readonly verdict: Verdict;
  readonly text: string;
}

/** What the checks are about, and how they look at it. */
export interface Subject {
  /** Of the deployment, without a trailing slash. */
  readonly address: string;
  /** The module whose files are asked for, escaped. */
  readonly module: string;
  /** `module@version` of a large zip, escaped; undefined to leave that check out. */
  readonly large: string | undefined;
  readonly visit: Visitor;
  readonly hangUp: (url: string) => Promise<string | undefined>;
  readonly handshake: (url: URL) => Promise<Handshake | undefined>;
  readonly pause: (ms: number) => Promise<void>;
  readonly now: () => number;
}

/** A check of the first day. Its number is that of its section in docs/first-day.md. */
export interface Check {
  readonly number: number;
  readonly title: string;
  /** Undefined where somebody has to look; the page says how. */
  readonly run?: (subject: Subject) => Promise<Finding>;
}

export function ok(text: string): Finding {
  return { verdict: 'ok', text };
}

export function bad(text: string): Finding {
  return { verdict: 'bad', text };
}

export function see(text: string): Finding {
  return { verdict: 'see', text };
}
