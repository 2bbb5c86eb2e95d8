import { describe, expect, it } from 'vitest';
import {
  countsOf,
  databaseOf,
  databasesOf,
  fakeTree,
  type FakeTree,
  flipped,
  memoryTree,
  run,
  wrongKeys,
} from '../../../test/fakes/store/audited-tree.ts';
import { hashZip } from '../../../test/fakes/zip/dirhash.ts';
import { writeZip } from '../../../test/fakes/zip/zip-writer.ts';
import { createLog } from '../../../test/fakes/sumdb/transparency-log.ts';
import type { Ask } from '../../sumdb/log/remote-reader.ts';

const HELLO = 'example.com/hello/@v/v1.1.0';
const DB = 'sumdb/sum.example.test';
const utf8 = (text: string) => new TextEncoder().encode(text);
const audited = ({ databases, files }: FakeTree) => run(memoryTree(files), databases);
const only = (pattern: RegExp, { files }: Pick<FakeTree, 'files'>) => {
  for (const key of files.keys()) if (!pattern.test(key)) files.delete(key);
};

describe('the verdicts', () => {
  it('are right for all that the log has, offline', async () => {
    const world = fakeTree();
    const progress = await audited(world);
    expect(progress.findings).toEqual([]);
    expect(progress.unasked).toEqual({ files: 0 });
    expect(countsOf(progress)).toEqual({
      zip: { right: 9 },
      ziphash: { right: 9 },
      mod: { right: 9 },
      info: { uncovered: 9 },
      mutable: { uncovered: 12 },
      lookup: { right: 9 },
      tile: { right: 7 },
      'tree head': { right: 1 },
    });
    expect(progress.files).toBe(world.files.size);
  });

  it('are marked for zips, where the log cannot be consulted and marks are there, and uncovered where not', async () => {
    const world = fakeTree();
    only(/@v/, world);
    world.files.delete(`${HELLO}.ziphash`);
    for (const key of world.files.keys()) if (key.startsWith('sumdb/')) world.files.delete(key);
    const progress = await audited(world);
    expect(countsOf(progress)).toMatchObject({
      zip: { marked: 8, uncovered: 1 },
      ziphash: { marked: 8 },
      mod: { uncovered: 9 },
    });
    expect(progress.unasked.files).toBe(9 + 8 + 9);
    expect(progress.unasked.reason).toContain('is not stored');
    expect(progress.findings).toEqual([]);
  });

  it('ask no database about private modules, and none where there is none', async () => {
    const world = fakeTree();
    const asked: string[] = [];
    const ask: Ask = async (_, { path }) => {
      asked.push(path);
      const effort = { attempts: 1, hedged: false, breakers: {} };
      return { kind: 'failed', failures: [], effort };
    };
    only(/@v/, world);
    const progress = await run(memoryTree(world.files), world.databases, {
      private: 'example.com,github.com',
      ask,
    });
    expect(asked).toEqual([]);
    expect(progress.unasked.files).toBe(0);
    expect(countsOf(progress)).toMatchObject({ zip: { marked: 9 }, mod: { uncovered: 9 } });
    expect(countsOf(await run(memoryTree(world.files), []))).toMatchObject({ zip: { marked: 9 } });
  });

  it('come from the database itself where it may be asked', async () => {
    const world = fakeTree();
    only(/@v|latest/, world);
    for (const key of world.files.keys()) if (key.startsWith('sumdb/')) world.files.delete(key);
    const ask = databaseOf(world.log);
    const progress = await run(memoryTree(world.files), world.databases, { ask });
    expect(countsOf(progress)).toMatchObject({ zip: { right: 9 }, mod: { right: 9 } });
  });

  it('need none of the stored tiles where the database may be asked', async () => {
    const world = fakeTree();
    for (const key of world.files.keys())
      if (key.includes('/tile/8/0/') || key.includes('/tile/8/1/')) world.files.delete(key);
    const ask = databaseOf(world.log);
    const progress = await run(memoryTree(world.files), world.databases, { ask });
    expect(countsOf(progress)).toMatchObject({
      zip: { right: 9 },
      lookup: { right: 9 },
      tile: { right: 3 },
    });
    expect(progress.unasked.files).toBe(0);
  });

  it('pass over a stored tile of a wrong length where the database may be asked', async () => {
    const world = fakeTree();
    const top = `${DB}/tile/8/1/000.p/2`;
    world.files.set(top, world.files.get(top)?.slice(32) ?? new Uint8Array());
    const ask = databaseOf(world.log);
    const progress = await run(memoryTree(world.files), world.databases, { ask });
    expect(countsOf(progress)).toMatchObject({
      lookup: { right: 9 },
      tile: { right: 6, wrong: 1 },
    });
    expect(wrongKeys(progress)).toEqual([top]);
  });

  it('prove a partial tile of an older tree, under the tree head that came with it', async () => {
    const world = fakeTree();
    const old = `${DB}/tile/8/0/002.p/99`;
    for (let at = 0; at < 20; at++)
      world.log.add(`later.example/m v0.0.${at} h1:x\nlater.example/m v0.0.${at}/go.mod h1:x\n`);
    world.files.set(`${DB}/latest`, utf8(world.log.treeHead()));
    expect(countsOf(await audited(world))).toMatchObject({ tile: { right: 7 } });
    world.files.set(old, flipped(world.files.get(old), 40));
    expect(wrongKeys(await audited(world))).toEqual([old]);
  });

  it('prove a lookup under its own tree head where the tiles up to the newest one are not stored', async () => {
    const world = fakeTree();
    world.files.set(
      `${DB}/lookup/example.com/dep@v1.0.0`,
      utf8(world.log.lookup('example.com/dep', 'v1.0.0')),
    );
    for (let at = 0; at < 600; at++)
      world.log.add(`later.example/m v0.0.${at} h1:x\nlater.example/m v0.0.${at}/go.mod h1:x\n`);
    world.files.set(`${DB}/latest`, utf8(world.log.treeHead()));
    const progress = await audited(world);
    expect(countsOf(progress)).toMatchObject({
      zip: { right: 9 },
      lookup: { right: 9 },
      tile: { right: 7 },
    });
  });

  it('are uncovered for lookups and tiles that nothing stored can prove', async () => {
    const world = fakeTree();
    only(/lookup|tile\/8\/0\/001$/, world);
    const progress = await audited(world);
    expect(countsOf(progress)).toEqual({ lookup: { uncovered: 9 }, tile: { uncovered: 1 } });
    expect(progress.unasked.files).toBe(10);
  });

  it('leave alone what is of no known kind, and what the go command leaves behind', async () => {
    const world = fakeTree();
    world.files.clear();
    for (const key of [
      'README',
      'example.com/hello/@v/v1.0.0.exe',
      'example.com/hello/@v/master.zip',
      'sumdb/x',
    ]) {
      world.files.set(key, utf8('?'));
    }
    for (const name of ['v1.0.0.lock', 'v1.0.0.partial', 'v1.0.0.zip123.tmp']) {
      world.files.set(`example.com/hello/@v/${name}`, utf8(''));
    }
    world.files.set('sumdb/other.example/lookup/example.com/hello@v1.0.0', utf8('?'));
    const progress = await audited(world);
    expect(progress.unknown.named.toSorted()).toEqual([
      'README',
      'example.com/hello/@v/master.zip',
      'example.com/hello/@v/v1.0.0.exe',
      'sumdb/x',
    ]);
    expect(progress.ignored).toBe(3);
    expect(countsOf(progress)).toEqual({ lookup: { uncovered: 1 } });
    expect(progress.findings).toEqual([]);
  });
});

