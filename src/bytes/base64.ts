/**
 * The bytes of a standard, padded base64 text, or undefined if it is none. `atob` also takes spaces
 * and lacking padding, which Go's decoder does not; line breaks inside, which Go skips, are
 * refused: nothing that is signed has any.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/**
 * The padded base64 text of a hash or a key; not for bodies, as each byte becomes an argument of a
 * call.
 */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
