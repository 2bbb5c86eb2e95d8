/**
 * Signed notes: the form of everything that a checksum database signs.
 *
 *     go.sum database tree
 *     31048497
 *     1XzUQLvQf8JCQyAVvAEHxZ4kzcoNYGQ2QwMq/WpOcr4=
 *
 *     — sum.golang.org Az3grrQoQwGO2S0y7NiRH9Qy3jjE…
 *
 * The text ends with the line break before the last blank line, and that line break is signed too.
 * Below the blank line each line is a signature: an em dash, the name of the signer, and in base64
 * four bytes of the hash of its key followed by the signature. A note may have several signatures.
 * Those by unknown keys are skipped, so that witnesses can be added without breaking clients.
 *
 * Source: golang.org/x/mod/sumdb/note.
 */
import { decodeBase64 } from '../bytes/base64.ts';
import { hexOfUint32 } from '../bytes/hex.ts';
import { failed, type Result, success } from '../effects/result.ts';
import { isSignerName, type VerifierKey } from './verifier-key.ts';

/** The outcome of checking a note. */
export type OpenedNote =
  | { readonly kind: 'verified'; readonly text: string }
  /**
   * `malformed`: not a signed note. `unsigned`: a note without a signature by this key. `forged`: a
   * note with a wrong signature under the name and hash of this key.
   */
  | { readonly kind: 'malformed' | 'unsigned' | 'forged'; readonly reason: string };

/** A limit on the work that a hostile note can cause (note.go Open). */
const MAX_SIGNATURES = 100;
const SIGNATURE_LENGTH = 64;
const KEY_HASH_LENGTH = 4;

/**
 * Checks that a note is signed with this key. Only a verified note has a text in the outcome.
 * Source: golang.org/x/mod/sumdb/note Open, with one known verifier.
 */
export async function openNote(note: Uint8Array, key: VerifierKey): Promise<OpenedNote> {
  const split = splitNote(note);
  if (!split.ok) return { kind: 'malformed', reason: split.reason };
  const { text, lines } = split.value;

  // In the order of the lines, as in x/mod: the first wrong line decides the outcome.
  let isVerified = false;
  for (const [at, line] of lines.entries()) {
    const signature = parseSignature(line);
    if (!signature)
      return {
        kind: 'malformed',
        reason: `a note with the signature line ${JSON.stringify(line.slice(0, 80))}`,
      };
    if (at >= MAX_SIGNATURES) {
      return { kind: 'malformed', reason: `a note with more than ${MAX_SIGNATURES} signatures` };
    }
    if (signature.name !== key.name || signature.hash !== key.hash) continue;
    if (isVerified) continue; // only the first signature by a key is checked
    if (!(await verifies(text, signature.bytes, key))) {
      return { kind: 'forged', reason: `a note with a wrong signature by ${nameOf(key)}` };
    }
    isVerified = true;
  }
  if (!isVerified)
    return { kind: 'unsigned', reason: `a note without a signature by ${nameOf(key)}` };
  return { kind: 'verified', text };
}

/** The text and the signature lines of a note, or why it is none. */
function splitNote(
  note: Uint8Array,
): Result<{ readonly text: string; readonly lines: readonly string[] }> {
  const whole = decodeText(note);
  if (whole === undefined) return failed('a note that is no UTF-8 or has control characters');
  const end = whole.lastIndexOf('\n\n');
  if (end < 0) return failed('a note without a blank line');
  const signatures = whole.slice(end + 2);
  if (!signatures.endsWith('\n')) return failed('a note that does not end in signature lines');
  return success({ text: whole.slice(0, end + 1), lines: signatures.slice(0, -1).split('\n') });
}

/**
 * The text of bytes that are UTF-8 and have no control characters but line breaks, else undefined.
 * Encoded again, the text has the same bytes. Source: note.go Open; tlog/note.go isValidRecordText.
 */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    // A byte order mark is part of the signed text.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    // oxlint-disable-next-line no-control-regex
    return /[\0-\t\v-\x1f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

interface Signature {
  readonly name: string;
  readonly hash: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** `— <name> <base64>` */
function parseSignature(line: string): Signature | undefined {
  const [, name, base64] = /^\u2014 ([^ ]*) (.*)$/s.exec(line) ?? [];
  const bytes = base64 === undefined ? undefined : decodeBase64(base64);
  if (name === undefined || !isSignerName(name) || !bytes || bytes.length <= KEY_HASH_LENGTH)
    return undefined;
  const hash = new DataView(bytes.buffer).getUint32(0);
  return { name, hash, bytes: bytes.slice(KEY_HASH_LENGTH) };
}

// The keys and not promises of them: in workerd a request cannot wait for work of another request.
const imported = new WeakMap<VerifierKey, CryptoKey>();

async function verifies(
  text: string,
  signature: Uint8Array<ArrayBuffer>,
  key: VerifierKey,
): Promise<boolean> {
  if (signature.length !== SIGNATURE_LENGTH) return false;
  let cryptoKey = imported.get(key);
  if (!cryptoKey) {
    const raw = new Uint8Array(key.publicKey);
    cryptoKey = await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']);
    imported.set(key, cryptoKey);
  }
  return crypto.subtle.verify('Ed25519', cryptoKey, signature, new TextEncoder().encode(text));
}

/** The form in which x/mod names a key. */
function nameOf({ name, hash }: VerifierKey): string {
  return `${name}+${hexOfUint32(hash)}`;
}
