import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { failed, type Result, success } from '../../effects/result.ts';
import { type Progress, startProgress } from '../../operations/audit/progress.ts';
import { KINDS, VERDICTS } from '../../operations/audit/verdict.ts';
import { hasCode } from '../terminal/message.ts';

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const Saved = v.object({
  subject: v.string(),
  last: v.optional(v.string()),
  judgedMark: v.optional(v.string()),
  files: Count,
  bytes: Count,
  counts: v.strictObject(
    v.entriesFromList(KINDS, v.strictObject(v.entriesFromList(VERDICTS, Count))),
  ),
  ignored: Count,
  unknown: v.object({ files: Count, named: v.array(v.string()) }),
  unasked: v.object({ files: Count, reason: v.optional(v.string()) }),
  findings: v.array(
    v.object({
      key: v.string(),
      kind: v.picklist(KINDS),
      expected: v.string(),
      found: v.string(),
      source: v.string(),
      proof: v.exactOptional(v.string()),
      removes: v.array(v.string()),
    }),
  ),
});

/**
 * The progress of an audit of `subject` that was interrupted, else one that has not begun. Fails
 * when the file cannot be read or has other content: it may belong to another program.
 */
export async function loadState(file: string, subject: string): Promise<Result<Progress>> {
  const name = JSON.stringify(file);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return success(startProgress(subject));
    return failed(`Cannot read the progress in ${name}: ${String(error)}`);
  }
  const parsed = v.safeParse(Saved, parseJson(text));
  if (!parsed.success) {
    return failed(
      `Cannot go on from ${name}: it is no progress of an audit, pass --restart to write over it`,
    );
  }
  return success(parsed.output.subject === subject ? parsed.output : startProgress(subject));
}

/** Saves the progress, so that a reader sees the old one or the new one. */
export async function saveState(file: string, progress: Progress): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, JSON.stringify(progress));
  await rename(temporary, file);
}

export async function removeState(file: string): Promise<void> {
  await rm(file, { force: true });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
