import { bytesOf } from '../bytes/streams.ts';
import type { RequestContext } from './context.ts';
import type { LargeFile } from './large/large-file.ts';
import { compareCopy } from './large/stored-copy.ts';
import { fill, type MirroredFile } from './serve.ts';
import type { SmallFile } from './small/small-file.ts';
import { removeWrong } from './small/stored-copy.ts';

/** The result of checking a stored file again; `unknown` where there was nothing to compare. */
export type Rechecked = 'right' | 'wrong' | 'unknown' | 'absent';

/**
 * Compares the durable copy of a file with its expected hash, whatever was found before. A wrong
 * one is removed in every data centre, reported, and fetched again. Rejects when the store cannot
 * be read.
 */
export async function recheck(file: MirroredFile, context: RequestContext): Promise<Rechecked> {
  const result =
    file.size === 'small'
      ? await recheckSmall(file.file, context)
      : await recheckLarge(file.file, context);
  if (result === 'wrong') await fill(file, context);
  return result;
}

async function recheckSmall(file: SmallFile, context: RequestContext): Promise<Rechecked> {
  const hit = await context.store.findDurable(file.key);
  if (!hit) return 'absent';
  const verdict = await file.verify?.(await bytesOf(hit.file.body));
  if (verdict?.kind === 'checked') return verdict.checked === 'uncovered' ? 'unknown' : 'right';
  if (verdict?.kind !== 'wrong') return 'unknown';
  await removeWrong(file, verdict.hashes, context);
  return 'wrong';
}

async function recheckLarge(file: LargeFile, context: RequestContext): Promise<Rechecked> {
  const stored = await context.store.large.open(file.key);
  if (!stored) return 'absent';
  const expected = await file.expect?.();
  if (expected?.kind !== 'known') return 'unknown';
  const job = { file, context, leader: undefined, hasClient: false };
  return (await compareCopy(job, stored, expected)) ? 'right' : 'wrong';
}
