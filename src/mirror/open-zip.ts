import type { OriginBody } from '../origins/request/body.ts';
import { BadAnswer, Mismatch } from '../origins/origin.ts';
import type { Budget, Release } from './budget.ts';
import { checkModuleZip } from '../zip/rules/check-module-zip.ts';
import { findNameOutside } from '../zip/rules/check-names.ts';
import { looksLikeZipStart, readDirectory } from '../zip/read/directory.ts';
import type { Entry } from '../zip/read/directory-header.ts';
import { MAX_ZIP_BYTES } from '../zip/rules/sizes.ts';
import { bytesSource } from '../zip/read/source.ts';
import { hashModuleZip } from './prove-zip.ts';
import { CHUNK_BYTES } from './ring.ts';
import { asMismatch, type Expected, judge, type Verdict } from './verification.ts';

/**
 * Up to here a zip is checked whole before its first byte is sent, so that a bad one costs the
 * client nothing.
 */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/** How much of a zip of undeclared length is held before it is streamed. */
const MAX_UNDECLARED_BYTES = 1024 * 1024;

export interface ZipToOpen {
  /** What every entry's name begins with. */
  readonly prefix: string;
  /** Whether it must keep the rules by which the go command unpacks it. */
  readonly rules: boolean;
  /** What its hash must be, where a checksum database has a say. */
  readonly expected?: Promise<Expected> | undefined;
}

/** A whole zip, which `release` gives the memory of back, or the start of one that is not held. */
export type OpenedZip =
  | {
      readonly kind: 'whole';
      readonly bytes: Uint8Array;
      readonly verdict: Verdict | undefined;
      readonly release: Release | undefined;
    }
  | { readonly kind: 'begun'; readonly first: Uint8Array<ArrayBuffer>; readonly body: OriginBody };

/**
 * Reads a zip if it is small enough, and checks it; of a larger one only the start. Throws
 * `BadAnswer` when it cannot be what was asked for, and `Mismatch` when the log has another one.
 */
export async function openZip(
  body: OriginBody,
  zip: ZipToOpen,
  budget: Budget,
): Promise<OpenedZip> {
  const { declared } = body;
  if (declared !== undefined && declared > MAX_ZIP_BYTES) {
    throw new BadAnswer(`a zip of ${declared} bytes, over Go's limit`);
  }
  const isSmall = declared !== undefined && declared <= MAX_BUFFERED_BYTES;
  const release = isSmall ? budget.take(declared) : undefined;
  const holds = isSmall && release !== undefined;
  try {
    const wanted = holds ? declared : declared === undefined ? MAX_UNDECLARED_BYTES : CHUNK_BYTES;
    const first = await body.start(wanted);
    if (!looksLikeZipStart(first))
      throw asMismatch(new BadAnswer('a body that is no zip'), 'zip', await zip.expected);
    if (!holds && first.length === wanted) return { kind: 'begun', first, body };
    body.checkLength(first.length);
    const expected = await zip.expected;
    const verdict = await judgeZip(first, zip, expected).catch((error: unknown) => {
      throw asMismatch(error, 'zip', expected);
    });
    await body.cancel('all of it was read');
    return { kind: 'whole', bytes: first, verdict, release };
  } catch (error) {
    release?.();
    throw error;
  }
}

/** Gives back what an opened zip holds. */
export function discardZip(opened: OpenedZip): void {
  if (opened.kind === 'whole') opened.release?.();
  else void opened.body.cancel('it is not needed');
}

async function judgeZip(
  bytes: Uint8Array,
  zip: ZipToOpen,
  expected: Expected | undefined,
): Promise<Verdict | undefined> {
  checkEnd(bytes, bytes.length, zip);
  if (!expected || expected.kind === 'unknown') return expected;
  const hashed = await hashModuleZip(bytesSource(bytes), zip);
  if (hashed.kind === 'broken') throw new BadAnswer(`a broken zip: ${hashed.reason}`);
  const verdict = judge(expected, 'zip', hashed.h1);
  if (verdict.kind === 'wrong') throw new Mismatch(verdict.hashes);
  return verdict;
}

/**
 * A zip has a directory at its end, and every name in it belongs to this version: otherwise it is
 * another file. A directory that begins before the bytes at hand (28,000 files and more) is left to
 * the hash.
 */
export function checkEnd(
  tail: Uint8Array,
  size: number,
  zip: Pick<ZipToOpen, 'prefix' | 'rules'>,
): void {
  if (size > MAX_ZIP_BYTES) throw new BadAnswer(`a zip of ${size} bytes, over Go's limit`);
  const directory = readDirectory(tail, size);
  if (directory.kind === 'broken') throw new BadAnswer(`a broken zip: ${directory.reason}`);
  if (directory.kind === 'complete') checkEntries(directory.entries, size, zip);
}

function checkEntries(
  entries: readonly Entry[],
  size: number,
  { prefix, rules }: Pick<ZipToOpen, 'prefix' | 'rules'>,
): void {
  const outside = findNameOutside(entries, prefix);
  if (outside !== undefined)
    throw new BadAnswer(`a zip with the entry ${JSON.stringify(outside)}, outside of ${prefix}`);
  const reason = rules ? checkModuleZip(entries, { prefix, size }) : undefined;
  if (reason !== undefined)
    throw new BadAnswer(`a zip that the go command does not unpack: ${reason}`);
}
