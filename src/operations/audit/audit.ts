/**
 * An audit reads every file of a tree once, in the order of keys, and judges whether it is right.
 *
 * It may take hours and can be stopped at any file: all its state is in its `Progress`, with the
 * key after which it goes on. Everything else (the totals, the stored tree heads) is made anew from
 * the tree, so that an audit in many parts ends with the report of an audit in one. Nothing is
 * removed before every file was read: a verdict never depends on an earlier one.
 */
import type { Clock } from '../../effects/clock.ts';
import { listedKey } from '../../store/key.ts';
import type { StoredTree } from '../../store/stored-tree.ts';
import type { Ask } from '../../sumdb/log/remote-reader.ts';
import { Auditor, type DatabaseAccess } from './auditor.ts';
import { type Progress, startProgress } from './progress.ts';
import { survey } from './survey.ts';

/** How often the progress is saved. */
const SAVE_EVERY_MS = 3_000;

export interface AuditOptions extends DatabaseAccess {
  readonly clock: Pick<Clock, 'now'>;
  /** Remove what is wrong. */
  readonly fix: boolean;
  /** Ends the audit after the file at hand, or in the middle of a zip. */
  readonly signal: AbortSignal;
  /** Called after each file, and while a large one is read. */
  readonly onStep: (step: Step) => void;
  /** Called every few seconds and when the last file is done. */
  readonly save: (progress: Progress) => Promise<void>;
}

/** How far an audit is. */
export interface Step {
  readonly files: number;
  readonly bytes: number;
  readonly totalFiles: number;
  readonly totalBytes: number;
  readonly wrong: number;
}

/** True when all files were read, and what was to be removed is; false when it was interrupted. */
export type Completed = boolean;

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * Goes on from `progress`, and changes it. Rejects when the tree cannot be read; then `progress` is
 * where to go on from, as it is after an interruption.
 */
export async function audit(
  tree: StoredTree,
  progress: Progress,
  options: AuditOptions,
): Promise<Completed> {
  try {
    const openAuditor = await readAll(tree, progress, options);
    await options.save(progress);
    if (options.fix) await removeWrong(tree, progress, openAuditor);
    return true;
  } catch (error) {
    // Ctrl-C may end what the tree is read through, a moment before the audit itself ends.
    if (error instanceof Interrupted || options.signal.aborted) return false;
    throw error;
  }
}

/**
 * Removes what is wrong, after it was judged once more: an audit may have begun days ago, and a file
 * may have been mended since. The findings then tell which files were removed.
 */
async function removeWrong(
  tree: StoredTree,
  { findings, subject }: Progress,
  openAuditor: (progress: Progress) => Auditor,
): Promise<void> {
  const again = startProgress(subject);
  const auditor = openAuditor(again);
  for (const { key } of findings) {
    const facts = await tree.head(listedKey(key));
    if (facts) await auditor.judge({ key, size: facts.size });
  }
  await tree.remove(again.findings.flatMap(({ removes }) => removes.map(listedKey)));
  for (const finding of again.findings) finding.isRemoved = true;
  const removed = new Set(again.findings.map(({ key }) => key));
  const left = findings.filter(({ key }) => !removed.has(key));
  findings.splice(0, findings.length, ...again.findings, ...left);
}

/** Reads what is left, and returns how to judge files of the same tree again. */
async function readAll(
  tree: StoredTree,
  progress: Progress,
  options: AuditOptions,
): Promise<(progress: Progress) => Auditor> {
  const { clock, databases, onStep, save, signal } = options;
  const onFile = () => {
    if (signal.aborted) throw new Interrupted();
  };
  const surveyed = await survey(tree, { databases, onFile });
  const report = (bytesOfFile = 0) => {
    const { files, bytes, findings } = progress;
    const total = { totalFiles: surveyed.files, totalBytes: surveyed.bytes };
    onStep({ files, bytes: bytes + bytesOfFile, wrong: findings.length, ...total });
  };
  const openAuditor = (into: Progress) =>
    new Auditor(tree, into, {
      ...options,
      ask: options.ask && interruptible(options.ask, onFile),
      survey: surveyed,
      onBytes: report,
      onRead: onFile,
    });
  const auditor = openAuditor(progress);
  let saved = clock.now();
  for await (const file of tree.list('', progress.last)) {
    report();
    onFile();
    await auditor.judge(file);
    if (clock.now() - saved < SAVE_EVERY_MS) continue;
    await save(progress);
    saved = clock.now();
  }
  report();
  return openAuditor;
}

/** Ends the audit, where that is why a database gave no answer: no file is judged by that. */
function interruptible(ask: Ask, onFile: () => void): Ask {
  return async (origins, question) => {
    const answer = await ask(origins, question);
    if (answer.kind !== 'accepted') onFile();
    return answer;
  };
}
