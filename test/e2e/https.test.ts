import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rawRequest } from '../conformance/raw-request.ts';
import { eventually } from '../eventually.ts';
import { type CertificateFiles, makeCertificate } from '../fakes/certificate.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { TOKENS, tokenOf } from '../fakes/tokens.ts';
import { freshGoHome, type GoHome, type GoOptions, type GoResult, runGo } from '../go/go.ts';
import { type Modferry, startModferry } from '../worker/modferry.ts';
import { GO_COMMANDS, NEWEST_GO } from './go-setup.ts';
import { freePort, npmStart, type NpmStart, untilGone } from './npm-start.ts';

const INFO = '/example.com/hello/@v/v1.1.0.info';

let directory: string;
let certificate: CertificateFiles;
let origin: FakeOrigin;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modferry-https-'));
  certificate = await makeCertificate(directory);
  origin = await startOrigin({ modules: fixtureModules() });
});
afterAll(async () => {
  await origin.close();
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
});

describe.skipIf(platform() !== 'linux')('npm start with TLS_CERT and TLS_KEY', () => {
  let port: number;
  const started: NpmStart[] = [];
  beforeEach(async () => {
    port = await freePort();
  });
  afterEach(() => {
    for (const { killAll } of started.splice(0)) killAll();
  });

  function start(variables: Readonly<Record<string, string>>): NpmStart {
    const npm = npmStart({
      PORT: String(port),
      STATE_DIR: join(directory, 'state'),
      ORIGINS: origin.url,
      TOKENS,
      ...variables,
    });
    started.push(npm);
    return npm;
  }

  const ask = (path: string) =>
    rawRequest(`https://127.0.0.1:${port}`, path, { ca: certificate.cert });

  it('serves https on PORT, says so, and ends with everything below it by SIGTERM', async () => {
    const npm = start({ TLS_CERT: certificate.certFile, TLS_KEY: certificate.keyFile });
    await eventually(async () => expect((await ask('/healthz')).status).toBe(200), 20_000);
    const paste = `go env -w GOPROXY=https://127.0.0.1:${port}\n`;
    await eventually(() => expect(npm.output()).toContain(paste));
    expect((await ask(INFO)).status).toBe(200);
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow('fetch failed');
    const tree = npm.tree();
    process.kill(npm.pid, 'SIGTERM');
    await untilGone(tree);
  });

  it('prints that PORT is in use', async () => {
    const variables = { TLS_CERT: certificate.certFile, TLS_KEY: certificate.keyFile };
    start(variables);
    await eventually(async () => expect((await ask('/healthz')).status).toBe(200), 20_000);
    const second = start({ ...variables, STATE_DIR: join(directory, 'other') });
    expect((await second.ended).code).toBeGreaterThan(0);
    expect(second.output()).toContain(`Cannot use PORT "${port}": another program listens on it`);
  });

  it('does not start with a wrong one, names what is wrong, and changes nothing', async () => {
    const STATE_DIR = await mkdtemp(join(directory, 'untouched-'));
    const npm = start({ STATE_DIR, TLS_CERT: '/no/such.crt', TLS_KEY: certificate.certFile });
    expect((await npm.ended).code).toBeGreaterThan(0);
    expect(npm.output()).toContain('Cannot use TLS_CERT "/no/such.crt": ');
    expect(npm.output()).toContain(`Cannot use TLS_KEY "${certificate.certFile}": `);
    expect(npm.output()).not.toContain('    at '); // no stack trace
    expect(await readdir(STATE_DIR)).toEqual([]);
  });
});

