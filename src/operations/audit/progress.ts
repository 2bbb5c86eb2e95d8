import {
  type Finding,
  type Judgement,
  type Kind,
  KINDS,
  VERDICTS,
  type Verdict,
} from './verdict.ts';

/** The number of unknown files that are named. */
const MAX_NAMED = 100;

/**
 * How far an audit is, and what it has found: all that it needs to continue later. Plain JSON. It
 * only changes between two files, so that it is consistent whenever it is saved.
 */
export interface Progress {
  /** What is audited, against what: an audit of something else cannot go on from here. */
  readonly subject: string;
  /** The key of the last file that is done. */
  last?: string | undefined;
  /** The key of a `.ziphash` that was judged together with its zip. */
  judgedMark?: string | undefined;
  files: number;
  bytes: number;
  readonly counts: Record<Kind, Record<Verdict, number>>;
  ignored: number;
  /** Files that are none of modferry's or of the go command's; the first hundred by name. */
  readonly unknown: { files: number; readonly named: string[] };
  /**
   * Files that the log may have a hash of, but could not be consulted on; and why not, the first
   * time.
   */
  readonly unasked: { files: number; reason?: string | undefined };
  readonly findings: Finding[];
}

/** An audit that has not begun. */
export function startProgress(subject: string): Progress {
  return {
    subject,
    files: 0,
    bytes: 0,
    counts: byKind(() => byVerdict(() => 0)),
    ignored: 0,
    unknown: { files: 0, named: [] },
    unasked: { files: 0 },
    findings: [],
  };
}

export interface Judged {
  readonly key: string;
  readonly kind: Kind;
  readonly judgement: Judgement;
  /** Default the file alone. */
  readonly removes?: readonly string[];
}

/** Counts a judgement. */
export function count(progress: Progress, { key, kind, judgement, removes = [key] }: Judged): void {
  progress.counts[kind][judgement.verdict] += 1;
  if (judgement.verdict === 'wrong') {
    const { verdict: _, ...facts } = judgement;
    progress.findings.push({ key, kind, ...facts, removes });
  } else if (judgement.verdict !== 'right' && judgement.unasked !== undefined) {
    progress.unasked.files += 1;
    progress.unasked.reason ??= judgement.unasked;
  }
}

/** Counts a file that is not judged. */
export function countOther(progress: Progress, key: string, kind: 'ignored' | 'unknown'): void {
  if (kind === 'ignored') {
    progress.ignored += 1;
    return;
  }
  progress.unknown.files += 1;
  if (progress.unknown.named.length < MAX_NAMED) progress.unknown.named.push(key);
}

function byKind<T>(make: (kind: Kind) => T): Record<Kind, T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry a kind
  return Object.fromEntries(KINDS.map((kind) => [kind, make(kind)])) as Record<Kind, T>;
}

function byVerdict(make: () => number): Record<Verdict, number> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry a verdict
  return Object.fromEntries(VERDICTS.map((verdict) => [verdict, make()])) as Record<
    Verdict,
    number
  >;
}
