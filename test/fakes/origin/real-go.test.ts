import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  findAnyGo,
  findGo,
  freshGoHome,
  type GoHome,
  goPlatform,
  type GoResult,
  goRoot,
  runGo,
} from '../../go/go.ts';
import { goSum, goSums, makeModule, versionOf, zipHash } from './module.ts';
import { fixtureModules, HELLO_MASTER, hello, helloV2, PSEUDO, TOOLCHAIN_GO } from './modules.ts';
import { type FakeOrigin, startOrigin } from './origin.ts';
import { realModules, REAL_PROGRAM_OUTPUT, writeRealProgram } from './realcode.ts';
import { type FakeSumDB, fillerRecords, startSumDB } from '../sumdb/sumdb.ts';
import { bigZip } from '../zip/zip-writer.ts';

// The go command as the judge of the fakes. With an empty build cache the first run compiles the
// checksum database and the standard library.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });
const anyGo = findAnyGo() ?? '';

describe.each([
  ['1.23', findGo('1.23') ?? ''],
  ['1.27', findGo('1.27') ?? ''],
])('go %s', (_minor, go) => {
  describe.skipIf(go === '')('with the fakes', () => {
    judge(go);
  });
});

function judge(go: string): void {
  let origin: FakeOrigin;
  let sumdb: FakeSumDB;
  let home: GoHome;

  beforeAll(async () => {
    const modules = [...fixtureModules(), ...realModules(goRoot(go))];
    origin = await startOrigin({ modules });
    sumdb = await startSumDB({ go: anyGo, records: goSums(modules) });
  });
  beforeEach(async () => {
    origin.reset();
    sumdb.reset();
    home = await freshGoHome();
    return () => home.close();
  });
  afterAll(async () => {
    await origin.close();
    await sumdb.close();
  });

  const run = (args: readonly string[], env: Record<string, string> = {}): Promise<GoResult> =>
    runGo(go, args, { home, proxy: origin.url, gosumdb: `${sumdb.verifierKey} ${sumdb.url}`, env });

  it('downloads a fixture and computes the hashes that the checksum database has', async () => {
    const { code, stdout, trace } = await run([
      'mod',
      'download',
      '-json',
      '-x',
      'example.com/hello@v1.1.0',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      Sum: zipHash(versionOf(hello(), 'v1.1.0')),
      Origin: { VCS: 'git' },
    });
    expect(trace.some((line) => line.includes('/lookup/example.com/hello@v1.1.0: 200'))).toBe(true);
    expect(origin.requests.map(({ path }) => path.replace(/.*\./, ''))).toEqual([
      'info',
      'mod',
      'zip',
    ]);
  });

  it.each([
    ['example.com/hello@master', HELLO_MASTER],
    ['example.com/hello@0123456', HELLO_MASTER],
    ['example.com/hello@latest', 'v1.1.0'],
    ['example.com/hello/v2@v2', 'v2.0.0'],
    ['github.com/Azure/Thing@v1.0.1-RC1', 'v1.0.1-RC1'],
    ['example.com/legacy@v3.0.0', 'v3.0.0+incompatible'],
    ['example.com/pseudo@latest', PSEUDO],
    ['gopkg.in/yaml.v2@v2.2.1', 'v2.2.1'],
  ])('resolves and verifies %s as %s', async (query, version) => {
    const { stdout, stderr } = await run(['mod', 'download', '-json', query]);
    expect({ stderr, Version: JSON.parse(stdout).Version }).toEqual({
      stderr: '',
      Version: version,
    });
  });

  it('installs the program of a fixture and runs it', async () => {
    expect(await run(['install', 'example.com/hello/cmd/x@v1.1.0'])).toMatchObject({ code: 0 });
    expect(
      await runGo(join(home.path, 'go', 'bin', 'x'), [], { home, proxy: 'off' }),
    ).toMatchObject({
      stdout: 'hello v1.1.0 1\n',
    });
  });

  it('switches to the fake toolchain', async () => {
    const { stdout } = await run(['version'], { GOTOOLCHAIN: TOOLCHAIN_GO });
    expect(stdout).toBe(`go version ${TOOLCHAIN_GO} ${goPlatform().replace('-', '/')}\n`);
  });

  it('tidies, builds and runs a program out of real code', async () => {
    const cwd = join(home.path, 'program');
    await writeRealProgram(cwd);
    const options = { home, cwd, proxy: origin.url, gosumdb: `${sumdb.verifierKey} ${sumdb.url}` };
    expect(await runGo(go, ['mod', 'tidy'], options)).toMatchObject({ code: 0 });
    expect(await runGo(go, ['build', '-o', 'program', '.'], options)).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(await runGo(join(cwd, 'program'), [], options)).toMatchObject({
      stdout: REAL_PROGRAM_OUTPUT,
    });
    expect(await runGo(go, ['mod', 'verify'], options)).toMatchObject({
      stdout: 'all modules verified\n',
    });
  });

  it('takes a streamed zip once its record was added', async () => {
    const path = 'example.com/big';
    const zip = bigZip(`${path}@v1.0.0/`, 3_000_000);
    const files = { info: '{"Version":"v1.0.0"}', mod: zip.mod, zip };
    origin.add(makeModule(path, { 'v1.0.0': files }));
    expect((await run(['mod', 'download', `${path}@v1.0.0`])).stderr).toContain('404 Not Found');
    await sumdb.add(goSum(path, 'v1.0.0', files));
    expect(await run(['mod', 'download', `${path}@v1.0.0`])).toMatchObject({ code: 0, stderr: '' });
  });

  it.each([
    ['tampered', '.zip', 'checksum mismatch'],
    ['not-a-zip', '.zip', 'not a valid zip file'],
    ['outside-prefix', '.zip', 'unexpected file'],
    [
      'wrong-version',
      '.info',
      'proxy returned info for version v9.9.9 instead of requested version',
    ],
    ['empty-time', '.info', 'parsing time'],
    ['truncate', '.zip', 'connection reset'],
    ['redirect-loop', '.mod', 'stopped after 10 redirects'],
  ] as const)('refuses %s at %s: %s', async (fault, match, text) => {
    origin.fault(fault, { match });
    const { code, stderr } = await run(['mod', 'download', 'example.com/hello/v2@v2.0.0']);
    expect(code).toBe(1);
    expect(stderr).toContain(text);
  });

  it.each(['gzip', 'no-length', 'redirect'] as const)('does not mind %s', async (fault) => {
    origin.fault(fault);
    const { stdout } = await run(['mod', 'download', '-json', 'example.com/hello/v2@v2.0.0']);
    expect(JSON.parse(stdout).Sum).toBe(zipHash(versionOf(helloV2(), 'v2.0.0')));
  });

  it('downloads from a module cache that an origin serves as a directory', async () => {
    await run(['mod', 'download', 'example.com/hello@v1.1.0']);
    const directory = join(home.path, 'go', 'pkg', 'mod', 'cache', 'download');
    expect(existsSync(directory)).toBe(true);
    const copy = await startOrigin({ directory });
    const second = await freshGoHome();
    const result = await runGo(go, ['mod', 'download', 'example.com/hello@v1.1.0'], {
      home: second,
      proxy: copy.url,
    });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect((await fetch(`${copy.url}/..%2f..%2f..%2f..%2f..%2fetc/passwd`)).status).toBe(404);
    await copy.close();
    await second.close();
  });

  it('sees the faults of the checksum database', async () => {
    sumdb.fault({ status: 500, text: 'out of order' }, { match: '/lookup/' });
    const { code, stderr } = await run(['mod', 'download', 'example.com/hello@v1.0.0']);
    expect(code).toBe(1);
    expect(stderr).toContain('500 Internal Server Error');
    expect(sumdb.count('/lookup/')).toBeGreaterThan(0);
  });
}

