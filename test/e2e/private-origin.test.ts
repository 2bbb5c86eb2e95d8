import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startFakeServer } from '../fakes/origin/fake-server.ts';
import { makeModule, makeVersion } from '../fakes/origin/module.ts';
import { startOrigin } from '../fakes/origin/origin.ts';
import { startGitea } from '../fakes/registry/gitea.ts';
import { as } from '../fakes/tokens.ts';
import { freshGoHome, runGo } from '../go/go.ts';
import { startModferry } from '../worker/modferry.ts';
import { succeeded } from './commands.ts';
import { GO_COMMANDS } from './go-setup.ts';

// A module with capitals from a Gitea, by real go commands. Over plain http a go command sends no
// credentials, so a server between adds them.

const PATH = 'corp.example/MyTool';

function tool() {
  const files = (version: string) => ({
    'go.mod': `module ${PATH}\n\ngo 1.18\n`,
    'tool.go': `package tool\n\nconst Version = "${version}"\n`,
  });
  const versions = ['v1.10.0', 'v1.9.0', 'v1.11.0-RC1'].map(
    (version) => [version, makeVersion(PATH, version, files(version))] as const,
  );
  return makeModule(PATH, Object.fromEntries(versions));
}

async function world() {
  const authorization = 'Bearer the-token-of-the-registry';
  const gitea = await startGitea({ modules: [tool()], authorization });
  const outside = await startOrigin({ modules: [] });
  const ORIGINS = JSON.stringify([
    { name: 'gitea', url: gitea.url, modules: 'corp.example', auth: 'GITEA', decoded: true },
    { name: 'outside', url: outside.url },
  ]);
  const modferry = await startModferry({
    variables: { ORIGINS, GITEA: 'the-token-of-the-registry' },
  });
  const front = await startFakeServer(async ({ url }) => {
    const response = await fetch(`${modferry.url}${url}`, { headers: as('private') });
    const type = response.headers.get('Content-Type') ?? 'text/plain';
    const body = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, headers: { 'content-type': type }, body };
  });
  onTestFinished(async () => {
    for (const server of [front, modferry, outside, gitea]) await server.close();
  });
  return { front, gitea, outside };
}

describe.each(GO_COMMANDS)('$name', ({ go }) => {
  it.skipIf(go === '')('gets a private module with capitals from a Gitea', async () => {
    const { front, gitea, outside } = await world();
    const home = await freshGoHome();
    onTestFinished(() => home.close());
    const cwd = join(home.path, 'app');
    await mkdir(cwd);
    await writeFile(join(cwd, 'go.mod'), 'module app.example/app\n\ngo 1.18\n');
    await writeFile(
      join(cwd, 'main.go'),
      `package main\n\nimport tool "${PATH}"\n\nfunc main() { println(tool.Version) }\n`,
    );
    const run = (...args: string[]) => runGo(go, args, { home, cwd, proxy: front.url });

    succeeded(await run('get', PATH));
    expect((await run('run', '.')).stderr).toBe('v1.10.0\n');
    const listed = succeeded(await run('list', '-m', '-versions', PATH));
    expect(listed).toBe(`${PATH} v1.9.0 v1.10.0 v1.11.0-RC1\n`);
    succeeded(await run('mod', 'download', `${PATH}@v1.11.0-RC1`));
    // The parts of the path that the go command asks for too are covered, all but the host.
    expect(outside.count('MyTool') + outside.count('!my')).toBe(0);
    expect(gitea.storage.count()).toBe(2);
  });
});
