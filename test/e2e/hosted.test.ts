import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, tokenOf } from '../fakes/tokens.ts';
import { cleanEnvironment, freshGoHome, type GoHome, runGo } from '../go/go.ts';
import { type Modferry, startModferry } from '../worker/modferry.ts';
import { GO_COMMANDS } from './go-setup.ts';
import {
  commit,
  git,
  homeWithRepository,
  MODULE,
  publishFromCi,
  spawnAsync,
} from './publishing.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(REPOSITORY, 'src/cli/main.ts');

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

    const runStep = (version: string) =>
      publishFromCi(ci, { go, version, url: modferry.url, token: tokenOf('publish') });

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
