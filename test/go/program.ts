import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { cleanEnvironment, goRoot, goVersion, sharedGoCache } from './go.ts';

/** A running test program that answers each line with a line. */
export interface LineProgram {
  /** The next line that the program writes. */
  next(): Promise<string>;
  /** The answer to a line. Answers have the order of the questions, so calls may overlap. */
  ask(line: string): Promise<string>;
  /** Closes the standard input of the program, and waits for its end. */
  close(): Promise<void>;
}

/**
 * Starts the Go program in one file, such as `test/fakes/sumdb/server/main.go`. It may use
 * golang.org/x/mod. `go` builds it unless the temporary directory has a build of this source by
 * this release.
 */
export async function startGoProgram(
  go: string,
  { source, args = [] }: { readonly source: string; readonly args?: readonly string[] },
): Promise<LineProgram> {
  const child = spawn(await buildProgram(go, source), args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const line = await lines.next();
    if (line.done === true)
      throw new Error(`Cannot read a line: the program of ${source} has ended`);
    return line.value;
  };
  return {
    next,
    ask(line) {
      child.stdin.write(`${line}\n`);
      return next();
    },
    async close() {
      child.stdin.end();
      await exited;
    },
  };
}

async function buildProgram(go: string, source: string): Promise<string> {
  const root = goRoot(go);
  const name = basename(dirname(source));
  const hash = createHash('sha256').update(goVersion(root)).update(readFileSync(source));
  const directory = `modferry-${name}-${process.getuid?.() ?? 0}-${hash.digest('hex').slice(0, 16)}`;
  const built = join(tmpdir(), directory);
  const program = join(built, name);
  if (existsSync(program)) return program;

  mkdirSync(built, { recursive: true, mode: 0o700 });
  const work = mkdtempSync(join(built, 'work-'));
  try {
    await build(go, { root, work, source });
    // Several test files may build at once: the rename replaces the program atomically.
    renameSync(join(work, 'program'), program);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}

/**
 * Builds in GOPATH mode with the golang.org/x/mod that is vendored in GOROOT, without the network.
 */
async function build(
  go: string,
  { root, work, source }: { readonly root: string; readonly work: string; readonly source: string },
): Promise<void> {
  const vendored = join(root, 'src', 'cmd', 'vendor', 'golang.org', 'x', 'mod');
  const main = join(work, 'src', 'modferry', 'program');
  cpSync(vendored, join(work, 'src', 'golang.org', 'x', 'mod'), { recursive: true });
  cpSync(source, join(main, 'main.go'));
  const env = {
    ...cleanEnvironment(),
    HOME: work,
    GOPATH: work,
    GOCACHE: sharedGoCache(),
    GO111MODULE: 'off',
    GOTOOLCHAIN: 'local',
    GOENV: 'off',
    GOFLAGS: '',
    GOPROXY: 'off',
    GOTELEMETRY: 'off',
    CGO_ENABLED: '0',
  };
  await promisify(execFile)(go, ['build', '-o', join(work, 'program'), '.'], { cwd: main, env });
}
