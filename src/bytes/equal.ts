/**
 * Whether two sequences of bytes are the same. It takes less time when they differ early, so it is
 * not for secrets.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
