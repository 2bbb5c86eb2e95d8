import { spawn, spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment, freshGoHome, type GoHome } from '../go/go.ts';

/** The module of the repository that CI publishes. */
export const MODULE = 'github.com/Acme/tool';
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The script of the step "Publish" of the workflow in docs/, as GitHub runs it: by bash -e.
 */
async function publishStep(): Promise<string> {
  const workflow = await readFile(join(REPOSITORY, 'docs/publish-workflow.yml'), 'utf8');
  const [, script = ''] = /name: Publish\n[^]*?run: \|\n([^]*)$/.exec(workflow) ?? [];
  return script.replaceAll(/^ {10}/gm, '');
}

/** A home whose git finds the repository of the module on this disk. */
export async function homeWithRepository(): Promise<GoHome> {
  const home = await freshGoHome();
  const work = join(home.path, 'work');
  await mkdir(work);
  await writeFile(
    join(home.path, '.gitconfig'),
    [
      `[url "${home.path}/work"]`,
      `insteadOf = https://${MODULE}`,
      '[user]',
      'name = Ann',
      'email = ann@example.com',
      '',
    ].join('\n'),
  );
  git(home, ['init', '--quiet']);
  await commit(home, { 'go.mod': `module ${MODULE}\n\ngo 1.21\n`, 'tool.go': 'package tool\n' });
  git(home, ['tag', 'v1.0.0']);
  await commit(home, { 'tool.go': 'package tool\n\nconst Answer = 42\n' });
  git(home, ['tag', 'v1.1.0']);
  return home;
}

export async function commit(home: GoHome, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files))
    await writeFile(join(home.path, 'work', name), text);
  git(home, ['add', '.']);
  git(home, ['commit', '--quiet', '--message', 'Change it']);
}

export function git(home: GoHome, args: readonly string[]): void {
  const env = { ...cleanEnvironment(), HOME: home.path };
  const { status, stderr } = spawnSync('git', args, { cwd: join(home.path, 'work'), env });
  if (status !== 0) throw new Error(`Cannot run git ${args.join(' ')}: ${String(stderr)}`);
}

export interface PublishOptions {
  readonly go: string;
  readonly version: string;
  /** The address of modferry. */
  readonly url: string;
  readonly token: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs that step as CI would, in a home with the repository. */
export async function publishFromCi(
  ci: GoHome,
  { env = {}, go, token, url, version }: PublishOptions,
): Promise<Ran> {
  return spawnAsync('bash', ['-e', '-c', await publishStep()], {
    ...cleanEnvironment(),
    PATH: [dirname(go), process.env['PATH']].join(delimiter),
    HOME: ci.path,
    GOTOOLCHAIN: 'local',
    GOFLAGS: '-modcacherw',
    MODULE,
    VERSION: version,
    MODFERRY_URL: url,
    MODFERRY_TOKEN: token,
    ...env,
  });
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function spawnAsync(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Ran> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [code, stdout, stderr] = await Promise.all([
    new Promise<number | null>((resolve) => child.once('close', resolve)),
    readText(child.stdout),
    readText(child.stderr),
  ]);
  return { code, stdout, stderr };
}

async function readText(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
