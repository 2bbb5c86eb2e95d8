// Fetches the Go releases that the tests run from the packages of Debian or Ubuntu, because every
// machine has a mirror of its own distribution. Nothing is installed and root is not needed:
// apt-get works in a directory of its own, with a source list of its own.
import { execFile } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findGo, GO_DIRECTORY, GO_MINORS } from './go.ts';

const run = promisify(execFile);

/** The places of Go packages in a distribution. */
interface Distribution {
  readonly components: string;
  /** Suites with older and newer releases. A suite that the mirror does not have is skipped. */
  readonly suites: readonly string[];
  readonly keyrings: readonly string[];
}

const DISTRIBUTIONS: Readonly<Record<string, Distribution>> = {
  debian: {
    components: 'main',
    suites: ['bookworm-backports', 'trixie', 'trixie-backports', 'sid'],
    keyrings: ['debian-archive-keyring.gpg', 'debian-archive-keyring.pgp'],
  },
  ubuntu: {
    components: 'main universe',
    suites: ['noble', 'noble-updates', 'devel'],
    keyrings: ['ubuntu-archive-keyring.gpg'],
  },
};

/**
 * The global setup of the test run: fetches into `.go/` each release of `GO_MINORS` that `findGo`
 * does not find. It runs once, before the test files are imported, because they decide at import
 * what they skip. When a release cannot be fetched, it prints one line and the run continues.
 */
export default async function installGo(): Promise<void> {
  const missing = GO_MINORS.filter((minor) => findGo(minor) === undefined);
  if (missing.length === 0) return;
  const problem = await fetchGo(missing).catch(describe);
  const left = missing.filter((minor) => findGo(minor) === undefined);
  if (left.length === 0) return;
  const places = left.map((minor) => `.go/go-${minor}`);
  console.warn(
    `Cannot fetch Go ${left.join(' and ')} (${problem}): the tests that need it are skipped. ` +
      `Put it on PATH, or in ${places.join(' and ')}`,
  );
}

/**
 * Unpacks the releases into `.go/`. Returns the problems in one line, empty where there were none.
 */
async function fetchGo(minors: readonly string[]): Promise<string> {
  const release = osRelease();
  const distribution = DISTRIBUTIONS[release.id];
  if (distribution === undefined) return 'only Debian and Ubuntu have packages of it';
  console.log(`Fetching Go ${minors.join(' and ')} into .go/ from the packages of ${release.id}`);
  mkdirSync(GO_DIRECTORY, { recursive: true });
  // In .go/ itself, so that a complete release can be renamed to its final name.
  const work = mkdtempSync(join(GO_DIRECTORY, 'fetch-'));
  try {
    const problems: string[] = [];
    const options = await prepareApt(work, distribution, release.codename);
    // It fails if one suite is missing, even if the others have the packages.
    await aptGet(options, ['update']).catch((error: unknown) => problems.push(describe(error)));
    for (const minor of minors)
      await unpackGo(minor, { work, options }).catch((error: unknown) =>
        problems.push(describe(error)),
      );
    return [...new Set(problems)].join('; ');
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Reads os-release(5), which has lines such as `ID=debian`. */
function osRelease(): { readonly id: string; readonly codename: string } {
  const file = '/etc/os-release';
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const value = (name: string) => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(text)?.[1] ?? '';
  return { id: value('ID'), codename: value('VERSION_CODENAME') };
}

/** The options that confine apt-get to `work`, with a source list of all suites in it. */
async function prepareApt(
  work: string,
  { components, suites, keyrings }: Distribution,
  codename: string,
): Promise<readonly string[]> {
  const lists = join(work, 'lists');
  const cache = join(work, 'cache');
  const sources = join(work, 'sources.list');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  mkdirSync(join(cache, 'archives', 'partial'), { recursive: true });
  const own = [`Dir::State::lists=${lists}`, `Dir::Cache=${cache}`];
  const mirror = await findMirror(own, codename);
  const key = keyrings.map((name) => join('/usr/share/keyrings', name)).find(existsSync);
  const signedBy = key === undefined ? '' : `[signed-by=${key}] `;
  const wanted = new Set([codename, `${codename}-updates`, ...suites]);
  const lines = [...wanted].map((suite) => `deb ${signedBy}${mirror} ${suite} ${components}\n`);
  writeFileSync(sources, lines.join(''));
  return [
    ...own,
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=-',
    'APT::Sandbox::User=root', // apt's own user may lack access to this directory
    'APT::Update::Error-Mode=any', // else an unreachable mirror is only a warning
    'Acquire::Languages=none',
    'Acquire::Retries=2',
    'Acquire::http::Timeout=30',
    'Acquire::https::Timeout=30',
  ];
}

/**
 * The mirror in the apt configuration of this machine, in whichever format. A suite with `-updates`
 * is the distribution's own, while third parties also have suites with the plain codename. Throws
 * when apt has no sources.
 */
async function findMirror(options: readonly string[], codename: string): Promise<string> {
  const format = ['--no-release-info', '--format', '$(RELEASE) $(REPO_URI)'];
  const filter = ['Created-By: Packages', 'Component: main'];
  const targets = await aptGet(options, ['indextargets', ...format, ...filter]);
  const mirrors = targets.split('\n').map((line) => line.split(' '));
  const inSuite = (suite: string) => mirrors.find(([release]) => release === suite)?.[1];
  const mirror = inSuite(`${codename}-updates`) ?? inSuite(codename) ?? mirrors[0]?.[1];
  if (mirror === undefined) throw new Error('apt has no sources');
  return mirror;
}

async function aptGet(
  options: readonly string[],
  args: readonly string[],
  cwd?: string,
): Promise<string> {
  const all = options.flatMap((option) => ['-o', option]);
  return (await run('apt-get', ['-qq', ...all, ...args], { cwd })).stdout;
}

/** Downloads the two packages of a release and combines them into one GOROOT in `.go/`. */
async function unpackGo(
  minor: string,
  { work, options }: { readonly work: string; readonly options: readonly string[] },
): Promise<void> {
  const packages = join(work, `packages-${minor}`);
  const root = join(work, `root-${minor}`);
  mkdirSync(packages);
  await aptGet(options, ['download', `golang-${minor}-go`, `golang-${minor}-src`], packages);
  for (const name of readdirSync(packages)) await run('dpkg', ['-x', join(packages, name), root]);

  // The packages split GOROOT into two directories, which they join by links.
  const goroot = join(root, 'usr', 'share', `go-${minor}`);
  for (const part of ['bin', join('pkg', 'tool'), 'VERSION']) {
    const from = join(root, 'usr', 'lib', `go-${minor}`, part);
    if (lstatSync(from).isSymbolicLink()) continue;
    const to = join(goroot, part);
    rmSync(to, { recursive: true, force: true });
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
  }
  const place = join(GO_DIRECTORY, `go-${minor}`);
  if (existsSync(place) && findGo(minor) !== undefined) return; // another run has installed it
  rmSync(place, { recursive: true, force: true });
  renameSync(goroot, place);
}

/** The cause of an error in one line: apt-get writes it to standard error, after warnings. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ENOENT' && 'path' in error)
    return `there is no ${String(error.path)} here`;
  const stderr = 'stderr' in error ? String(error.stderr) : '';
  return /^E: (.*)/m.exec(stderr)?.[1] ?? error.message.split('\n', 1)[0] ?? '';
}
