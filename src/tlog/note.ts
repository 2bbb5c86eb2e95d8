/**
 * Signed notes, the form in which a checksum database says anything that it can be held to:
 *
 *     go.sum database tree
 *     31048497
 *     1XzUQLvQf8JCQyAVvAEHxZ4kzcoNYGQ2QwMq/WpOcr4=
 *
 *     — sum.golang.org Az3grrQoQwGO2S0y7NiRH9Qy3jjE…
 *
 * The text ends with the first line break of the last blank line, and that one is signed too. Below
 * the blank line each line is a signature: the em dash, the name of the signer, and in base64 four
 * bytes of the hash of its key and the signature. Several may sign; whoever is not known is passed
 * over, so that witnesses can be added without breaking anybody.
 *
 * Source: golang.org/x/mod/sumdb/note.
 */
import { decodeBase64 } from '../bytes/base64.ts';
import { hexOfUint32 } from '../bytes/hex.ts';
import { failed, type Result, success } from '../effects/result.ts';
import { isSignerName, type VerifierKey } from './verifier-key.ts';

/** What a note turned out to be. */
export type OpenedNote =
  | { readonly kind: 'verified'; readonly text: string }
  /**
   * `malformed`: no signed note. `unsigned`: one, but not by this key. `forged`: one that claims a
   * signature by this key, which is wrong.
   */
  | { readonly kind: 'malformed' | 'unsigned' | 'forged'; readonly reason: string };

/** More than that are an attempt to keep the reader busy (note.go Open). */
const MAX_SIGNATURES = 100;
const SIGNATURE_LENGTH = 64;
const KEY_HASH_LENGTH = 4;

/**
 * Opens a note that the database with this key should have signed. The text is only there when the
 * signature is right. Source: golang.org/x/mod/sumdb/note Open, with one known verifier.
 */
export async function openNote(note: Uint8Array, key: VerifierKey): Promise<OpenedNote> {
  const split = splitNote(note);
  if (!split.ok) return { kind: 'malformed', reason: split.reason };
  const { text, lines } = split.value;

  // One line after the other, as x/mod does: the first one that is wrong decides what the note is.
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
    if (isVerified) continue; // repeated: the first one counts
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
 * The text of bytes that are UTF-8 without control characters but line breaks, else undefined.
 * Encoded again, it has the same bytes. Source: note.go Open; tlog/note.go isValidRecordText.
 */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    // A byte order mark is a part of what was signed.
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

// The keys, not promises of them: workerd lets no request wait for what another one has started.
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

/** As x/mod names a key. */
function nameOf({ name, hash }: VerifierKey): string {
  return `${name}+${hexOfUint32(hash)}`;
}
