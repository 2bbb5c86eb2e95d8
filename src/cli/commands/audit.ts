import { access, constants, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { audit } from '../../operations/audit/audit.ts';
import { type Progress, startProgress } from '../../operations/audit/progress.ts';
import { reportOf, reportText } from '../../operations/audit/report.ts';
import type { ReadRemote } from '../../operations/audit/stored-log.ts';
import type { AuditedTree } from '../../operations/audit/tree.ts';
import type { Finding } from '../../operations/audit/verdict.ts';
import { systemClock } from '../../effects/clock.ts';
import { type Config, parseConfig } from '../../config/config.ts';
import { askOrigins } from '../../origins/race/ask.ts';
import { Pool } from '../../origins/health/pool.ts';
import type { Variables } from '../../config/variables.ts';
import { type AuditArguments, AuditError, HELP, parseArguments } from '../audit/arguments.ts';
import { openLocalBucket } from '../audit/bucket.ts';
import { checkDirectory, directoryTree } from '../audit/directory.ts';
import { progressLine } from '../terminal/progress.ts';
import { stopSignal } from '../terminal/stop.ts';
import { loadState, removeState, saveState } from '../audit/state.ts';
import { ConfigurationError, localVariables } from '../local/local.ts';

/** `npm run audit`: see HELP. Returns the exit code. */
async function main(): Promise<number> {
  const options = parseArguments(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const variables = localVariables(process.env);
  const parsed = parseConfig(variables);
  if (!parsed.ok) throw new ConfigurationError(parsed.reason);
  const stateDirectory = resolve(process.env['STATE_DIR'] || '.modferry');
  const stateFile = resolve(options.state ?? join(stateDirectory, 'audit.json'));
  const json = options.json === undefined ? undefined : await checkOutput(options.json);
  const audited = await openTree(options, { stateDirectory, stateFile, variables });
  try {
    const subject = JSON.stringify([
      audited.name,
      variables['SUMDBS'],
      variables['PRIVATE'],
      variables['ORIGINS'],
      options.online,
    ]);
    const progress = options.restart ? startProgress(subject) : await loadState(stateFile, subject);
    return await run(audited, progress, { ...options, json, stateFile, config: parsed.value });
  } finally {
    await audited.close();
  }
}

interface Audited {
  /** As the report calls it. */
  readonly name: string;
  readonly tree: AuditedTree;
  readonly remedy: (finding: Finding) => string;
  close(): Promise<void>;
}

interface Places {
  readonly stateDirectory: string;
  readonly stateFile: string;
  readonly variables: Variables;
}

async function openTree(
  { directory }: AuditArguments,
  { stateDirectory, stateFile, variables }: Places,
): Promise<Audited> {
  if (directory === undefined) {
    const remedy = () => `STATE_DIR=${quote(stateDirectory)} npm run audit -- --fix`;
    return {
      name: `the bucket in ${stateDirectory}`,
      remedy,
      ...(await openLocalBucket(stateDirectory, variables)),
    };
  }
  const root = await checkDirectory(directory);
  if (!relative(root, stateFile).startsWith(`..${sep}`)) {
    throw new AuditError(
      `Cannot keep the progress in ${JSON.stringify(stateFile)}: it is in the audited directory, name another file with --state`,
    );
  }
  const remedy = ({ removes }: Finding) =>
    `rm -f -- ${removes.map((key) => quote(join(root, key))).join(' ')}`;
  return { name: root, tree: directoryTree(root), remedy, close: async () => {} };
}

interface Run extends AuditArguments {
  readonly stateFile: string;
  readonly config: Config;
}

async function run(audited: Audited, progress: Progress, options: Run): Promise<number> {
  const { config, fix, json, online, stateFile } = options;
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
    unlogged: config.withoutChecksums,
    readRemote: online ? readRemote(config, stopped) : undefined,
    clock: systemClock,
    fix,
    signal: stopped,
    onStep: line.show,
    save,
  }).catch(async (error: unknown) => {
    await save();
    throw new AuditError(`Cannot audit ${audited.name}: ${messageOf(error)}; ${goOn(progress)}`, {
      cause: error,
    });
  });
  line.finish();
  if (!completed) {
    await save();
    console.error(`Interrupted: ${goOn(progress)}`);
    return 2;
  }

  const { name: tree, remedy } = audited;
  const report = reportOf(progress, { tree, fixed: fix, online, remedy });
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, undefined, 2)}\n`);
  process.stdout.write(reportText(report));
  await removeState(stateFile);
  if (report.wrong.length > 0) return 1;
  return online && report.unasked.files > 0 ? 2 : 0;
}

function goOn({ files }: Progress): string {
  return `${files} files are done, the same command goes on from there`;
}

/**
 * Asks a database over the network, as modferry does; at once in vain when the audit was stopped.
 */
function readRemote({ totalLimitMs }: Config, stopped: AbortSignal): ReadRemote {
  const effects = {
    fetch: (url: string, init: RequestInit) => {
      const signals = init.signal ? [init.signal, stopped] : [stopped];
      return fetch(url, { ...init, signal: AbortSignal.any(signals) });
    },
    clock: systemClock,
    random: Math.random,
    ms: totalLimitMs,
    pool: new Pool({ clock: systemClock, random: Math.random }),
    region: {},
    background: (_label: string, work: Promise<unknown>) => void work.catch(() => undefined),
  };
  return ({ origins }, path, { accept, avoid, limit }) =>
    askOrigins(
      origins.filter(({ name }) => !avoid?.has(name)),
      { path: `/${path}`, accept: async (body) => accept(await body.all(limit)) },
      effects,
    );
}

/** So that an audit of hours does not fail on its last line. */
async function checkOutput(file: string): Promise<string> {
  const path = resolve(file);
  await access(dirname(path), constants.W_OK).catch((error: unknown) => {
    throw new AuditError(
      `Cannot write the report to ${JSON.stringify(file)}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  });
  return path;
}

function quote(text: string): string {
  return /^[\w./@+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (!(error instanceof AuditError) && !(error instanceof ConfigurationError))
      console.error(error);
    else console.error(error.message);
    process.exitCode = 2;
  },
);