describe('without a log', () => {
  it('a zip that differs from its mark is wrong, and goes with it', async () => {
    const { files } = fakeTree();
    only(/hello\/@v\/v1\.1\.0\.zip/, { files });
    const tree = memoryTree(
      new Map([...files, [`${HELLO}.zip`, flipped(files.get(`${HELLO}.zip`), 100)]]),
    );
    const { findings } = await run(tree, [], { fix: true });
    expect(findings).toMatchObject([{ key: `${HELLO}.zip`, source: 'its .ziphash' }]);
    expect([...tree.files.keys()]).toEqual([]);
  });

  it('a broken zip is wrong by the rules of the go command', async () => {
    const progress = await run(memoryTree(new Map([[`${HELLO}.zip`, utf8('no zip')]])), []);
    expect(progress.findings).toMatchObject([{ expected: 'a module zip', key: `${HELLO}.zip` }]);
  });

  it('a zip that equals its mark is wrong none the less when the go command would not unpack it', async () => {
    const zip = writeZip(
      ['go.mod', 'a.go', 'A.go'].map((name) => ({
        name: `example.com/hello@v1.1.0/${name}`,
        content: '',
      })),
    );
    const files = new Map([
      [`${HELLO}.zip`, zip],
      [`${HELLO}.ziphash`, utf8(hashZip(zip))],
    ]);
    const { findings } = await run(memoryTree(files), []);
    expect(findings).toMatchObject([
      { key: `${HELLO}.zip`, found: expect.stringContaining('A.go') },
    ]);
  });

  it('a go.mod must at least be one', async () => {
    const progress = await run(memoryTree(new Map([[`${HELLO}.mod`, utf8('<html>')]])), []);
    expect(wrongKeys(progress)).toEqual([`${HELLO}.mod`]);
  });
});

