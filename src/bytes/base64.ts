/**
 * The bytes of a standard, padded base64 text, or undefined if `text` is none. `atob` also accepts
 * spaces and missing padding, which Go's decoder refuses. Line breaks inside, which Go skips, are
 * refused here: nothing that is signed has any.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/**
 * The padded base64 text of a few bytes: a hash, a key, a name with its password. Not for bodies,
 * as each byte becomes an argument of a call.
 */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