describe.skipIf(anyGo === '')('the checksum database', () => {
  it('has as many records as were added, full and partial tiles, and 404 for the rest', async () => {
    const sumdb = await startSumDB({
      go: anyGo,
      name: 'sum.example.test/v2',
      records: fillerRecords(300),
    });
    const get = async (path: string) => {
      const response = await fetch(`${sumdb.url}${path}`);
      return [response.status, (await response.bytes()).byteLength];
    };
    expect(await (await fetch(`${sumdb.url}/latest`)).text()).toMatch(
      /^go.sum database tree\n300\n[\s\S]*— sum\.example\.test\/v2 /,
    );
    expect(sumdb.verifierKey).toMatch(/^sum\.example\.test\/v2\+[0-9a-f]{8}\+/);
    expect(await get('/tile/8/0/000')).toEqual([200, 8192]);
    expect(await get('/tile/8/0/001.p/44')).toEqual([200, 44 * 32]);
    expect((await get('/tile/8/0/001.p/45'))[0]).toBe(404);
    expect((await get('/lookup/filler.example/m@v0.0.300'))[0]).toBe(404);
    expect((await get('/lookup/filler.example/m@master'))[0]).toBe(400);
    expect((await get('/supported'))[0]).toBe(404);
    await sumdb.stop();
    await expect(get('/latest')).rejects.toThrow('fetch failed');
    await sumdb.restart();
    expect((await get('/latest'))[0]).toBe(200);
    await sumdb.close();
  });
});
