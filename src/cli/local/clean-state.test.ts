import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { removeAbandoned } from './clean-state.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modferry-clean-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function write(path: string, text = 'x'): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), text);
}

async function database(path: string, statements: string): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  const opened = new DatabaseSync(join(directory, path));
  opened.exec(statements);
  opened.close();
}

const BUCKET = 'r2/miniflare-R2BucketObject/1.sqlite';
const TABLES = `
  CREATE TABLE _mf_objects (key TEXT, blob_id TEXT);
  CREATE TABLE _mf_multipart_parts (blob_id TEXT, object_key TEXT);
  INSERT INTO _mf_objects VALUES ('a', 'whole'), ('b', NULL);
  INSERT INTO _mf_multipart_parts VALUES ('part', 'b'), ('begun', NULL);`;
const there = (blob: string) => existsSync(join(directory, 'r2/FILES/blobs', blob));

it('contents that no object refers to are removed, and parts of uploads that were not completed', async () => {
  await database(BUCKET, TABLES);
  await database(
    'cache/miniflare-CacheObject/1.sqlite',
    `
    CREATE TABLE _mf_entries (key TEXT, blob_id TEXT); INSERT INTO _mf_entries VALUES ('a', 'c')`,
  );
  for (const blob of ['whole', 'part', 'begun', 'broken']) await write(`r2/FILES/blobs/${blob}`);
  for (const blob of ['c', 'whole']) await write(`cache/default/blobs/${blob}`);
  await removeAbandoned(directory);
  expect(['whole', 'part', 'begun', 'broken'].filter(there)).toEqual(['whole', 'part']);
  expect(existsSync(join(directory, 'cache/default/blobs/c'))).toBe(true);
  expect(existsSync(join(directory, 'cache/default/blobs/whole'))).toBe(false);
});

it('contents are removed where nothing was ever completed', async () => {
  await database(BUCKET, 'CREATE TABLE _mf_objects (key TEXT, blob_id TEXT)');
  await write('r2/FILES/blobs/broken');
  await removeAbandoned(directory);
  expect(there('broken')).toBe(false);
});

it('nothing is removed where the databases have other tables, or are missing', async () => {
  await write('r2/FILES/blobs/whole');
  await removeAbandoned(directory);
  await database(BUCKET, 'CREATE TABLE others (key TEXT, blob_id TEXT)');
  await removeAbandoned(directory);
  expect(there('whole')).toBe(true);
});

it.each([
  ['r2', 'x'],
  [BUCKET, 'this is no database, though it is as long as the header of one.'.repeat(20)],
])('%s that is a wrong file is an error that names it and the remedy', async (path, text) => {
  await write(path, text);
  await expect(removeAbandoned(directory)).rejects.toThrow(
    `: remove "${join(directory, 'r2')}", what was in it is fetched again`,
  );
});
