import { startSha256 } from '../bytes/sha256.ts';
import type { RangedFile } from '../store/large-files.ts';
import { checkModuleZip } from '../zip/rules/check-module-zip.ts';
import { hashZip } from '../zip/hash/hash-zip.ts';
import type { ZipSource } from '../zip/read/source.ts';
import type { Carrier } from './carrier.ts';
import type { Expected } from './verification.ts';

/**
 * What hashing a zip from R2 holds at a time: two windows of the file, and what is inflated from
 * them.
 */
const PROOF_BYTES = 16 * 1024 * 1024;

/** What a check of a zip needs to know of it. */
export interface ProvableZip {
  /** What every entry's name begins with: `example.com/hello@v1.1.0/`. */
  readonly prefix: string;
}

export type Known = Extract<Expected, { kind: 'known' }>;

/**
 * The `h1:` hash of a zip that keeps Go's rules, or why there is none. Rejects when the zip cannot
 * be read.
 */
export function hashModuleZip(
  source: ZipSource,
  { prefix }: ProvableZip,
  onProgress?: () => void,
): ReturnType<typeof hashZip> {
  return hashZip(source, {
    check: (entries) => checkModuleZip(entries, { prefix, size: source.size }),
    ...(onProgress ? { onProgress } : {}),
  });
}

/**
 * Whether a stored zip has this `h1:` hash: undefined if it has, else what was found in its place.
 * Reads the file in ranges. Rejects when R2 fails.
 */
export async function findWrong(
  file: RangedFile,
  zip: ProvableZip,
  {
    carrier,
    hash,
    onProgress,
  }: { readonly carrier: Carrier; readonly hash: string; readonly onProgress: () => void },
): Promise<string | undefined> {
  const hashed = await carrier.budgets.proofs.holding(PROOF_BYTES, () =>
    hashModuleZip(file, zip, onProgress),
  );
  if (hashed.kind === 'broken') return `a broken zip: ${hashed.reason}`;
  return hashed.h1 === hash ? undefined : hashed.h1;
}

/** Bytes that are read at a time to compare two files. */
const COMPARED_BYTES = 4 * 1024 * 1024;

/** Whether the stored file has this SHA-256. */
export async function hasDigest(file: RangedFile, digest: Uint8Array): Promise<boolean> {
  const hash = startSha256();
  for (let at = 0; at < file.size; at += COMPARED_BYTES) {
    hash.update(await file.read(at, Math.min(COMPARED_BYTES, file.size - at)));
  }
  const found = hash.digest();
  return digest.every((byte, at) => byte === found[at]);
}
