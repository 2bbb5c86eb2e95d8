import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Age, AgeLimits } from '../../src/access/policy/age.ts';
import { fakeAges } from '../fakes/policy/ages.ts';
import { type PolicyServer, startPolicyServer } from '../fakes/policy/server.ts';
import { type FakeModule, infoJSON, makeModule, makeVersion } from '../fakes/origin/module.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { freshGoHome, type GoHome, type GoResult, runGo } from '../go/go.ts';
import { type Modferry, startModferry } from '../worker/modferry.ts';
import { GO_COMMANDS } from './go-setup.ts';

const LIB = 'example.com/lib';
/** The commit of the branch main, after the last release. */
const MAIN = 'v1.4.1-0.20260601120000-0123456789ab';

/** v1.3.0 retracts v1.2.0; v1.1.9 is a backport; v1.4.0 and main are the newest. */
function lib(): FakeModule {
  const files = (version: string) => ({
    'go.mod': `module ${LIB}\n\ngo 1.21\n${version >= 'v1.3.0' ? '\nretract v1.2.0 // wrong\n' : ''}`,
    'lib.go': 'package lib\n\nconst X = 1\n',
    'sub/sub.go': 'package sub\n\nconst X = 1\n',
  });
  const options = { time: '2026-06-01T12:00:00Z', hash: '0123456789ab'.padEnd(40, '0') };
  const versions = ['v1.0.0', 'v1.1.0', 'v1.1.9', 'v1.2.0', 'v1.3.0', 'v1.4.0', MAIN];
  const made = versions.map(
    (name) => [name, makeVersion(LIB, name, files(name), options)] as const,
  );
  return makeModule(LIB, Object.fromEntries(made), {
    queries: { main: infoJSON(LIB, MAIN, options) },
  });
}

/** A developer with a module that requires v1.0.0. */
async function developer(go: string, proxy: string) {
  const home = await freshGoHome();
  const cwd = join(home.path, 'app');
  await mkdir(cwd);
  await writeFile(
    join(cwd, 'go.mod'),
    `module example.org/app\n\ngo 1.21\n\nrequire ${LIB} v1.0.0\n`,
  );
  await writeFile(join(cwd, 'app.go'), `package app\n\nimport _ "${LIB}/sub"\n`);
  const run = (...args: readonly string[]) => runGo(go, args, { home, proxy, cwd });
  return { home, run, proxy };
}

interface Developer {
  readonly home: GoHome;
  readonly proxy: string;
  run(...args: readonly string[]): Promise<GoResult>;
}

/** What a developer sees to whom v1.1.0 is the highest version. */
function staysUsable(dev: () => Developer, why: string | RegExp): void {
  const out = async (...args: readonly string[]) => {
    const { code, stderr, stdout } = await dev().run(...args);
    expect([
      code,
      stderr.split('\n').filter((line) => !/^go: (downloading|upgraded|added)/.test(line)),
    ]).toEqual([0, ['']]);
    return stdout;
  };
  const required = () => out('list', '-m', LIB);

  it('go list -m -versions shows what is left', async () => {
    expect(await out('list', '-m', '-versions', LIB)).toBe(`${LIB} v1.0.0 v1.1.0\n`);
  });

  it('go list -m -u all offers the highest that is left', async () => {
    await out('mod', 'tidy');
    expect(await out('list', '-m', '-u', 'all')).toBe(`example.org/app\n${LIB} v1.0.0 [v1.1.0]\n`);
  });

  it.each([
    ['-u', './...'],
    ['-u=patch', `${LIB}@latest`],
    [`${LIB}@latest`],
    [`${LIB}@upgrade`],
    [`${LIB}/sub@latest`],
    [`${LIB}/sub@v1.1.0`],
    [`${LIB}@<v1.2.0`],
  ])('go get %s %s takes the highest that is left', async (...args) => {
    await out('get', ...args);
    expect(await required()).toBe(`${LIB} v1.1.0\n`);
  });

  it('go mod tidy and go build work', async () => {
    await out('mod', 'tidy');
    await out('build', './...');
    expect(await required()).toBe(`${LIB} v1.0.0\n`);
  });

  it('go get of the branch is refused with the reason', async () => {
    const { code, stderr } = await dev().run('get', `${LIB}@main`);
    expect([code, stderr]).toEqual([1, expect.stringMatching(why)]);
    expect(stderr).toContain(`server response: refused: ${LIB}@main (${MAIN}): `);
  });
}

