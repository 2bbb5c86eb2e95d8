import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment } from '../go/go.ts';
import { eventually } from '../eventually.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

export interface NpmStart {
  readonly pid: number;
  /** Standard output and standard error, as far as they came. */
  output(): string;
  /** The npm process has ended, with this exit code or by this signal. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** The ids of npm and of every process below it that has not ended. */
  tree(): number[];
  /** Ends the whole process group without a chance to tidy up. */
  killAll(): void;
}

/**
 * Runs `npm start` in a process group of its own, with these variables and nothing else of this
 * environment.
 */
export function npmStart(variables: Readonly<Record<string, string>>): NpmStart {
  return npm(['start'], { ...cleanEnvironment(), SUMDBS: 'off', ...variables });
}

/** Runs npm in a process group of its own, with this environment. */
export function npm(args: readonly string[], env: NodeJS.ProcessEnv): NpmStart {
  const child = spawn('npm', args, {
    cwd: REPOSITORY,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('Cannot run npm');
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return {
    pid,
    output: () => output,
    ended: once(child, 'exit').then(([code, signal]) => ({ code, signal })),
    tree: () => treeOf(pid),
    killAll() {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    },
  };
}

/** Waits until /healthz is 200; returns the milliseconds that it took. */
export async function untilHealthy(url: string): Promise<number> {
  const started = Date.now();
  await eventually(async () => {
    const { status } = await fetch(`${url}/healthz`);
    if (status !== 200) throw new Error(`/healthz is ${status}`);
  }, 20_000);
  return Date.now() - started;
}

/** Waits until none of the processes is left. */
export async function untilGone(pids: readonly number[]): Promise<void> {
  await eventually(() => {
    const left = pids.filter((pid) => readProcess(pid));
    if (left.length > 0)
      throw new Error(`Still there: ${left.map((pid) => readProcess(pid)?.name).join(', ')}`);
  }, 20_000);
}

/** The name of a process that has not ended; one that nobody has reaped yet (state Z) has. */
export function processName(pid: number): string | undefined {
  return readProcess(pid)?.name;
}

/** The parent of a process that has not ended. */
export function parentOf(pid: number): number | undefined {
  return readProcess(pid)?.parent;
}

/** A port on which nothing listens at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('Cannot find a free port');
  return address.port;
}

function treeOf(root: number): number[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), readProcess(Number(name))?.parent]),
  );
  const tree = readProcess(root) ? [root] : [];
  for (const pid of tree)
    tree.push(...[...parents].flatMap(([child, parent]) => (parent === pid ? [child] : [])));
  return tree;
}

/** proc_pid_stat(5): `pid (name) state parent …`, where the name may contain anything. */
function readProcess(pid: number): { name: string; parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    return state === 'Z' || state === 'X' ? undefined : { name, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
