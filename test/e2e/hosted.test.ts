import { spawn, spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, tokenOf } from '../fakes/tokens.ts';
import { cleanEnvironment, freshGoHome, type GoHome, runGo } from '../go/go.ts';
import { type Modferry, startModferry } from '../worker/modferry.ts';
import { GO_COMMANDS } from './go-setup.ts';

const MODULE = 'github.com/Acme/tool';
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(REPOSITORY, 'src/cli/main.ts');

/**
 * The script of the step "Publish" of the workflow in docs/, as GitHub runs it: by bash -e.
 */
async function publishStep(): Promise<string> {
  const workflow = await readFile(join(REPOSITORY, 'docs/publish-workflow.yml'), 'utf8');
  const [, script = ''] = /name: Publish\n[^]*?run: \|\n([^]*)$/.exec(workflow) ?? [];
  return script.replaceAll(/^ {10}/gm, '');
}

/** Adds the token to each request: the go command sends none over http. */
async function startLogin(to: string): Promise<{ url: string; server: Server }> {
  const server = createServer((asked, answer) => {
    const { headers, method, url = '' } = asked;
    const passed = request(new URL(url, to), { method, headers: { ...headers, ...as('private') } });
    passed.on('response', (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    passed.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}` };
}

/** A home whose git finds the repository of the module on this disk. */
async function homeWithRepository(): Promise<GoHome> {
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

async function commit(home: GoHome, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files))
    await writeFile(join(home.path, 'work', name), text);
  git(home, ['add', '.']);
  git(home, ['commit', '--quiet', '--message', 'Change it']);
}

function git(home: GoHome, args: readonly string[]): void {
  const env = { ...cleanEnvironment(), HOME: home.path };
  const { status, stderr } = spawnSync('git', args, { cwd: join(home.path, 'work'), env });
  if (status !== 0) throw new Error(`Cannot run git ${args.join(' ')}: ${String(stderr)}`);
}

interface Downloaded {
  readonly Version: string;
  readonly Sum: string;
  readonly GoModSum: string;
}

for (const { go, name } of GO_COMMANDS) {
  describe.skipIf(go === '')(`a team that publishes, with ${name}`, () => {
    let modferry: Modferry;
    let ci: GoHome;
    let login: Awaited<ReturnType<typeof startLogin>>;
    beforeAll(async () => {
      ci = await homeWithRepository();
      modferry = await startModferry({
        variables: { ORIGINS: 'http://127.0.0.1:9', PRIVATE: 'github.com/Acme' },
      });
      login = await startLogin(modferry.url);
    });
    afterAll(async () => {
      login.server.close();
      await modferry.close();
      await ci.close();
    });

    async function runStep(version: string) {
      const env = {
        ...cleanEnvironment(),
        PATH: [dirname(go), process.env['PATH']].join(delimiter),
        HOME: ci.path,
        GOTOOLCHAIN: 'local',
        GOFLAGS: '-modcacherw',
        MODULE,
        VERSION: version,
        MODFERRY_URL: modferry.url,
        MODFERRY_TOKEN: tokenOf('publish'),
      };
      return spawnAsync('bash', ['-e', '-c', await publishStep()], env);
    }

    it('publishes by the workflow of docs/, which the go command downloads as it is', async () => {
      for (const version of ['v1.0.0', 'v1.1.0']) {
        expect(await runStep(version)).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(/"h1":"h1:/),
        });
      }
      const developer = await freshGoHome();
      const proxy = login.url;
      const json = ['mod', 'download', '-json'];
      const got = await runGo(go, [...json, `${MODULE}@latest`], { home: developer, proxy });
      const env = { HOME: ci.path };
      const direct = await runGo(go, [...json, `${MODULE}@v1.1.0`], {
        home: ci,
        proxy: 'direct',
        env,
      });
      const { GoModSum, Sum, Version } = JSON.parse(got.stdout) as Downloaded;
      const wanted = JSON.parse(direct.stdout) as Downloaded;
      expect({ GoModSum, Sum, Version }).toEqual({
        GoModSum: wanted.GoModSum,
        Sum: wanted.Sum,
        Version: 'v1.1.0',
      });
      const list = await runGo(go, ['list', '-m', '-versions', MODULE], { home: developer, proxy });
      expect(list.stdout).toBe(`${MODULE} v1.0.0 v1.1.0\n`);
      await developer.close();
    });

    it('fails the workflow for a tag that was moved, with the words of modferry', async () => {
      await commit(ci, { 'tool.go': 'package tool\n\nconst Answer = 43\n' });
      git(ci, ['tag', '--force', 'v1.0.0']);
      // The go command has the first v1.0.0 in its cache, and so the same bytes.
      expect(await runStep('v1.0.0')).toMatchObject({ code: 0 });
      await runGo(go, ['clean', '-modcache'], { home: ci, proxy: 'off' });
      const moved = await runStep('v1.0.0');
      expect(moved.code).not.toBe(0);
      expect(moved.stdout).toMatch(/is there with other bytes/);
    });

    it('publishes by the command', async () => {
      await runGo(go, ['mod', 'download', `${MODULE}@v1.1.0`], { home: ci, proxy: 'direct' });
      const zip = 'go/pkg/mod/cache/download/github.com/!acme/tool/@v/v1.1.0.zip';
      const publish = (env: NodeJS.ProcessEnv) =>
        spawnAsync(
          process.execPath,
          [MAIN, 'publish', join(ci.path, zip), `${MODULE}@v1.1.0`, '--url', modferry.url],
          { ...cleanEnvironment(), ...env },
        );
      expect(await publish({ MODFERRY_TOKEN: tokenOf('publish') })).toEqual({
        code: 0,
        stdout: expect.stringMatching(/v1.1.0 was there already, with the same bytes/),
        stderr: '',
      });
      expect(await publish({ MODFERRY_TOKEN: tokenOf('read') })).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/forbidden: this needs a token with the scope publish/),
      });
      expect(await publish({})).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/put one of scope publish into MODFERRY_TOKEN/),
      });
    });
  });
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function spawnAsync(
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
