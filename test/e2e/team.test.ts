import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawRequest } from '../conformance/raw-request.ts';
import { eventually } from '../eventually.ts';
import { type CertificateFiles, makeCertificate } from '../fakes/certificate.ts';
import { makeModule, makeVersion } from '../fakes/origin/module.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type Gitea, startGitea } from '../fakes/registry/gitea.ts';
import { tokenOf } from '../fakes/tokens.ts';
import { freshGoHome, type GoHome, runGo } from '../go/go.ts';
import { type Modferry, startModferry } from '../worker/modferry.ts';
import { GO_COMMANDS } from './go-setup.ts';
import { homeWithRepository, MODULE, publishFromCi } from './publishing.ts';

// A team of three, as docs/private-modules.md has it: an admin makes tokens, CI publishes a module,
// and a developer builds with it, with one of the company's registry, and with a public one.

const LIBRARY = 'corp.example/library';

function library() {
  const files = {
    'go.mod': `module ${LIBRARY}\n\ngo 1.18\n`,
    'library.go': 'package library\n\nconst Name = "library"\n',
  };
  return makeModule(LIBRARY, { 'v1.0.0': makeVersion(LIBRARY, 'v1.0.0', files) });
}

const PROGRAM = `package main

import (
\t"${LIBRARY}"
\t_ "example.com/hello"
\t"${MODULE}"
)

func main() { println(library.Name, tool.Answer) }
`;

for (const { go, name } of GO_COMMANDS) {
  describe.skipIf(go === '' || platform() !== 'linux')(`a team of three, with ${name}`, () => {
    let directory: string;
    let certificate: CertificateFiles;
    let registry: Gitea;
    let outside: FakeOrigin;
    let modferry: Modferry;
    let ci: GoHome;
    let developer: GoHome;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'modferry-team-'));
      certificate = await makeCertificate(directory);
      const authorization = 'Bearer the-token-of-the-registry';
      registry = await startGitea({ modules: [library()], authorization });
      outside = await startOrigin({ modules: fixtureModules() });
      modferry = await startModferry({
        certificate,
        variables: {
          ACCESS: 'private',
          TOKENS: `ann:admin:${tokenOf('admin')}`,
          PRIVATE: 'github.com/Acme',
          REGISTRY: 'the-token-of-the-registry',
          ORIGINS: JSON.stringify([
            { name: 'registry', url: registry.url, modules: 'corp.example', auth: 'REGISTRY' },
            { url: outside.url },
          ]),
        },
      });
      ci = await homeWithRepository();
      developer = await freshGoHome();
    });
    afterAll(async () => {
      for (const one of [modferry, registry, outside, ci, developer]) await one.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    });

    /** A request of the admin. */
    async function admin(method: string, path: string, body?: object) {
      const headers = { Authorization: `Bearer ${tokenOf('admin')}` };
      const answer = await rawRequest(modferry.url, path, {
        method,
        headers,
        ca: certificate.cert,
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = answer.body.toString();
      return { status: answer.status, json: text && (JSON.parse(text) as { token: string }) };
    }

    async function makeToken(token: object): Promise<string> {
      const { json, status } = await admin('POST', '/-/api/tokens', token);
      expect(status).toBe(201);
      return json ? json.token : '';
    }

    /** A go command of the developer, whose token is in .netrc. */
    const runAs = (home: GoHome, args: readonly string[], env: Record<string, string> = {}) =>
      runGo(go, args, {
        home,
        cwd: join(home.path, 'app'),
        proxy: modferry.url,
        env: {
          SSL_CERT_FILE: certificate.certFile,
          GONOSUMDB: 'corp.example,github.com/Acme',
          ...env,
        },
      });

    async function login(home: GoHome, token: string): Promise<void> {
      const { host } = new URL(modferry.url);
      const line = `machine ${host} login any password ${token}\n`;
      await writeFile(join(home.path, '.netrc'), line, { mode: 0o600 });
    }

    it('builds with public, private and hosted modules, until its token is revoked', async () => {
      const ciToken = await makeToken({ name: 'ci', scope: 'publish', modules: 'github.com/Acme' });
      const bobs = await makeToken({ name: 'bob', scope: 'private' });

      const published = await publishFromCi(ci, {
        go,
        version: 'v1.1.0',
        url: modferry.url,
        token: ciToken,
        env: { CURL_CA_BUNDLE: certificate.certFile },
      });
      expect(published).toMatchObject({ code: 0 });

      const app = join(developer.path, 'app');
      await mkdir(app);
      await writeFile(join(app, 'go.mod'), 'module app.example/app\n\ngo 1.21\n');
      await writeFile(join(app, 'main.go'), PROGRAM);
      const stranger = await runAs(developer, ['mod', 'tidy']);
      expect([stranger.code, stranger.stderr]).toEqual([
        1,
        expect.stringContaining('401 Unauthorized'),
      ]);
      expect(stranger.stderr).toContain('into ~/.netrc');

      await login(developer, bobs);
      const tidy = await runAs(developer, ['mod', 'tidy']);
      expect([tidy.code, tidy.stderr]).toEqual([0, expect.not.stringContaining('error')]);
      const run = await runAs(developer, ['run', '.']);
      expect(run.stderr).toContain('library');
      expect(run.stderr).toContain('42');
      const list = await runAs(developer, ['list', '-m', '-versions', MODULE]);
      expect(list.stdout).toBe(`${MODULE} v1.1.0\n`);

      // Neither may do what the other may.
      const own = { go, version: 'v1.0.0', url: modferry.url };
      const env = { CURL_CA_BUNDLE: certificate.certFile };
      expect((await publishFromCi(ci, { ...own, token: bobs, env })).stdout).toContain(
        'needs a token with the scope publish',
      );
      const names = [...outside.requests].map(({ path }) => path).join(' ');
      expect(names).not.toMatch(/corp\.example|[Aa]cme/);

      expect((await admin('DELETE', '/-/api/tokens/bob')).status).toBe(204);
      await runAs(developer, ['clean', '-modcache']);
      const revoked = await runAs(developer, ['mod', 'download']);
      expect([revoked.code, revoked.stderr]).toEqual([
        1,
        expect.stringContaining('401 Unauthorized'),
      ]);
    });

    it('leaves a record of what was done with each token', async () => {
      const record = () => modferry.log.filter(({ event }) => event === 'admin');
      await eventually(() => expect(record()).toHaveLength(4));
      expect(record()).toMatchObject([
        { token: 'ann', action: 'make-token', subject: 'ci' },
        { token: 'ann', action: 'make-token', subject: 'bob' },
        { token: 'ci', action: 'publish-version', subject: `${MODULE}@v1.1.0` },
        { token: 'ann', action: 'revoke-token', subject: 'bob' },
      ]);
      expect(JSON.stringify(modferry.log)).not.toMatch(/mf_[0-9a-f]{10}|the-token-of|the-admin/);
    });
  });
}
