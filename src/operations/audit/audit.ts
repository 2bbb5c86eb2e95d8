/**
 * An audit reads every file of a tree once, in the order of keys, and says what is right, and by
 * whose word.
 *
 * It may take hours and can be stopped at any file: all that it knows is in its `Progress`, which
 * says after which key to go on. Everything else (the totals, the stored tree heads) is made anew
 * from the tree, so that an audit in many parts ends with the report of an audit in one. Nothing is
 * removed before every file was read: a verdict never depends on an earlier one.
 */
import type { Clock } from '../../effects/clock.ts';
import { Auditor, type AuditorOptions } from './auditor.ts';
import { type Progress, startProgress } from './progress.ts';
import type { ReadRemote } from './stored-log.ts';
import { survey } from './survey.ts';
import { type AuditedTree, compareKeys } from './tree.ts';

/** How often the progress is saved, in milliseconds. */
const SAVE_EVERY = 3_000;

export interface AuditOptions extends Pick<
  AuditorOptions,
  'databases' | 'unlogged' | 'readRemote'
> {
  readonly clock: Pick<Clock, 'now'>;
  /** Remove what is wrong. */
  readonly fix: boolean;
  /** Ends the audit after the file at hand, or in the middle of a zip. */
  readonly signal: AbortSignal;
  /** Told after each file, and while a large one is read. */
  readonly onStep: (step: Step) => void;
  /** Called every few seconds and when the last file is done. */
  readonly save: (progress: Progress) => Promise<void>;
}

/** How far it is. */
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
  tree: AuditedTree,
  progress: Progress,
  options: AuditOptions,
): Promise<Completed> {
  try {
    const openAuditor = await readAll(tree, progress, options);
    await options.save(progress);
    if (options.fix) await tree.remove(await stillWrong(progress, openAuditor));
    return true;
  } catch (error) {
    // Ctrl-C may end what the tree is read through, a moment before the audit itself ends.
    if (error instanceof Interrupted || options.signal.aborted) return false;
    throw error;
  }
}

/**
 * What is to be removed, looked at once more: an audit may have begun days ago, and the file may
 * have been mended since.
 */
async function stillWrong(
  { findings, subject }: Progress,
  openAuditor: (progress: Progress) => Auditor,
): Promise<readonly string[]> {
  const again = startProgress(subject);
  const auditor = openAuditor(again);
  for (const { key } of findings) await auditor.judge({ key, size: 0 });
  return again.findings.flatMap(({ removes }) => removes);
}

/** Reads what is left, and returns how to judge files of the same tree again. */
async function readAll(
  tree: AuditedTree,
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
      readRemote: options.readRemote && interruptible(options.readRemote, onFile),
      survey: surveyed,
      onBytes: report,
      onRead: onFile,
    });
  const auditor = openAuditor(progress);
  let saved = clock.now();
  for await (const file of tree.list()) {
    if (progress.last !== undefined && compareKeys(file.key, progress.last) <= 0) continue;
    report();
    onFile();
    await auditor.judge(file);
    if (clock.now() - saved < SAVE_EVERY) continue;
    await save(progress);
    saved = clock.now();
  }
  report();
  return openAuditor;
}

/** What a database did not answer because the audit ends is no word on any file. */
function interruptible(readRemote: ReadRemote, onFile: () => void): ReadRemote {
  return async (database, path, question) => {
    const answer = await readRemote(database, path, question);
    if (answer.kind !== 'accepted') onFile();
    return answer;
  };
}
