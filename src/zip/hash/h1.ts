// The "h1:" hash of golang.org/x/mod/sumdb/dirhash, Hash1: the SHA-256 of one line a file, sorted
// by the bytes of the name, each with the SHA-256 of the content in hex, two spaces, the name and a
// line feed.

import { encodeBase64 } from '../../bytes/base64.ts';
import type { H1 } from '../../bytes/h1.ts';
import { startSha256 } from '../../bytes/sha256.ts';

export interface Line {
  readonly name: Uint8Array;
  /** The SHA-256 of the content. */
  readonly sum: Uint8Array;
}

/** Returns the hash of `lines`, which must be sorted. */
export function hashLines(lines: Iterable<Line>): H1 {
  const hash = startSha256();
  for (const line of lines) hash.update(formatLine(line));
  return `h1:${encodeBase64(hash.digest())}`;
}

const HEX = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const SPACE = 0x20;
const LINE_FEED = 0x0a;

function formatLine({ name, sum }: Line): Uint8Array {
  const line = new Uint8Array(2 * sum.length + 2 + name.length + 1);
  let at = 0;
  for (const byte of sum) {
    line[at++] = HEX[byte >> 4] ?? 0;
    line[at++] = HEX[byte & 0xf] ?? 0;
  }
  line[at++] = SPACE;
  line[at++] = SPACE;
  line.set(name, at);
  line[line.length - 1] = LINE_FEED;
  return line;
}

/**
 * The order of names as Go sorts strings: by bytes, which for UTF-16 units would be another order.
 */
export function compareNames(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
