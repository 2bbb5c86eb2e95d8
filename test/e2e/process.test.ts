import { as, TOKENS } from '../fakes/tokens.ts';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeModule } from '../fakes/origin/module.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { bigZip } from '../fakes/zip/zip-writer.ts';
import { download, sha256Of } from '../worker/download.ts';
import {
  freePort,
  npmStart,
  type NpmStart,
  parentOf,
  processName,
  untilGone,
  untilHealthy,
} from './npm-start.ts';
import { eventually } from '../eventually.ts';

const INFO = '/example.com/hello/@v/v1.1.0.info';

// The process tree is read from /proc.
describe.skipIf(platform() !== 'linux')('npm start', () => {
  let origin: FakeOrigin;
  let directory: string;
  let port: number;
  let url: string;
  const started: NpmStart[] = [];

  beforeAll(async () => {
    origin = await startOrigin({ modules: fixtureModules() });
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'modferry-process-'));
    port = await freePort();
    url = `http://127.0.0.1:${port}`;
  });
  afterEach(async () => {
    for (const { killAll } of started.splice(0)) killAll();
    origin.reset();
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  });
  afterAll(() => origin.close());

  function start(variables: Readonly<Record<string, string>> = {}): NpmStart {
    const STATE_DIR = join(directory, 'state');
    const npm = npmStart({
      PORT: String(port),
      STATE_DIR,
      ORIGINS: origin.url,
      TOKENS,
      ...variables,
    });
    started.push(npm);
    return npm;
  }

  async function failure(npm: NpmStart): Promise<string> {
    const { code } = await npm.ended;
    expect(code).toBeGreaterThan(0);
    await untilGone(npm.tree());
    await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
    expect(npm.output()).not.toContain('    at '); // no stack trace
    return npm.output();
  }

  it('is healthy within ten seconds, prints the line to paste, and serves', async () => {
    const npm = start();
    const ms = await untilHealthy(url);
    console.log(`healthy after ${ms} ms`);
    await eventually(() => expect(npm.output()).toContain(`go env -w GOPROXY=${url}\n`));
    expect((await fetch(url + INFO)).status).toBe(200);
  });

  it.each([
    ['SIGTERM to npm', 'SIGTERM', 1],
    ['SIGINT to the process group, as Ctrl-C in a terminal sends it,', 'SIGINT', -1],
    ['SIGHUP to the process group, as a closed terminal sends it,', 'SIGHUP', -1],
  ] as const)('%s ends npm, node and workerd', async (_how, signal, sign) => {
    const npm = start();
    await untilHealthy(url);
    await eventually(() => expect(npm.output()).toContain('Paste this line'));
    const tree = npm.tree();
    expect(tree.map(processName)).toContainEqual(expect.stringMatching(/^workerd/));
    process.kill(sign * npm.pid, signal);
    await untilGone(tree);
  });

  it('SIGKILL to node ends workerd too', async () => {
    const npm = start();
    await untilHealthy(url);
    const tree = npm.tree();
    const workerd = tree.find((pid) => processName(pid) === 'workerd') ?? 0;
    const node = parentOf(workerd) ?? 0;
    expect(tree).toContain(node);
    process.kill(node, 'SIGKILL');
    await untilGone(tree);
  });

  it('runs its cron at the start', async () => {
    start();
    await untilHealthy(url);
    await eventually(
      async () =>
        expect(
          await (await fetch(`${url}/-/api/origins`, { headers: as('read') })).json(),
        ).toMatchObject({
          origins: [{ history: [expect.anything()] }],
        }),
      10_000,
    );
  });

  it('is in no region, and in the one that REGION names', async () => {
    const near = await startOrigin({ modules: fixtureModules() });
    try {
      const ORIGINS = JSON.stringify([{ url: origin.url }, { url: near.url, regions: ['CN'] }]);
      const first = start({ ORIGINS });
      await untilHealthy(url);
      expect((await fetch(url + INFO)).headers.get('Cache-Status')).toContain(hostOf(origin));
      expect(first.output()).not.toMatch(/"(dataCentre|country|continent)"/);
      const tree = first.tree();
      process.kill(first.pid, 'SIGTERM');
      await untilGone(tree);
      start({ ORIGINS, REGION: 'CN', STATE_DIR: join(directory, 'other') });
      await untilHealthy(url);
      expect((await fetch(url + INFO)).headers.get('Cache-Status')).toContain(hostOf(near));
    } finally {
      await near.close();
    }
  });

  it('writes one line of JSON with the time for each request where its output is piped', async () => {
    const npm = start();
    await untilHealthy(url);
    await fetch(url + INFO);
    await eventually(() =>
      expect(npm.output()).toMatch(
        /^\{"time":"[-\d]+T[:.\d]+Z","event":"request",.*"kind":"info"/m,
      ),
    );
  });

  it('writes one readable line for each request, and no stack of workerd', async () => {
    const ORIGINS = `https://no-such-host.invalid|${origin.url}`;
    const npm = start({ LOG_FORMAT: 'text', ORIGINS, VERIFY: 'all', SUMDBS: 'off' });
    await untilHealthy(url);
    await fetch(url + INFO);
    await eventually(() =>
      expect(npm.output()).toMatch(
        /^\d\d:\d\d:\d\d 200 origin example\.com\/hello@v1\.1\.0\.info \d+ ms from /m,
      ),
    );
    await eventually(
      () =>
        expect(npm.output()).toMatch(
          /^\d\d:\d\d:\d\d trouble no-such-host\.invalid: Cannot resolve its name: /m,
        ),
      10_000,
    );
    expect(npm.output()).toMatch(/^\d\d:\d\d:\d\d note VERIFY=all compares nothing/m);
    expect(npm.output()).not.toMatch(/stack:|failed to lookup/);
  });

  it('serves what it stored before a restart while the origin is down', async () => {
    const first = start();
    await untilHealthy(url);
    const before = await (await fetch(url + INFO)).text();
    const tree = first.tree();
    process.kill(first.pid, 'SIGTERM');
    await untilGone(tree);
    await origin.stop();
    try {
      start();
      await untilHealthy(url);
      const answer = await fetch(url + INFO);
      expect({ status: answer.status, text: await answer.text() }).toEqual({
        status: 200,
        text: before,
      });
    } finally {
      await origin.restart();
    }
  });

  it('prints every problem of the configuration at once, by variable and value', async () => {
    const output = await failure(
      start({
        PORT: '70000',
        REGION: 'China',
        LOG_FORMAT: 'xml',
        ORIGINS: 'htp://x',
        VERIFY: 'maybe',
        TIMEOUT_STALL: 'soon',
        DENY: 'a.example@1.2',
      }),
    );
    for (const problem of [
      'PORT "70000"',
      'REGION "China"',
      'LOG_FORMAT "xml"',
      '"htp://x"',
      'VERIFY "maybe"',
      'TIMEOUT_STALL "soon"',
      'Cannot parse DENY: entry "a.example@1.2"',
    ])
      expect(output).toContain(problem);
  });

  it('prints which PORT is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const taken = typeof address === 'object' && address !== null ? String(address.port) : '';
    const output = await failure(start({ PORT: taken }));
    expect(output).toContain(`Cannot use PORT "${taken}": another program listens on it`);
    other.close();
  });

  it('prints that STATE_DIR is a file', async () => {
    const STATE_DIR = join(directory, 'file');
    await writeFile(STATE_DIR, '');
    expect(await failure(start({ STATE_DIR }))).toContain(`Cannot use STATE_DIR "${STATE_DIR}": `);
  });

  it('prints that STATE_DIR cannot be written to', async () => {
    // Even root cannot make a directory there.
    const STATE_DIR = '/sys/modferry';
    expect(await failure(start({ STATE_DIR }))).toContain(`Cannot use STATE_DIR "${STATE_DIR}": `);
  });

  it('prints which process uses STATE_DIR, and takes it over from one that was killed', async () => {
    const first = start();
    await untilHealthy(url);
    const tree = first.tree();
    const workerd = tree.find((pid) => processName(pid) === 'workerd') ?? 0;
    const node = parentOf(workerd) ?? 0;
    const second = start({ PORT: '0' });
    expect((await second.ended).code).toBeGreaterThan(0);
    const STATE_DIR = JSON.stringify(join(directory, 'state'));
    expect(second.output()).toContain(`Cannot use STATE_DIR ${STATE_DIR}: process ${node} uses it`);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    first.killAll();
    await untilGone(tree);
    start();
    await untilHealthy(url);
  });

  it('prints that STATE_DIR below /proc cannot be made', async () => {
    const STATE_DIR = '/proc/self/x';
    expect(await failure(start({ STATE_DIR }))).toContain(`Cannot use STATE_DIR "${STATE_DIR}": `);
  });

  it.each(['r2', 'r2/miniflare-R2BucketObject/x.sqlite'])(
    'prints that STATE_DIR cannot be used where %s is a wrong file',
    async (path) => {
      const STATE_DIR = join(directory, 'state');
      await mkdir(dirname(join(STATE_DIR, path)), { recursive: true });
      await writeFile(join(STATE_DIR, path), 'no database. '.repeat(100));
      const output = await failure(start({ STATE_DIR }));
      expect(output).toContain(`Cannot use STATE_DIR "${STATE_DIR}": `);
      expect(output).toContain(`remove "${join(STATE_DIR, 'r2')}"`);
    },
  );

  it('killed in the middle of a fill, serves no half file afterwards', async () => {
    const zip = bigZip('big.example/m@v1.0.0/', 100_000_000);
    origin.add(makeModule('big.example/m', { 'v1.0.0': { info: '{}', mod: zip.mod, zip } }));
    const file = '/big.example/m/@v/v1.0.0.zip';
    origin.fault({ 'freeze-after': 50_000_000 }, { times: 1 });
    const first = start();
    await untilHealthy(url);
    const tree = first.tree();
    const begun = download(url + file);
    await eventually(
      () => expect(bytesBelow(join(directory, 'state'))).toBeGreaterThan(30_000_000),
      10_000,
    );
    first.killAll();
    expect(await begun).toMatchObject({ status: 200, broken: true });
    await untilGone(tree);

    start();
    await untilHealthy(url);
    expect(bytesBelow(join(directory, 'state', 'r2'))).toBeLessThan(1_000_000);
    expect((await download(`${url}/cached-only${file}`)).status).toBe(404);
    const expected = { status: 200, bytes: zip.size, sha256: await sha256Of(zip), broken: false };
    expect(await download(url + file)).toMatchObject(expected);
    expect(origin.count(file)).toBe(2);
    await eventually(
      async () =>
        expect((await download(`${url}/cached-only${file}`)).sha256).toBe(expected.sha256),
      10_000,
    );
  });
});

function hostOf({ url }: FakeOrigin): string {
  return new URL(url).host;
}

function bytesBelow(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(
      ({ parentPath, name }) =>
        statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0,
    )
    .reduce((sum, size) => sum + size, 0);
}
