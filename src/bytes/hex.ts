/** Two digits a byte, in lower case. */
export function encodeHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The eight digits of a 32-bit number, in lower case: a CRC-32, the hash of a verifier key. */
export function hexOfUint32(value: number): string {
  return value.toString(16).padStart(8, '0');
}
