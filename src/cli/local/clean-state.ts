import { type Dirent } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { hasCode, messageOf } from '../terminal/message.ts';

/**
 * Where Miniflare's simulators keep what they hold. Each has a directory with databases, and beside
 * them one for each namespace, whose `blobs` are the contents. A part of an upload that was never
 * completed belongs to no object, and nobody can complete it any more.
 */
const SIMULATORS = {
  r2: {
    _mf_objects: 'SELECT blob_id FROM _mf_objects',
    _mf_multipart_parts: 'SELECT blob_id FROM _mf_multipart_parts WHERE object_key IS NOT NULL',
  },
  kv: { _mf_entries: 'SELECT blob_id FROM _mf_entries' },
  cache: { _mf_entries: 'SELECT blob_id FROM _mf_entries' },
} as const;

/**
 * Removes the contents to which nothing refers, from uploads that broke off: Miniflare keeps them
 * for ever. Nothing else may run on this directory. Rejects where a part of it cannot be read, with
 * what to do.
 */
export async function removeAbandoned(stateDirectory: string): Promise<void> {
  for (const [simulator, queries] of Object.entries(SIMULATORS)) {
    const directory = join(stateDirectory, simulator);
    try {
      await removeAbandonedOf(directory, queries);
    } catch (error) {
      const remedy = `remove ${JSON.stringify(directory)}, what was in it is fetched again`;
      throw new Error(`${messageOf(error)}: ${remedy}`, { cause: error });
    }
  }
}

type Queries = Readonly<Record<string, string>>;

async function removeAbandonedOf(directory: string, queries: Queries): Promise<void> {
  const files = await list(directory);
  const databases = files.filter(({ name }) => name.endsWith('.sqlite'));
  const known = databases.flatMap((file) => blobIds(pathOf(file), queries));
  // Without such tables the layout is that of another Miniflare.
  if (known.length === 0) return;
  const referenced = new Set(known.flat());
  const blobs = files.filter((file) => file.isFile() && /[\\/]blobs$/.test(file.parentPath));
  for (const blob of blobs) if (!referenced.has(blob.name)) await rm(pathOf(blob), { force: true });
}

/** The contents to which each of these tables refers that the database has. */
function blobIds(path: string, queries: Queries): readonly (readonly string[])[] {
  try {
    const database = new DatabaseSync(path);
    try {
      const tables = new Set(
        column(database, "SELECT name FROM sqlite_master WHERE type = 'table'"),
      );
      return Object.entries(queries).flatMap(([table, query]) =>
        tables.has(table) ? [column(database, query)] : [],
      );
    } finally {
      database.close();
    }
  } catch (error) {
    throw new Error(`cannot read ${JSON.stringify(path)} (${messageOf(error)})`, { cause: error });
  }
}

/** The texts in the only column of a query. */
function column(database: DatabaseSync, query: string): readonly string[] {
  const rows = database.prepare(query).all();
  return rows.flatMap((row) => Object.values(row).filter((value) => typeof value === 'string'));
}

function pathOf({ parentPath, name }: Dirent): string {
  return join(parentPath, name);
}

async function list(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true, recursive: true });
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
