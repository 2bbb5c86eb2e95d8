import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment } from '../go/go.ts';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

export interface Audit {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What --json wrote. */
  readonly report: Report | undefined;
}

export interface Report {
  readonly files: number;
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly wrong: readonly {
    readonly key: string;
    readonly expected: string;
    readonly found: string;
    readonly remedy: string;
  }[];
  readonly unknown: { readonly files: number; readonly named: readonly string[] };
  readonly ignored: number;
}

/** Runs the command with nothing of this environment; what it stores is below `directory`. */
export async function audit(
  directory: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  meanwhile: (pid: number) => Promise<void> = async () => {},
): Promise<Audit> {
  const json = join(directory, 'report.json');
  await rm(json, { force: true });
  const output = args.includes('--json') ? [] : ['--json', json];
  const child = spawn('npm', ['run', '--silent', 'audit', '--', ...args, ...output], {
    cwd: REPOSITORY,
    env: { ...cleanEnvironment(), STATE_DIR: join(directory, 'state'), ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group of its own, as a terminal makes one
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close');
  if (child.pid !== undefined) await meanwhile(child.pid);
  const [code] = await ended;
  const report = existsSync(json)
    ? (JSON.parse(await readFile(json, 'utf8')) as Report)
    : undefined;
  return { code: typeof code === 'number' ? code : null, stdout, stderr, report };
}

/** The processes of a group that have not ended: npm, node and workerd. */
export function groupOf(group: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(processGroup) === group ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}
