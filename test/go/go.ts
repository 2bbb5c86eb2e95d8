import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { arch, platform, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** The releases that the tests run: an old one that is still in use, and the newest. */
export const GO_MINORS: readonly string[] = ['1.23', '1.27'];

/** The directory into which `installGo` unpacks missing releases. */
export const GO_DIRECTORY = join(REPOSITORY, '.go');

/**
 * The go command of a minor release such as "1.27": from `$MODFERRY_GO_ROOT/go-1.27`, else from
 * PATH, else from `.go/go-1.27` in the repository. Undefined when there is none; the test is then
 * reported as skipped.
 */
export function findGo(minor: string): string | undefined {
  const named = process.env['MODFERRY_GO_ROOT'] ?? '';
  return (
    (named === '' ? undefined : goIn(join(named, `go-${minor}`))) ??
    onPath().find((go) => releaseOf(go).startsWith(`go${minor}.`)) ??
    goIn(join(GO_DIRECTORY, `go-${minor}`))
  );
}

/**
 * The newest available go command, for the tools that tests build; undefined when there is none.
 */
export function findAnyGo(): string | undefined {
  const roots = [process.env['MODFERRY_GO_ROOT'] ?? '', GO_DIRECTORY].filter((root) =>
    existsSync(root),
  );
  const minors = roots
    .flatMap((root) => readdirSync(root))
    .flatMap((name) => /^go-1\.(\d+)$/.exec(name)?.[1] ?? []);
  const newest = minors.toSorted((a, b) => Number(b) - Number(a))[0];
  return (newest === undefined ? undefined : findGo(`1.${newest}`)) ?? onPath()[0];
}

const GO = platform() === 'win32' ? 'go.exe' : 'go';

function goIn(root: string): string | undefined {
  const go = join(root, 'bin', GO);
  return existsSync(go) ? go : undefined;
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile(); // a directory may have that name too
}

function onPath(): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, GO)).filter((go) => isFile(go));
}

/**
 * The release of a go command. The command itself runs only if its bin/go is not in its GOROOT,
 * links resolved.
 */
function releaseOf(go: string): string {
  return goVersion(join(dirname(realpathSync(go)), '..')) || goVersion(goRoot(go));
}

/** The GOROOT that the go command itself reports: bin/go may be a link into another directory. */
export function goRoot(go: string): string {
  const env = { ...cleanEnvironment(), GOTOOLCHAIN: 'local', GOENV: 'off' };
  return spawnSync(go, ['env', 'GOROOT'], { env, encoding: 'utf8' }).stdout.trim();
}

/** The release in GOROOT/VERSION, such as "go1.27.3"; empty where there is no such file. */
export function goVersion(root: string): string {
  const file = join(root, 'VERSION');
  return existsSync(file) ? (readFileSync(file, 'utf8').split('\n', 1)[0] ?? '') : '';
}

/** The platform part of a toolchain version, such as "linux-amd64". */
export function goPlatform(): string {
  const os = platform() === 'win32' ? 'windows' : platform();
  return `${os}-${arch() === 'x64' ? 'amd64' : arch()}`;
}

/** An empty home with its own module cache. */
export interface GoHome {
  readonly path: string;
  /** Removes it, the module cache included. */
  close(): Promise<void>;
}

/** Makes a new home in the temporary directory. */
export async function freshGoHome(): Promise<GoHome> {
  const path = await mkdtemp(join(tmpdir(), 'modferry-go-'));
  return { path, close: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

export interface GoOptions {
  /** The working directory; default the home. */
  readonly cwd?: string;
  /** GOPROXY. */
  readonly proxy: string;
  /** GOSUMDB; default `off`. */
  readonly gosumdb?: string;
  /** Further variables, which override all others. */
  readonly env?: Readonly<Record<string, string>>;
  readonly home: GoHome;
  /**
   * GOCACHE; default a build cache that all runs of this user share. It holds results of builds,
   * and no downloads.
   */
  readonly cache?: string;
  /** Milliseconds after which the command is killed; default 120,000. */
  readonly timeout?: number;
}

export interface GoResult {
  /** The exit code; null when the command was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The `# get ...` lines of `-x`, in order. Empty without `-x`. */
  readonly trace: readonly string[];
}

/**
 * Runs the go command without this machine's configuration: no proxies, no GOFLAGS, no other
 * toolchain.
 */
export async function runGo(
  go: string,
  args: readonly string[],
  options: GoOptions,
): Promise<GoResult> {
  const { home, timeout = 120_000 } = options;
  const child = spawn(go, args, {
    cwd: options.cwd ?? home.path,
    env: goEnvironment(options),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
    killSignal: 'SIGKILL',
  });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    }),
  ]);
  return {
    code,
    stdout,
    stderr,
    trace: stderr.split('\n').filter((line) => line.startsWith('# get ')),
  };
}

function goEnvironment(options: GoOptions): NodeJS.ProcessEnv {
  const { proxy, gosumdb = 'off', env = {}, home, cache } = options;
  return {
    ...cleanEnvironment(),
    HOME: home.path,
    USERPROFILE: home.path,
    GOPATH: join(home.path, 'go'),
    GOMODCACHE: join(home.path, 'go', 'pkg', 'mod'),
    GOCACHE: cache ?? sharedGoCache(),
    GOPROXY: proxy,
    GOSUMDB: gosumdb,
    GONOPROXY: 'none',
    GONOSUMDB: 'none',
    GOPRIVATE: '',
    GOFLAGS: '-modcacherw',
    GOENV: 'off',
    GOTOOLCHAIN: 'local',
    GOTELEMETRY: 'off',
    CGO_ENABLED: '0',
    ...env,
  };
}

/** The build cache that test runs share. */
export function sharedGoCache(): string {
  return join(tmpdir(), `modferry-gocache-${process.getuid?.() ?? 0}`);
}

/**
 * The environment of a child process: only the locations of programs and temporary files are
 * inherited.
 */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = ['PATH', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'LOCALAPPDATA'];
  const env: NodeJS.ProcessEnv = {};
  for (const name of kept) if (process.env[name] !== undefined) env[name] = process.env[name];
  return { ...env, LC_ALL: 'C', NO_PROXY: '127.0.0.1,localhost' };
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}
