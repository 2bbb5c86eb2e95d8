import { decodeBase64 } from '../bytes/base64.ts';
import { hexOfUint32 } from '../bytes/hex.ts';
import { sha256 } from '../bytes/sha256.ts';
import { failed, type Result, success } from '../effects/result.ts';

/** The public key of a checksum database. */
export interface VerifierKey {
  /** The name that the database signs under, such as `sum.golang.org`. */
  readonly name: string;
  /**
   * The first four bytes of the hash of name and key, as a number. A signature names its key by it.
   */
  readonly hash: number;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** The only algorithm of x/mod. */
const ED25519 = 1;
const PUBLIC_KEY_LENGTH = 32;

/**
 * Parses a verifier key, `<name>+<hash>+<key>`: the hash as eight hex digits, the key as base64 of
 * a byte for the algorithm and 32 bytes of Ed25519. A reason says what is wrong with the text and
 * what to do; it follows the words "a key that". Source: golang.org/x/mod/sumdb/note NewVerifier.
 */
export function parseVerifierKey(text: string): Result<VerifierKey> {
  if (text.startsWith('PRIVATE+KEY+')) {
    return failed(
      'is the private one, which its database alone may have: take the public key, name+hash+key',
    );
  }
  // Base64 has pluses of its own: only the first two separate.
  const [, name, hex, base64] = /^([^+]*)\+([^+]*)\+(.*)$/s.exec(text) ?? [];
  if (name === undefined || hex === undefined || base64 === undefined) {
    return failed('does not have three parts, name+hash+key');
  }
  if (!isSignerName(name))
    return failed(`has the name ${JSON.stringify(name)}, which is empty or has spaces`);
  if (!/^[0-9a-f]{8}$/i.test(hex))
    return failed(`has the hash ${JSON.stringify(hex)}, which is not 8 hex digits`);
  const key = decodeBase64(base64);
  if (!key || key.length === 0)
    return failed(`has the key ${JSON.stringify(base64)}, which is no base64`);
  const hash = keyHash(name, key);
  if (hash !== Number.parseInt(hex, 16)) {
    return failed(
      `has the hash "${hex}", but its name and key have "${hexOfUint32(hash)}": copy the whole key from its database again`,
    );
  }
  if (key[0] !== ED25519) return failed(`has the algorithm ${key[0]}: only 1, Ed25519, is known`);
  if (key.length !== 1 + PUBLIC_KEY_LENGTH) {
    return failed(`has ${key.length - 1} bytes of key, but Ed25519 has ${PUBLIC_KEY_LENGTH}`);
  }
  return success({ name, hash, publicKey: key.slice(1) });
}

/**
 * Whether `name` can sign: not empty, and without white space or a plus. Source: note.go
 * isValidName.
 */
export function isSignerName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\p{White_Space}+]/u.test(name);
}

function keyHash(name: string, key: Uint8Array): number {
  const digest = sha256(new TextEncoder().encode(`${name}\n`), key);
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
}
