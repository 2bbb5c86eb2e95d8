import { describe, expect, it } from 'vitest';
import { fakeTree, flipped, memoryTree, run } from '../../../test/fakes/store/audited-tree.ts';
import type { StoredTree } from '../../store/stored-tree.ts';
import type { Progress } from './progress.ts';
import { startProgress } from './progress.ts';

const HELLO = 'example.com/hello/@v/v1.1.0';

function spoiledTree() {
  const world = fakeTree();
  for (const key of [
    `${HELLO}.zip`,
    `${HELLO}.mod`,
    'example.com/dep/@v/v1.0.0.ziphash',
    'github.com/!azure/!thing/@v/v1.0.0.zip',
  ]) {
    world.files.set(key, flipped(world.files.get(key), key.endsWith('.zip') ? 100 : 12));
  }
  world.files.set('README', new Uint8Array(3));
  return world;
}

/** As the progress is after it was written down and read again. */
const reread = (progress: Progress): Progress => structuredClone(progress);

describe('an audit that is interrupted', () => {
  it('after any file goes on, gives the report of an audit in one, and hashes no file twice', async () => {
    const { databases, files } = spoiledTree();
    const whole = await run(memoryTree(files), databases);
    const total = files.size;
    // Every file of the first modules, among them each pair of a zip and its mark; then every
    // fifth.
    for (let stopAfter = 0; stopAfter <= total; stopAfter += stopAfter < 16 ? 1 : 5) {
      const tree = memoryTree(files);
      const stopped = new AbortController();
      const first = await run(tree, databases, {
        signal: stopped.signal,
        onStep: ({ files }) => {
          if (files === stopAfter) stopped.abort();
        },
      });
      expect(first.files).toBeGreaterThanOrEqual(Math.min(stopAfter, total));
      const second = await run(tree, databases, { progress: reread(first) });
      expect(second).toEqual(whole);
      expect(tree.opened).toEqual([...new Set(tree.opened)]);
      const mods = tree.reads.filter((key) => key.endsWith('.mod'));
      expect(mods).toEqual([...new Set(mods)]);
    }
  });

  it('removes nothing before every file was read', async () => {
    const { databases, files } = spoiledTree();
    const tree = memoryTree(files);
    const stopped = new AbortController();
    const first = await run(tree, databases, {
      fix: true,
      signal: stopped.signal,
      onStep: ({ files }) => {
        if (files === 40) stopped.abort();
      },
    });
    expect(first.findings.length).toBeGreaterThan(0);
    expect(tree.files.size).toBe(files.size);
    await run(tree, databases, { fix: true, progress: reread(first) });
    expect(tree.files.size).toBe(files.size - 6);
  });

  it('while a database is asked does not judge the file at hand', async () => {
    const { databases, files } = fakeTree();
    for (const key of files.keys()) if (key.startsWith('sumdb/')) files.delete(key);
    const stopped = new AbortController();
    const progress = await run(memoryTree(files), databases, {
      signal: stopped.signal,
      async ask() {
        stopped.abort();
        const effort = { attempts: 1, hedged: false, breakers: {} };
        return { kind: 'failed', failures: [], effort };
      },
    });
    expect(progress.last).toBe('example.com/dep/@v/v1.0.0.info');
    expect(progress.unasked.files).toBe(0);
  });

  it('in the middle of a zip has not done it', async () => {
    const { databases, files } = fakeTree();
    const tree = memoryTree(files);
    const stopped = new AbortController();
    const slow: StoredTree = {
      ...tree,
      async head(key) {
        stopped.abort();
        return tree.head(key);
      },
    };
    const progress = await run(slow, databases, { signal: stopped.signal });
    expect(progress.last).toBe('example.com/dep/@v/v1.0.0.mod');
    expect(progress.counts.zip).toEqual({ right: 0, marked: 0, uncovered: 0, wrong: 0 });
  });
});

describe('the progress', () => {
  it('is saved every three seconds, and true each time', async () => {
    const { databases, files } = fakeTree();
    const saved: Progress[] = [];
    let now = 0;
    await run(memoryTree(files), databases, {
      clock: { now: () => (now += 100) },
      save: async (progress) => void saved.push(reread(progress)),
    });
    expect(saved.length).toBe(Math.floor(files.size / 31) + 1 + (files.size % 31 > 31 ? 1 : 0));
    for (const progress of saved) {
      const judged = Object.values(progress.counts).flatMap((row) => Object.values(row));
      const marksAhead =
        progress.judgedMark !== undefined && progress.last !== progress.judgedMark ? 1 : 0;
      expect(judged.reduce((sum, count) => sum + count, 0)).toBe(progress.files + marksAhead);
    }
  });

  it('is where to go on from when the tree cannot be read', async () => {
    const { databases, files } = fakeTree();
    const tree = memoryTree(files);
    const progress = startProgress('test');
    const broken: StoredTree = {
      ...tree,
      async read(key, range) {
        if (key === `${HELLO}.mod`) throw new Error('EIO');
        return tree.read(key, range);
      },
    };
    await expect(run(broken, databases, { progress })).rejects.toThrow('EIO');
    expect(progress.last).toBe(`${HELLO}.info`);
    await run(tree, databases, { progress });
    expect(progress).toEqual({ ...(await run(memoryTree(files), databases)), subject: 'test' });
  });
});
