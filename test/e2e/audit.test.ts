import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { succeeded } from './commands.ts';
import { flipped } from '../fakes/store/audited-tree.ts';
import { audit, groupOf, REPOSITORY } from './npm-audit.ts';
import { untilGone } from './npm-start.ts';
import {
  GO_COMMANDS,
  NEWEST_GO,
  newDeveloper,
  startFor,
  startWorld,
  type World,
} from './go-setup.ts';
import { eventually } from '../eventually.ts';

const QUERIES = [
  'example.com/hello@v1.1.0',
  'example.com/dep@v1.0.0',
  'example.com/legacy@v3.0.0+incompatible',
  'gopkg.in/yaml.v2@v2.2.1',
  'github.com/Azure/Thing@v1.0.1-RC1',
  'golang.org/x/sync@latest',
];
const HELLO = 'example.com/hello/@v/v1.1.0';

describe('npm run audit', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'modferry-audit-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('prints its options and exit codes', async () => {
    const { code, stdout } = await audit(directory, ['--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('Exit code: 0 nothing is wrong; 1 something is wrong');
  });

  it.each([
    ['an unknown option', ['--fxi'], {}, "'--fxi'"],
    ['two directories', ['a', 'b'], {}, 'Cannot audit "b": name one directory at a time'],
    ['a directory that is not there', ['/nowhere'], {}, 'Cannot audit "/nowhere": ENOENT'],
    ['a file', [fileURLToPath(import.meta.url)], {}, 'it is no directory'],
    ['no local state', [], {}, 'npm start has kept no files there'],
    ['a variable that cannot be parsed', ['.'], { SUMDBS: 'x y z' }, 'Cannot parse SUMDBS'],
    [
      'a report that cannot be written',
      ['.', '--json', '/nowhere/x.json'],
      {},
      'Cannot write the report to "/nowhere/x.json"',
    ],
    [
      'a file of progress inside of the tree',
      [REPOSITORY, '--state', join(REPOSITORY, 'x.json')],
      {},
      'name another file with --state',
    ],
    [
      'a file of progress with another content',
      [REPOSITORY, '--state', '/etc/hostname'],
      {},
      'pass --restart to write over it',
    ],
  ])('refuses %s with exit code 2 and one line', async (_, args, variables, text) => {
    const { code, stdout, stderr } = await audit(directory, args, { SUMDBS: 'off', ...variables });
    expect(stderr).toContain(text);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('of a directory above the module files prints where they are', async () => {
    await mkdir(join(directory, 'mod', 'cache', 'download'), { recursive: true });
    const { code, stderr } = await audit(directory, [join(directory, 'mod')], { SUMDBS: 'off' });
    expect(code).toBe(2);
    expect(stderr).toContain(join(directory, 'mod', 'cache', 'download'));
  });
});

describe.each(GO_COMMANDS)('$name', ({ go }) => {
  describe.skipIf(go === '')('with an audit', () => {
    let world: World;
    let directory: string;
    beforeAll(async () => {
      world = await startWorld(go);
    });
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'modferry-audit-'));
    });
    afterEach(async () => {
      world.reset();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    });
    afterAll(() => world.close());

    const run = (args: readonly string[] = []) => audit(directory, args, world.variables);

    /** Fills the state through modferry, which has ended afterwards. */
    async function download(): Promise<void> {
      const modferry = await startFor(world, { stateDirectory: join(directory, 'state') });
      const developer = await newDeveloper(go, modferry.url, world);
      for (const query of QUERIES) succeeded(await developer.go(['mod', 'download', query]));
      await developer.close();
      await modferry.stop();
    }

    async function inBucket(change: (bucket: Bucket) => Promise<unknown>): Promise<void> {
      const modferry = await startFor(world, { stateDirectory: join(directory, 'state') });
      await change(await modferry.miniflare.getR2Bucket('FILES', 'modferry'));
      await modferry.stop();
    }

    it('of a module cache of the go command classifies every file in it', async () => {
      const tree = await moduleCache();
      const { code, report } = await run([tree]);
      expect({ code, wrong: report?.wrong, unknown: report?.unknown.named }).toEqual({
        code: 0,
        wrong: [],
        unknown: [],
      });
      expect(report?.ignored).toBeGreaterThan(0); // locks
      expect(report?.counts).toMatchObject({
        zip: { right: QUERIES.length },
        ziphash: { right: QUERIES.length },
      });

      await writeFile(
        join(tree, `${HELLO}.zip`),
        flipped(await readFile(join(tree, `${HELLO}.zip`)), 100),
      );
      const found = await run([tree]);
      expect(found.code).toBe(1);
      const [wrong] = found.report?.wrong ?? [];
      expect(wrong?.key).toBe(`${HELLO}.zip`);
      const pasted = spawn('sh', ['-c', wrong?.remedy ?? 'false']);
      await once(pasted, 'exit');
      expect((await run([tree])).code).toBe(0);
    });

    it('that was interrupted continues where it stopped, and ends in the same report', async () => {
      const tree = await moduleCache();
      await rm(join(tree, 'sumdb'), { recursive: true });
      const whole = await run([tree, '--online']);
      expect(whole.report?.counts).toMatchObject({ zip: { right: QUERIES.length } });
      await interruptAt('/lookup/gopkg.in/', [tree]);

      const resumed = await run([tree, '--online']);
      expect(resumed.stderr).toContain('Going on behind "gopkg.in/');
      expect(resumed.report).toEqual(whole.report);
      expect(world.database.count('/lookup/example.com/')).toBe(0);
    });

    /** Interrupts the audit, as Ctrl-C does, while the database does not answer this lookup. */
    async function interruptAt(lookup: string, args: readonly string[]): Promise<void> {
      world.reset();
      world.database.fault('hang', { match: lookup });
      const meanwhile = async (pid: number) => {
        await eventually(() => expect(world.database.count(lookup)).toBe(1));
        const tree = groupOf(pid);
        expect(tree.length).toBeGreaterThan(1);
        process.kill(-pid, 'SIGINT');
        await untilGone(tree);
      };
      const { code, stderr, stdout } = await audit(
        directory,
        [...args, '--online'],
        world.variables,
        meanwhile,
      );
      // With bash npm passes the exit code of the audit on; dash itself ends by the signal.
      expect([2, null]).toContain(code);
      expect(stdout).toBe('');
      expect(stderr).toContain('Interrupted: ');
      world.reset();
    }

    /** A copy of `$GOMODCACHE/cache/download` after the queries. */
    async function moduleCache(): Promise<string> {
      const developer = await newDeveloper(go, world.origins[0].url, world);
      const gosumdb = world.variables['SUMDBS'] ?? '';
      for (const query of QUERIES)
        succeeded(await developer.go(['mod', 'download', query], { gosumdb }));
      const tree = join(directory, 'download');
      await cp(join(developer.home, 'go', 'pkg', 'mod', 'cache', 'download'), tree, {
        recursive: true,
      });
      await developer.close();
      return tree;
    }

    // What lies in the bucket does not depend on the go command that asked for it.
    if (go !== NEWEST_GO) return;

    it('of the bucket that modferry filled finds nothing wrong, offline', async () => {
      await download();
      const { code, stdout, report } = await run();
      expect({ code, wrong: report?.wrong, unknown: report?.unknown.named }).toEqual({
        code: 0,
        wrong: [],
        unknown: [],
      });
      expect(report?.counts).toMatchObject({
        zip: { right: QUERIES.length, marked: 0, uncovered: 0 },
        mod: { right: expect.any(Number), uncovered: 0 },
        lookup: { uncovered: 0 },
      });
      expect(report?.counts['tile']?.['right']).toBeGreaterThan(0);
      expect(stdout).toContain('Nothing is wrong');
      expect(existsSync(join(directory, 'state', 'audit.json'))).toBe(false);
    });

    it('of a damaged bucket prints what is wrong, and after --fix modferry fetches it again', async () => {
      await download();
      const spoiled = [`${HELLO}.mod`, `${HELLO}.zip`];
      await inBucket(async (bucket) => {
        for (const key of spoiled) {
          const stored = await (await bucket.get(key))?.arrayBuffer();
          await bucket.put(
            key,
            flipped(new Uint8Array(stored ?? new ArrayBuffer(0)), key.endsWith('zip') ? 100 : 3),
          );
        }
      });

      const found = await run();
      expect(found.code).toBe(1);
      expect(found.report?.wrong.map(({ key }) => key)).toEqual(spoiled);
      for (const { expected, remedy } of found.report?.wrong ?? []) {
        expect(found.stdout).toContain(`expected  ${expected} (${world.database.name})`);
        expect(found.stdout).toContain(`remedy    ${remedy}`);
      }
      expect((await run()).code).toBe(1); // Nothing was changed.

      const fixed = await run(['--fix']);
      expect(fixed.code).toBe(1);
      expect(fixed.stdout).toContain('2 files are wrong, and removed');
      const clean = await run();
      expect({ code: clean.code, files: clean.report?.files }).toEqual({
        code: 0,
        files: (found.report?.files ?? 0) - 3, // A zip is removed with its .ziphash.
      });

      await download();
      const again = await run();
      expect({ code: again.code, files: again.report?.files }).toEqual({
        code: 0,
        files: found.report?.files,
      });
    });

    it('of a bucket can be interrupted too, and no process is left', async () => {
      await download();
      await inBucket((bucket) =>
        bucket.put('gopkg.in/yaml.v3/@v/v3.0.0.mod', Buffer.from('module gopkg.in/yaml.v3\n')),
      );
      await interruptAt('/lookup/gopkg.in/yaml.v3', []);

      const resumed = await run(['--online']);
      expect(resumed.stderr).toContain('Going on behind "gopkg.in/');
      expect(resumed.code).toBe(0);
      expect(resumed.report?.counts).toMatchObject({ zip: { right: QUERIES.length } });
    });
  });
});

interface Bucket {
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
  put(key: string, bytes: Uint8Array): Promise<unknown>;
}
