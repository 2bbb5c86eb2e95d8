import type { Database } from '../../sumdb/database.ts';
import { openNote } from '../../tlog/note.ts';
import { parseRecord } from '../../tlog/record.ts';
import { parseTreeHead } from '../../tlog/tree-head.ts';
import type { SignedHead } from '../../sumdb/log-memory.ts';
import { classify } from './audited-file.ts';
import type { AuditedTree, ListedFile } from './tree.ts';

/** A record of a few lines and a signed tree head, in bytes and generously. */
export const MAX_LOOKUP_BYTES = 64 * 1024;

/** What is known of a tree before any of its files is judged. */
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
 * head, and a module cache of the go command has none but those in its lookups, which come late in
 * the order of keys. So they are read first, whatever is judged first.
 */
export async function survey(
  tree: AuditedTree,
  { databases, onFile }: SurveyOptions,
): Promise<Survey> {
  const heads = new Map(databases.map(({ name }) => [name, new Map<string, SignedHead>()]));
  let files = 0;
  let bytes = 0;
  for await (const listed of tree.list()) {
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
  tree: AuditedTree,
  { key, size }: ListedFile,
  databases: readonly Database[],
): Promise<{ readonly name: string; readonly signed: SignedHead } | undefined> {
  if (!key.startsWith('sumdb/') || size > MAX_LOOKUP_BYTES) return undefined;
  const file = classify(key, databases);
  if (file.kind !== 'lookup' && file.kind !== 'tree head') return undefined;
  const bytes = await tree.read(key);
  const note = bytes && (file.kind === 'lookup' ? parseRecord(bytes)?.note : bytes);
  const signed = note && (await openHead(note, file.database));
  return signed && { name: file.database.name, signed };
}

/** The tree head in a note, if the database has signed it. */
export async function openHead(
  note: Uint8Array,
  { key }: Database,
): Promise<SignedHead | undefined> {
  const opened = await openNote(note, key);
  const head = opened.kind === 'verified' ? parseTreeHead(opened.text) : undefined;
  return head && { head, note };
}

function bySize(heads: Iterable<SignedHead>): readonly SignedHead[] {
  return [...heads].toSorted((a, b) => a.head.size - b.head.size);
}
