/**
 * Whether no other thread can change the bytes meanwhile. The types of the Web's functions ask for
 * that; it holds for all bytes that a Worker or a test has.
 */
export function isUnshared(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer;
}