describe('a log that has forked', () => {
  it('is found by its two signed tree heads, which the finding holds', async () => {
    const world = fakeTree();
    const fork = world.log.fork(500);
    for (let at = 0; at < 50; at++)
      fork.add(`forged.example/m v0.0.${at} h1:x\nforged.example/m v0.0.${at}/go.mod h1:x\n`);
    world.files.set(`${DB}/latest`, utf8(fork.treeHead()));
    const { findings } = await audited(world);
    expect(findings).toMatchObject([
      { key: `${DB}/latest`, found: expect.stringContaining('forked') },
    ]);
    expect(findings[0]?.proof).toContain(fork.treeHead());
    expect(findings[0]?.proof).toContain(world.log.treeHead());
  });

  it('is found by a look-up whose tree head is on another timeline', async () => {
    const world = fakeTree();
    const fork = world.log.fork(500);
    for (let at = 0; at < 20; at++)
      fork.add(`forged.example/m v0.0.${at} h1:x\nforged.example/m v0.0.${at}/go.mod h1:x\n`);
    const key = `${DB}/lookup/example.com/dep@v1.0.0`;
    world.files.set(key, utf8(fork.lookup('example.com/dep', 'v1.0.0')));
    const { findings } = await audited(world);
    expect(findings).toMatchObject([{ key, found: expect.stringContaining('forked') }]);
    expect(findings[0]?.proof).toContain(fork.treeHead());
    expect(findings[0]?.proof).toContain(world.log.treeHead());
  });

  it('that another key signed is wrong in each look-up and in the tree head', async () => {
    const world = fakeTree();
    const databases = databasesOf(createLog({ name: world.log.name }));
    const { findings, counts } = await run(memoryTree(world.files), databases);
    expect(findings).toHaveLength(10); // lookups, and the tree head
    expect(counts.zip.marked).toBe(9);
  });
});

it('a small file of many gigabytes is wrong without being read', async () => {
  const tree = memoryTree(new Map());
  const key = `${HELLO}.info`;
  const huge = {
    ...tree,
    list: async function* () {
      yield { key, size: 5e9 };
    },
  };
  expect(wrongKeys(await run(huge, []))).toEqual([key]);
  expect(tree.reads).toEqual([]);
});

describe('a fix', () => {
  it('removes a file that is wrong by nothing but its size', async () => {
    const list = utf8('v1.0.0\n'.repeat(2_500_000));
    const tree = memoryTree(new Map([['example.com/hello/@v/list', list]]));
    const { findings } = await run(tree, [], { fix: true });
    expect(findings).toMatchObject([{ key: 'example.com/hello/@v/list', isRemoved: true }]);
    expect([...tree.files.keys()]).toEqual([]);
  });

  it('leaves a file that was replaced or removed after it was read, and says so', async () => {
    const mods = ['v1.0.0', 'v1.1.0', 'v1.2.0'].map((v) => `example.com/hello/@v/${v}.mod`);
    const [mended = '', gone = '', wrong = ''] = mods;
    const tree = memoryTree(new Map(mods.map((key) => [key, utf8('no go.mod')])));
    const { read } = tree;
    tree.read = async (key, range) => {
      const file = await read(key, range);
      if (key === mended) tree.files.set(key, utf8('module example.com/hello\n'));
      if (key === gone) tree.files.delete(key);
      return file;
    };
    const { findings } = await run(tree, [], { fix: true });
    expect(findings.map(({ key, isRemoved }) => [key, isRemoved])).toEqual([
      [wrong, true],
      [mended, undefined],
      [gone, undefined],
    ]);
    expect([...tree.files.keys()]).toEqual([mended]);
  });
});
