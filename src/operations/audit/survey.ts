import type { ListedFile } from '../../store/contract.ts';
import { listedKey } from '../../store/key.ts';
import { readWhole, type StoredTree } from '../../store/stored-tree.ts';
import type { Database } from '../../sumdb/database.ts';
import { MAX_LOOKUP_BYTES } from '../../sumdb/log/log-verifier.ts';
import { checksumPath } from '../../sumdb/request.ts';
import { openHead, type SignedHead } from '../../sumdb/log/signed-head.ts';
import { parseRecord } from '../../tlog/record.ts';
import { classify } from './audited-file.ts';

/** What is known of a tree before its files are judged. */
export interface Survey {
  readonly files: number;
  readonly bytes: number;
  /**
   * By the name of the database: every tree head in the tree that it has signed, the smallest log
   * first.
   */
  readonly heads: ReadonlyMap<string, readonly SignedHead[]>;
}

export interface SurveyOptions {
  readonly databases: readonly Database[];
  /** Called before each file; may throw to end the survey. */
  readonly onFile: () => void;
}

/**
 * Counts the files, and collects the signed tree heads. A tile or a record is proven under a tree
 * head, and a module cache of the go command has none but those in its look-ups, which come late in
 * the order of keys. So all of them are read first.
 */
export async function survey(
  tree: StoredTree,
  { databases, onFile }: SurveyOptions,
): Promise<Survey> {
  const heads = new Map(databases.map(({ name }) => [name, new Map<string, SignedHead>()]));
  let files = 0;
  let bytes = 0;
  for await (const listed of tree.list('')) {
    onFile();
    files += 1;
    bytes += listed.size;
    const found = await readHead(tree, listed, databases);
    if (found)
      heads
        .get(found.name)
        ?.set(`${found.signed.head.size} ${found.signed.head.hash.join()}`, found.signed);
  }
  return {
    files,
    bytes,
    heads: new Map([...heads].map(([name, found]) => [name, bySize(found.values())])),
  };
}

async function readHead(
  tree: StoredTree,
  { key, size }: ListedFile,
  databases: readonly Database[],
): Promise<{ readonly name: string; readonly signed: SignedHead } | undefined> {
  if (size > MAX_LOOKUP_BYTES) return undefined;
  const file = classify(key, databases);
  if (file.kind !== 'lookup' && file.kind !== 'tree head') return undefined;
  const bytes = await readWhole(tree, listedKey(key));
  const note = bytes && (file.kind === 'lookup' ? parseRecord(bytes)?.note : bytes);
  const { key: verifierKey, name } = file.database;
  const opened = note && (await openHead(note, { key: verifierKey, path: checksumPath(file) }));
  return opened?.kind === 'proven' ? { name, signed: opened.value } : undefined;
}

function bySize(heads: Iterable<SignedHead>): readonly SignedHead[] {
  return [...heads].toSorted((a, b) => a.head.size - b.head.size);
}
