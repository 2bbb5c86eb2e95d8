import { discard } from '../store/guard.ts';
import type { RangedFile, SelectRange } from '../store/large-files.ts';
import type { Carrier } from './carrier.ts';
import { unavailable } from './messages.ts';
import type { Found, Outcome, Source } from './outcome.ts';
import { type CacheClass, EDGE_SECONDS } from './cache-policy.ts';
import { findWrong } from './prove-zip.ts';
import type { Expected } from './verification.ts';
import type { ZipFile } from './zip-file.ts';

export interface ProofOptions {
  readonly carrier: Carrier;
  /** Chooses the part of the zip that is sent. */
  readonly select?: SelectRange;
  readonly onProgress: () => void;
}

/**
 * A stored zip that nobody has checked, now that somebody wants it. Undefined when it is wrong:
 * then it is gone. Rejects when R2 fails.
 */
export async function proveStored(
  zip: ZipFile,
  expected: Expected,
  options: ProofOptions,
): Promise<Outcome | undefined> {
  const { carrier, onProgress } = options;
  const { large } = carrier.store;
  const file = await large.open(zip.key);
  if (!file) return undefined;
  if (expected.kind === 'unknown') {
    return (
      (await serveMarked(zip, file, options)) ??
      unavailable(zip.subject, expected.failures, { tier: 'r2' })
    );
  }
  if (expected.kind === 'uncovered') {
    large.copyToEdge(zip.key, { ...file, checked: 'uncovered' }, EDGE_SECONDS.uncovered);
  } else {
    const wrong = await findWrong(file, zip, { carrier, hash: expected.zip, onProgress });
    if (wrong !== undefined) {
      const hashes = { database: expected.database, expected: expected.zip, found: wrong };
      carrier.alarm({ kind: 'stored-mismatch', subject: zip.subject, hashes });
      await large.remove(zip.key, zip.mark, file.etag);
      return undefined;
    }
    await large.mark(zip.mark, expected.zip, file.etag);
  }
  const hit = await large.find(zip.key, {
    ...(options.select ? { select: options.select } : {}),
    ...(expected.kind === 'known' ? { mark: zip.mark } : {}),
  });
  if (!hit) return undefined;
  if (expected.kind === 'uncovered') return foundZip(hit.file, { tier: hit.tier }, 'uncovered');
  // The mark may not have been written; what was proven is this very file all the same.
  if (hit.file.checked || hit.file.etag === file.etag)
    return foundZip(hit.file, { tier: hit.tier }, 'immutable');
  discard(hit.file.body);
  return undefined;
}

/**
 * A stored zip whose hash no database can be asked for now, as a stale copy: if it has the hash
 * that is in the `.ziphash` beside it, as in a bucket that was copied from a module cache. Without
 * one it may be another request's fill that is not proven yet: unlike a small file it is not given
 * on trust.
 */
async function serveMarked(
  zip: ZipFile,
  file: RangedFile,
  { carrier, onProgress, select }: ProofOptions,
): Promise<Found | undefined> {
  const { large } = carrier.store;
  const mark = await large.readMark(zip.mark);
  if (
    !mark ||
    (await findWrong(file, zip, { carrier, hash: mark.hash, onProgress })) !== undefined
  ) {
    return undefined;
  }
  const hit = await large.find(zip.key, select ? { select } : {});
  if (hit?.file.etag === file.etag)
    return foundZip(hit.file, { tier: hit.tier, stale: true }, 'stale');
  if (hit) discard(hit.file.body);
  return undefined;
}

/**
 * The answer with a zip. Without `cache` what a checksum database said of it decides how long it is
 * kept.
 */
export function foundZip(file: Found['file'], source: Source, cache?: CacheClass): Found {
  const byMark = file.checked === 'uncovered' ? 'uncovered' : 'immutable';
  return { kind: 'found', file, contentType: 'application/zip', cache: cache ?? byMark, source };
}