describe.each(GO_COMMANDS)('$name over https, with ACCESS=private', ({ go, minor }) => {
  describe.skipIf(go === '')('and a token of scope read', () => {
    const HELLO = ['mod', 'download', 'example.com/hello@v1.1.0'];
    let modferry: Modferry;
    let host: string;
    let home: GoHome;
    beforeAll(async () => {
      const variables = { ORIGINS: origin.url, ACCESS: 'private' };
      modferry = await startModferry({ certificate, variables });
      // The certificate's own name, and the port, which is a part of it for the go command.
      host = `localhost:${new URL(modferry.url).port}`;
    });
    beforeEach(async () => {
      home = await freshGoHome();
      return () => home.close();
    });
    afterAll(() => modferry.close());

    function run(
      args: readonly string[],
      { env = {}, ...options }: Partial<GoOptions> = {},
    ): Promise<GoResult> {
      const trusted = { SSL_CERT_FILE: certificate.certFile, ...env };
      return runGo(go, args, { home, proxy: `https://${host}`, ...options, env: trusted });
    }

    async function netrc(text: string): Promise<Partial<GoOptions>> {
      const file = join(home.path, 'netrc');
      await writeFile(file, text);
      return { env: { NETRC: file } };
    }

    const refusal = expect.stringMatching(/401 Unauthorized[^]*~\/\.netrc[^]*GOPROXY=https:/);
    const worked = expect.objectContaining({ code: 0 });
    const failed = expect.objectContaining({ code: 1, stderr: refusal });

    it('fails without credentials, and prints how to log in', async () => {
      const { code, stderr } = await run(HELLO);
      expect(code).toBe(1);
      expect(stderr).toContain(`${INFO}: 401 Unauthorized`);
      expect(stderr).toContain(`machine ${host} login any password <token>`);
      expect(stderr).toContain(`GOPROXY=https://any:<token>@${host}`);
    });

    it.each([
      ['as password of the URL', `any:${tokenOf('read')}`],
      ['as user name of the URL', tokenOf('read')],
    ])('works with the token %s', async (_, userinfo) => {
      expect(await run(HELLO, { proxy: `https://${userinfo}@${host}` })).toEqual(worked);
    });

    it('fails with a wrong token in the URL', async () => {
      expect(await run(HELLO, { proxy: `https://any:wrong-wrong-wrong-1@${host}` })).toEqual(
        failed,
      );
    });

    it.each([
      ['works with host and port, login and password', true, 'HOST', 'login any password TOKEN'],
      ['fails with the host alone', false, 'localhost', 'login any password TOKEN'],
      ['fails without a login', false, 'HOST', 'password TOKEN'],
      ['fails without a password', false, 'HOST', 'login TOKEN'],
    ])('.netrc %s', async (_, works, machine, fields) => {
      const name = machine.replace('HOST', host);
      const entry = `machine ${name} ${fields.replace('TOKEN', tokenOf('read'))}\n`;
      expect(await run(HELLO, await netrc(entry))).toEqual(works ? worked : failed);
    });

    // Go 1.23 has no GOAUTH.
    if (minor === '1.23') return;
    describe('GOAUTH', () => {
      it('netrc works', async () => {
        const options = await netrc(`machine ${host} login any password ${tokenOf('read')}\n`);
        expect(await run(HELLO, { env: { ...options.env, GOAUTH: 'netrc' } })).toEqual(worked);
      });

      it('off fails, whatever .netrc has', async () => {
        const options = await netrc(`machine ${host} login any password ${tokenOf('read')}\n`);
        expect(await run(HELLO, { env: { ...options.env, GOAUTH: 'off' } })).toEqual(failed);
      });

      it.each([
        ['works with', tokenOf('read'), worked],
        ['fails with a wrong token of', 'wrong-wrong-wrong-1', failed],
      ])('%s a command', async (_, token, expected) => {
        const command = join(home.path, 'credentials');
        const lines = `https://${host}\n\nAuthorization: Bearer ${token}\n\n`;
        await writeFile(command, `#!/bin/sh\ncat <<'END'\n${lines}END\n`);
        await chmod(command, 0o755);
        expect(await run(HELLO, { env: { GOAUTH: command } })).toEqual(expected);
      });

      it.each([
        ['works with', tokenOf('read'), worked],
        ['fails with a wrong token of', 'wrong-wrong-wrong-1', failed],
      ])('%s git', async (_, token, expected) => {
        const helper = join(home.path, 'helper');
        const words = `username=any\\npassword=${token}\\n`;
        await writeFile(helper, `#!/bin/sh\n[ "$1" != get ] || printf '${words}'\n`);
        await chmod(helper, 0o755);
        await writeFile(join(home.path, '.gitconfig'), `[credential]\n\thelper = ${helper}\n`);
        const env = { GOAUTH: `git ${home.path}`, GIT_TERMINAL_PROMPT: '0' };
        expect(await run(HELLO, { env })).toEqual(expected);
      });

      // The go command sends it beside its work, and may end before: so it is sent here.
      it.each([
        ['good', 200, tokenOf('read')],
        ['bad', 401, 'wrong-wrong-wrong-1'],
      ])('git is told of %s credentials by HEAD /, which is %i', async (_, status, token) => {
        const headers = { Authorization: `Basic ${btoa(`any:${token}`)}` };
        const options = { method: 'HEAD', headers, ca: certificate.cert };
        expect((await rawRequest(modferry.url, '/', options)).status).toBe(status);
      });
    });
  });
});

describe.skipIf(NEWEST_GO === '')('what go 1.24 and later ask twice, as all 4xx over https', () => {
  let modferry: Modferry;
  let home: GoHome;
  beforeAll(async () => {
    const ORIGINS = JSON.stringify([
      { url: origin.url },
      { url: `${origin.url}/corp`, name: 'corp', modules: ['corp.example'] },
    ]);
    modferry = await startModferry({ certificate, variables: { ORIGINS } });
  });
  beforeEach(async () => {
    home = await freshGoHome();
    origin.reset();
    return () => home.close();
  });
  afterAll(() => modferry.close());

  it.each(['example.com/no/such', 'corp.example/no'])(
    'costs the origin one request: %s',
    async (module) => {
      const host = `localhost:${new URL(modferry.url).port}`;
      const seen = modferry.log.length;
      const { code } = await runGo(NEWEST_GO, ['mod', 'download', `${module}@v1.0.0`], {
        home,
        proxy: `https://any:${tokenOf('private')}@${host}`,
        env: { SSL_CERT_FILE: certificate.certFile },
      });
      expect(code).toBe(1);
      const asked = () => modferry.log.slice(seen).filter((line) => line['module'] === module);
      await eventually(() =>
        expect(asked().map(({ kind, status }) => [kind, status])).toEqual([
          ['info', 404],
          ['info', 404],
        ]),
      );
      const paths = origin.requests.filter(({ path }) => path.includes(module));
      expect(paths).toHaveLength(1);
    },
  );
});
