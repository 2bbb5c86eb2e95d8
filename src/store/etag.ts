/**
 * A strong validator made of the bytes: 128 bits of their SHA-256 in hexadecimal, in quotes (RFC
 * 9110 8.8.3).
 */
export async function etagOf(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource));
  return `"${Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')}"`;
}

/**
 * A strong validator for a file whose bytes are not all known when its headers are sent. It is
 * stored with this copy of the file and given to no other one, so two files never share it, which
 * is all that a validator promises.
 */
export function newEtag(): string {
  return `"${crypto.randomUUID()}"`;
}
