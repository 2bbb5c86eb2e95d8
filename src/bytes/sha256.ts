/**
 * SHA-256 in native code, the only place that names `node:crypto`. WebCrypto's digest is a promise
 * a call, and a tile of the checksum database has 255 of them to compute; it also cannot take a
 * file piece by piece.
 */
import { createHash } from 'node:crypto';

export const SHA256_BYTES = 32;

/** Short parts are joined here: a call into native code costs more than the copy. */
const together = new Uint8Array(128);

/** The SHA-256 of `parts` one after the other. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  let length = 0;
  for (const part of parts) {
    if (length + part.length > together.length) {
      hash.update(together.subarray(0, length));
      hash.update(part);
      length = 0;
    } else {
      together.set(part, length);
      length += part.length;
    }
  }
  return hash.update(together.subarray(0, length)).digest();
}

/** The SHA-256 of bytes that come in pieces. */
export interface RunningSha256 {
  update(bytes: Uint8Array): unknown;
  /** An independent one with the same bytes so far. */
  copy(): RunningSha256;
  /** The hash; nothing can be added afterwards. */
  digest(): Uint8Array;
}

export function startSha256(): RunningSha256 {
  return createHash('sha256');
}
