import { BadAnswer } from '../origins/origin.ts';
import type { SignedHead } from './log-memory.ts';
import { readAuthenticatedHashes } from '../tlog/tile-reader.ts';
import type { TileReading } from './tile-source.ts';
import { proveTree } from '../tlog/proof.ts';
import { equalHashes } from '../tlog/stored-hash.ts';
import { treeHash } from '../tlog/tree-hash.ts';

/**
 * A database has signed two trees that are not one log at two times. The proof is both notes, and
 * the hashes by which anybody can see that the newer tree does not begin with the older one.
 */
export class ForkedLog extends BadAnswer {
  override readonly name = 'ForkedLog';
  readonly proof: string;

  constructor(proof: string) {
    super('a tree head that is not on the timeline of the one known before: the log has forked');
    this.proof = proof;
  }
}

/**
 * Throws `ForkedLog` unless two signed tree heads are one log at two times (golang.org/x/mod/sumdb
 * checkTrees).
 */
export async function checkConsistency(
  older: SignedHead,
  newer: SignedHead,
  { readTiles, onAuthenticated }: TileReading,
): Promise<void> {
  if (older.head.size === 0) return;
  const isSameSize = older.head.size === newer.head.size;
  if (isSameSize && equalHashes(older.head.hash, newer.head.hash)) return;
  // Two hashes of one size need no further proof, and whoever shows the second one has no tiles of
  // the first.
  if (isSameSize)
    throw new ForkedLog(`${notes(older, newer)}\nBoth have ${newer.head.size} records.`);
  const read = (indexes: readonly number[]) =>
    readAuthenticatedHashes(newer.head, indexes, readTiles, onAuthenticated);
  const hash = await treeHash(older.head.size, read);
  if (equalHashes(hash, older.head.hash)) return;
  const path = await proveTree(newer.head.size, older.head.size, read);
  const proof = [
    notes(older, newer),
    `The first ${older.head.size} records of the new tree have the hash ${base64(hash)}, as these hashes prove:`,
    ...path.map(base64),
  ];
  throw new ForkedLog(proof.join('\n'));
}

function notes(older: SignedHead, newer: SignedHead): string {
  const [old, latest] = [older, newer].map(({ note }) => new TextDecoder().decode(note));
  return `Old tree head:\n${old}\nNew tree head:\n${latest}`;
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
