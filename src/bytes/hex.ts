/** Two digits a byte, in lower case. */
export function encodeHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The bytes of such a text, which has digits alone and an even number of them. */
export function decodeHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** The eight digits of a 32-bit number, in lower case: a CRC-32, the hash of a verifier key. */
export function hexOfUint32(value: number): string {
  return value.toString(16).padStart(8, '0');
}
