import { openNote } from '../../tlog/note.ts';
import { parseTreeHead, type TreeHead } from '../../tlog/tree-head.ts';
import type { VerifierKey } from '../../tlog/verifier-key.ts';
import { forged, type Proof, proven, refuted } from './proof.ts';

/** A tree head, and the note in which the database signed it. */
export interface SignedHead {
  readonly head: TreeHead;
  readonly note: Uint8Array;
}

/**
 * Opens a tree head that the database with this key should have signed. `path` is that of the
 * answer which the note is from.
 */
export async function openHead(
  note: Uint8Array,
  { key, path }: { readonly key: VerifierKey; readonly path: string },
): Promise<Proof<SignedHead>> {
  const opened = await openNote(note, key);
  if (opened.kind === 'malformed') return refuted(`no signed tree head: ${opened.reason}`);
  if (opened.kind !== 'verified') return forged(path, opened.reason);
  const head = parseTreeHead(opened.text);
  return head ? proven({ head, note }) : refuted('a signed note that is no tree head');
}

/** Two tree heads by the sizes of their trees; of the same size, `seen` comes first. */
export function inOrder(
  known: SignedHead,
  seen: SignedHead,
): readonly [older: SignedHead, newer: SignedHead] {
  return seen.head.size > known.head.size ? [known, seen] : [seen, known];
}
