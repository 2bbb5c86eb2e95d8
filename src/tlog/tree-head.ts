import { decodeBase64 } from '../bytes/base64.ts';
import { HASH_LENGTH } from './stored-hash.ts';

/** A log at one time: the number of its records, and the hash over all of them. */
export interface TreeHead {
  /** A safe integer, 0 for the empty tree. */
  readonly size: number;
  /** 32 bytes. */
  readonly hash: Uint8Array;
}

const FIRST_LINE = 'go.sum database tree';

/** In bytes (tlog/note.go ParseTree). */
const MAX_LENGTH = 1e6;

/**
 * Parses the text of a signed tree head, or returns undefined for any other text.
 *
 *     go.sum database tree
 *     <size, decimal>
 *     <hash, base64>
 *
 * Further lines are reserved for later versions, and ignored. Source: golang.org/x/mod/sumdb/tlog
 * ParseTree.
 */
export function parseTreeHead(text: string): TreeHead | undefined {
  if (new TextEncoder().encode(text).length > MAX_LENGTH) return undefined;
  const [first, decimal, base64, ...rest] = text.split('\n', 4);
  // The third line must have its line break.
  if (first !== FIRST_LINE || decimal === undefined || base64 === undefined || rest.length === 0)
    return undefined;
  const size = parseDecimal(decimal);
  const hash = decodeBase64(base64);
  return size !== undefined && hash?.length === HASH_LENGTH ? { size, hash } : undefined;
}

/**
 * The safe integer that `text` is the one spelling of, without a sign and without leading zeros;
 * undefined if there is none.
 */
export function parseDecimal(text: string): number | undefined {
  const value = /^(?:0|[1-9][0-9]*)$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}