describe.each(GO_COMMANDS)('$name', ({ go }) => {
  describe.skipIf(go === '')('behind a policy', () => {
    let origin: FakeOrigin;
    let dev: Developer & { readonly home: GoHome };
    beforeAll(async () => {
      origin = await startOrigin({ modules: [lib()] });
      return () => origin.close();
    });

    /** Starts a proxy for the tests of a group, and a new developer for each. */
    function proxyOf(start: () => Promise<Modferry | PolicyServer>): void {
      let server: Modferry | PolicyServer;
      beforeAll(async () => {
        server = await start();
      });
      beforeEach(async () => {
        dev = await developer(go, server.url);
        return () => dev.home.close();
      });
      afterAll(() => server.close());
    }

    describe('with DENY', () => {
      const DENY = `${LIB}@v1.1.9,${LIB}@>=v1.3.0`;
      proxyOf(() => startModferry({ variables: { ORIGINS: origin.url, DENY } }));
      staysUsable(() => dev, /DENY has "example\.com\/lib@>=v1\.3\.0"/);

      it('a version that is denied is refused, also where its .info is there already', async () => {
        const refused = `403 Forbidden\n\tserver response: refused: ${LIB}@v1.4.0: DENY has "${LIB}@>=v1.3.0"`;
        const first = await dev.run('mod', 'download', `${LIB}@v1.4.0`);
        expect([first.code, first.stderr]).toEqual([
          1,
          expect.stringContaining(`.info: ${refused}`),
        ]);
        const cache = join(dev.home.path, 'go/pkg/mod/cache/download', LIB, '@v');
        await mkdir(cache, { recursive: true });
        await writeFile(join(cache, 'v1.4.0.info'), infoJSON(LIB, 'v1.4.0'));
        const second = await dev.run('mod', 'download', `${LIB}@v1.4.0`);
        expect([second.code, second.stderr]).toEqual([
          1,
          expect.stringContaining(`.mod: ${refused}`),
        ]);
      });
    });

    describe('with ALLOW', () => {
      const ALLOW = `${LIB}@<v1.1.9`;
      proxyOf(() => startModferry({ variables: { ORIGINS: origin.url, ALLOW } }));
      staysUsable(() => dev, /ALLOW has "example\.com\/lib@<v1\.1\.9", which does not cover it/);

      it('a module that is not allowed is refused with the reason', async () => {
        const { code, stderr } = await dev.run('get', 'example.net/other@latest');
        expect([code, stderr]).toEqual([1, expect.stringContaining('no entry of ALLOW covers it')]);
      });
    });

    describe('with a minimum age', () => {
      const young: Age = { kind: 'young', from: Date.UTC(2026, 10, 24, 9) };
      const unknown: Age = { kind: 'unknown', why: 'it is being looked up' };
      const ages = { 'v1.1.9': young, 'v1.3.0': unknown, 'v1.4.0': young, [MAIN]: young };

      describe.each<[string, AgeLimits]>([
        ['enforced', { explicitMs: 1, listMs: 1 }],
        ['in discover mode', { explicitMs: undefined, listMs: 1 }],
      ])('%s', (_, limits) => {
        const policy = {
          allow: [],
          deny: [],
          limitsOf: () => limits,
          openAges: () => fakeAges(ages),
        };
        proxyOf(() => startPolicyServer(origin.url, policy));
        staysUsable(() => dev, /may be had from 2026-11-24T09:00:00Z on/);

        it(`an explicit version that is young is ${limits.explicitMs ? 'refused' : 'had'}`, async () => {
          const { code, stderr } = await dev.run('mod', 'download', `${LIB}@v1.4.0`);
          expect([code, /refused: .*may be had from 2026-11-24T09:00:00Z on/.test(stderr)]).toEqual(
            limits.explicitMs ? [1, true] : [0, false],
          );
        });
      });
    });
  });
});
