import { encodeHex } from '../bytes/hex.ts';
import { sha256 } from '../bytes/sha256.ts';

/**
 * A strong validator made of the bytes: 128 bits of their SHA-256 in hexadecimal, in quotes (RFC
 * 9110 8.8.3).
 */
export function etagOf(bytes: Uint8Array): string {
  return `"${encodeHex(sha256(bytes).subarray(0, 16))}"`;
}

/**
 * A strong validator for a file whose bytes are not all known when its headers are sent. It is
 * stored with this copy of the file and given to no other one, so two files never share it, which
 * is all that a validator promises.
 */
export function newEtag(): string {
  return `"${crypto.randomUUID()}"`;
}
