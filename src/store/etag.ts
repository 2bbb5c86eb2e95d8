import { encodeHex } from '../bytes/hex.ts';
import { sha256 } from '../bytes/sha256.ts';

/**
 * A strong validator derived from the bytes (RFC 9110 8.8.3): 128 bits of their SHA-256 in
 * hexadecimal, in quotes.
 */
export function etagOf(bytes: Uint8Array): string {
  return `"${encodeHex(sha256(bytes).subarray(0, 16))}"`;
}

/**
 * A strong validator for a large file: it is random and stored with this copy only, so no two files
 * share it, as RFC 9110 requires (docs/decisions/004).
 */
export function newEtag(): string {
  return `"${crypto.randomUUID()}"`;
}
