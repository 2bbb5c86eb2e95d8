import { existsSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { failed, type Result, success } from '../../effects/result.ts';
import type { Finding } from '../../operations/audit/verdict.ts';
import { directoryStore } from '../../platform/node/directory-store.ts';
import type { StoredTree } from '../../store/stored-tree.ts';
import { openLocalBucket } from '../local/bucket-store.ts';
import { messageOf, shellWord } from '../terminal/message.ts';

/** A tree to be audited. */
export interface OpenTree {
  /** As the report calls it. */
  readonly name: string;
  readonly tree: StoredTree;
  /** A command to paste that removes the files of a finding. */
  readonly remedy: (finding: Finding) => string;
  close(): Promise<void>;
}

/** Opens the bucket of the local run. Fails where there is none. */
export async function openBucketTree(stateDirectory: string): Promise<Result<OpenTree>> {
  const bucket = await openLocalBucket(stateDirectory);
  if (!bucket.ok) {
    return failed(`Cannot audit STATE_DIR ${JSON.stringify(stateDirectory)}: ${bucket.reason}`);
  }
  const remedy = () => `STATE_DIR=${shellWord(stateDirectory)} npm run audit -- --fix`;
  return success({ name: `the bucket in ${stateDirectory}`, remedy, ...bucket.value });
}

/** Opens a directory. Fails when it cannot be audited, or `stateFile` is in it. */
export async function openDirectoryTree(
  directory: string,
  stateFile: string,
): Promise<Result<OpenTree>> {
  const found = await findDirectory(directory);
  if (!found.ok) return failed(`Cannot audit ${JSON.stringify(directory)}: ${found.reason}`);
  const root = found.value;
  if (!relative(root, stateFile).startsWith(`..${sep}`)) {
    return failed(
      `Cannot keep the progress in ${JSON.stringify(stateFile)}: it is in the audited directory, name another file with --state`,
    );
  }
  return success({
    name: root,
    tree: directoryStore(root),
    remedy: ({ removes }) =>
      `rm -f -- ${removes.map((key) => shellWord(join(root, key))).join(' ')}`,
    close: async () => {},
  });
}

/** The path without links. Fails when it is no directory, or the files are in one below it. */
async function findDirectory(directory: string): Promise<Result<string>> {
  let path: string;
  try {
    path = await realpath(directory);
    if (!(await stat(path)).isDirectory()) return failed('it is no directory');
  } catch (error) {
    return failed(messageOf(error));
  }
  const inner = ['cache/download', 'pkg/mod/cache/download', 'download']
    .map((below) => join(path, below))
    .find(existsSync);
  if (inner === undefined) return success(path);
  return failed(`its module files are in ${inner}, name that directory`);
}
