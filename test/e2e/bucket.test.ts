import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Modferry } from '../worker/modferry.ts';
import { succeeded } from './commands.ts';
import { GO_COMMANDS, newDeveloper, startFor, startWorld, type World } from './go-setup.ts';

// Queries that a tree of files can answer, without a checksum database.
const QUERIES = [
  'example.com/hello@v1.1.0',
  'example.com/dep@v1.0.0',
  'example.com/legacy@v3.0.0+incompatible',
  'gopkg.in/yaml.v2@v2.2.1',
  'github.com/Azure/Thing@v1.0.1-RC1',
];

describe.each(GO_COMMANDS)('$name', ({ go }) => {
  describe.skipIf(go === '')('with the bucket', () => {
    let world: World;
    beforeAll(async () => {
      world = await startWorld(go);
    });
    afterAll(() => world.close());

    it('copied to a directory takes it for GOPROXY=file://', async () => {
      const modferry = await startFor(world);
      const tree = await mkdtemp(join(tmpdir(), 'modferry-tree-'));
      try {
        const first = await newDeveloper(go, modferry.url, world);
        for (const query of QUERIES) succeeded(await first.go(['mod', 'download', query]));
        succeeded(await first.go(['list', '-m', '-versions', 'example.com/hello']));
        await first.close();
        await copyBucket(modferry, tree);

        const second = await newDeveloper(go, pathToFileURL(tree).href, world);
        for (const query of QUERIES) {
          const { code, stderr } = await second.go(['mod', 'download', query], { gosumdb: 'off' });
          expect({ query, code, stderr }).toEqual({ query, code: 0, stderr: '' });
        }
        const versions = await second.go(['list', '-m', '-versions', 'example.com/hello'], {
          gosumdb: 'off',
        });
        expect(succeeded(versions)).toBe('example.com/hello v0.1.0 v1.0.0 v1.1.0 v1.2.0-rc.1\n');
        await second.close();
      } finally {
        await rm(tree, { recursive: true, force: true });
        await modferry.close();
      }
    });

    it('seeded with a module cache is served from it without any origin', async () => {
      const first = await newDeveloper(go, world.origins[0].url, world);
      const direct = { gosumdb: 'off' };
      for (const query of QUERIES) succeeded(await first.go(['mod', 'download', query], direct));

      const modferry = await startFor(world);
      await seedBucket(modferry, join(first.home, 'go', 'pkg', 'mod', 'cache', 'download'));
      await first.close();
      await world.stop();
      try {
        const second = await newDeveloper(go, modferry.url, world);
        for (const query of QUERIES) {
          const { code, stderr } = await second.go(['mod', 'download', query], direct);
          expect({ query, code, stderr }).toEqual({ query, code: 0, stderr: '' });
        }
        const installed = await second.go(['install', 'example.com/hello/cmd/x@v1.1.0'], direct);
        expect(succeeded(installed)).toBe('');
        await second.close();
      } finally {
        await world.restart();
        await modferry.close();
      }
    });
  });
});

async function bucketOf({ miniflare }: Modferry) {
  return miniflare.getR2Bucket('FILES', 'modferry');
}

async function copyBucket(modferry: Modferry, directory: string): Promise<void> {
  const bucket = await bucketOf(modferry);
  for (let cursor: string | undefined; ;) {
    const page = await bucket.list(cursor ? { cursor } : {});
    for (const { key } of page.objects) {
      const object = await bucket.get(key);
      const file = join(directory, key);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0)));
    }
    if (!page.truncated) return;
    cursor = page.cursor;
  }
}

/** Stores every file as it is, locks and leftovers included, as `rclone copy` does. */
async function seedBucket(modferry: Modferry, directory: string): Promise<void> {
  const bucket = await bucketOf(modferry);
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    await bucket.put(relative(directory, file), await readFile(file));
  }
}
