import { access, constants, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Config, parseConfig } from '../../config/config.ts';
import { systemClock } from '../../effects/clock.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import { audit } from '../../operations/audit/audit.ts';
import { type Progress, startProgress } from '../../operations/audit/progress.ts';
import { reportOf, reportText } from '../../operations/audit/report.ts';
import { localVariables } from '../local/variables.ts';
import { CommandError } from '../terminal/command-error.ts';
import { messageOf } from '../terminal/message.ts';
import { progressLine } from '../terminal/progress.ts';
import { stopSignal } from '../terminal/stop.ts';
import { askDatabases } from './ask-databases.ts';
import { NOT_COMPLETED, NOTHING_WRONG, SOMETHING_WRONG } from './exit-code.ts';
import { openBucketTree, openDirectoryTree, type OpenTree } from './open-tree.ts';
import { loadState, removeState, saveState } from './state.ts';

/** The options of the command line. */
export interface AuditFlags {
  readonly fix?: true;
  readonly online?: true;
  readonly json?: string;
  readonly state?: string;
  readonly restart?: true;
}

/** Audits a directory, or the bucket of the local run. Returns the exit code. */
export async function runAudit(directory: string | undefined, flags: AuditFlags): Promise<number> {
  const { fix = false, online = false, restart = false } = flags;
  const variables = await localVariables(process.env);
  const config = parseConfig(variables);
  if (!config.ok) throw notCompleted(config.reason.join('\n'));
  const stateDirectory = resolve(process.env['STATE_DIR'] || '.modferry');
  const stateFile = resolve(flags.state ?? join(stateDirectory, 'audit.json'));
  const json = flags.json === undefined ? undefined : valueOf(await checkOutput(flags.json));
  const audited = valueOf(
    directory === undefined
      ? await openBucketTree(stateDirectory)
      : await openDirectoryTree(directory, stateFile),
  );
  try {
    const { ORIGINS, PRIVATE, SUMDBS } = variables;
    const subject = JSON.stringify([audited.name, SUMDBS, PRIVATE, ORIGINS, online]);
    const progress = restart
      ? startProgress(subject)
      : valueOf(await loadState(stateFile, subject));
    const options = { fix, online, json, stateFile, config: config.value };
    return await auditTree(audited, progress, options);
  } finally {
    await audited.close();
  }
}

interface TreeOptions {
  readonly fix: boolean;
  readonly online: boolean;
  /** Where the report is written as JSON. */
  readonly json: string | undefined;
  readonly stateFile: string;
  readonly config: Config;
}

async function auditTree(
  audited: OpenTree,
  progress: Progress,
  { config, fix, json, online, stateFile }: TreeOptions,
): Promise<number> {
  if (progress.last !== undefined) {
    console.error(`Going on behind ${JSON.stringify(progress.last)}; --restart starts anew`);
  }
  const stopped = stopSignal();
  const line = progressLine({
    isTTY: process.stderr.isTTY ?? false,
    now: () => Date.now(),
    write: (text) => process.stderr.write(text),
  });
  const save = () => saveState(stateFile, progress);
  const completed = await audit(audited.tree, progress, {
    databases: config.databases,
    withoutChecksums: config.privateModules,
    ask: online ? askDatabases(config, stopped) : undefined,
    clock: systemClock,
    fix,
    signal: stopped,
    onStep: line.show,
    save,
  }).catch(async (error: unknown) => {
    await save();
    const why = `Cannot audit ${audited.name}: ${messageOf(error)}`;
    throw notCompleted(`${why}; ${filesDone(progress)}`, error);
  });
  line.finish();
  if (!completed) {
    await save();
    console.error(`Interrupted: ${filesDone(progress)}`);
    return NOT_COMPLETED;
  }

  const { name: tree, remedy } = audited;
  const report = reportOf(progress, { tree, fixed: fix, online, remedy });
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, undefined, 2)}\n`);
  process.stdout.write(reportText(report));
  await removeState(stateFile);
  if (report.wrong.length > 0) return SOMETHING_WRONG;
  return online && report.unasked.files > 0 ? NOT_COMPLETED : NOTHING_WRONG;
}

function filesDone({ files }: Progress): string {
  return `${files} files are done, the same command goes on from there`;
}

/** The path of the report; checked before, so that an audit of hours does not fail at its end. */
async function checkOutput(file: string): Promise<Result<string>> {
  const path = resolve(file);
  try {
    await access(dirname(path), constants.W_OK);
    return success(path);
  } catch (error) {
    return failed(`Cannot write the report to ${JSON.stringify(file)}: ${messageOf(error)}`);
  }
}

/** The value, without which the audit cannot be run. */
function valueOf<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw notCompleted(result.reason);
}

function notCompleted(message: string, cause?: unknown): CommandError {
  return new CommandError(message, NOT_COMPLETED, { cause });
}
