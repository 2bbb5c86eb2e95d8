/**
 * A hash as go.sum, the checksum database and `.ziphash` files have it: `h1:` and a SHA-256 in
 * base64. Source: golang.org/x/mod/sumdb/dirhash Hash1.
 */
export type H1 = `h1:${string}`;

/**
 * 32 bytes are 43 digits of base64. The last digit has two bits to spare, which are 0: every hash
 * has one spelling, so that hashes can be compared as text.
 */
const H1_PATTERN = /^h1:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/** Whether `text` is exactly one such hash. */
export function isH1(text: string): text is H1 {
  return H1_PATTERN.test(text);
}
