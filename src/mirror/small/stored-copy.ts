/**
 * The copy of a small file in the store.
 *
 *     ready       it may be served as it is
 *     unchecked   it was never checked: a bucket that was filled without checks
 *     unproven    it was checked now, and nothing shows that it is right
 *     absent      nothing is stored, or the copy was wrong and is removed
 */
import { bytesOf } from '../../bytes/streams.ts';
import { Held } from '../../effects/held.ts';
import type { Hashes } from '../../origins/failure.ts';
import type { FileToStore } from '../../store/contract.ts';
import { etagOf } from '../../store/etag.ts';
import type { Reach } from '../../store/layered.ts';
import type { Hit } from '../../store/tiers.ts';
import { NEAR_SECONDS } from '../cache-policy.ts';
import type { RequestContext } from '../context.ts';
import { memoryDeadline } from '../memory-budget.ts';
import { missingStored } from '../messages.ts';
import type { Found, Outcome, Source } from '../outcome.ts';
import type { SmallFile } from './small-file.ts';

export type StoredCopy = ReadyCopy | UncheckedCopy | { readonly state: 'absent' };

export interface ReadyCopy {
  readonly state: 'ready';
  readonly outcome: Outcome;
}

export interface UncheckedCopy {
  readonly state: 'unchecked';
  readonly file: FileToStore;
  /** The memory of its bytes, where that was reserved. */
  readonly held: Held | undefined;
  /** Label of the tier that had it. */
  readonly tier: string;
}

/** Looks a file up in the store, negative entries included. */
export async function findStored(file: SmallFile, context: RequestContext): Promise<StoredCopy> {
  const { store } = context;
  const hit =
    file.cache === 'mutable'
      ? await store.findNear(file.key)
      : await store.find(file.key, { ...reachOf(file), checkedOnly: file.verify !== undefined });
  if (!hit) return findDerived(file);
  if (hit.kind === 'missing') return ready(missingStored(file.subject, hit));
  const { file: stored, tier } = hit;
  if (file.verify && !stored.checked) return readUnchecked(hit, context);
  return ready(found(file, stored, { from: 'store', tier }));
}

async function readUnchecked(
  { file: { body, etag, size }, tier }: Hit,
  context: RequestContext,
): Promise<StoredCopy> {
  let held: Held | undefined;
  try {
    held = body instanceof Uint8Array ? undefined : await reserve(size, context);
    return { state: 'unchecked', file: { bytes: await bytesOf(body), etag }, held, tier };
  } catch (error) {
    held?.drop();
    context.emit({ event: 'trouble', label: tier, error });
    return { state: 'absent' };
  }
}

/** Rejects when there is no memory. */
async function reserve(bytes: number, context: RequestContext): Promise<Held> {
  const { held } = context.shared.budgets;
  const reserved = await held.takeFirst([{ bytes }], memoryDeadline(context));
  if (!reserved) throw new Error(`There is no memory for a stored file of ${bytes} bytes`);
  return new Held(reserved.release);
}

/** A file that is derived from other stored ones, in place of a copy. */
export async function findDerived(
  file: SmallFile,
): Promise<ReadyCopy | { readonly state: 'absent' }> {
  const derived = await file.derive?.();
  if (!derived) return { state: 'absent' };
  const { bytes, tier } = derived;
  return ready(foundBytes(file, { bytes, etag: etagOf(bytes) }, { from: 'store', tier }));
}

/** Verifies an unchecked copy, and remembers the result. */
export async function verifyStored(
  file: SmallFile,
  { file: { bytes, etag }, held, tier }: UncheckedCopy,
  context: RequestContext,
): Promise<ReadyCopy | { readonly state: 'absent' | 'unproven' }> {
  const verdict = (await file.verify?.(bytes)) ?? { kind: 'unproven' };
  const source: Source = { from: 'store', tier };
  switch (verdict.kind) {
    case 'unproven':
      held?.drop();
      return { state: 'unproven' };
    case 'wrong':
      held?.drop();
      await removeWrong(file, verdict.hashes, context);
      return { state: 'absent' };
    case 'unknown':
      // The copy passed the checks of its time, and an outage of the database must not break
      // builds.
      return ready(
        withMemory({ ...foundBytes(file, { bytes, etag }, source), cache: 'stale' }, held),
      );
    case 'checked': {
      const { checked } = verdict;
      rememberCheck(file, { bytes, etag, checked }, context);
      return ready(withMemory(foundBytes(file, { bytes, etag, checked }, source), held));
    }
  }
}

/** Removes a stored copy that is wrong, everywhere, and reports it. */
export async function removeWrong(
  { key, subject }: SmallFile,
  hashes: Hashes,
  { emit, store }: RequestContext,
): Promise<void> {
  emit({ event: 'security', kind: 'stored-mismatch', subject, hashes });
  await store.remove(key);
}

/** Stores the result of a check beside the copy, in the tiers that may keep it. */
function rememberCheck(
  file: SmallFile,
  known: FileToStore,
  { background, store }: RequestContext,
): void {
  if (known.checked === 'uncovered') store.keepNear(file.key, known, NEAR_SECONDS.uncovered);
  else background('mark', store.keep(file.key, known, { ...reachOf(file), durable: 'replace' }));
}

function ready(outcome: Outcome): ReadyCopy {
  return { state: 'ready', outcome };
}

/** The outcome for bytes in memory. */
export function foundBytes(file: SmallFile, known: FileToStore, source: Source): Found {
  const { bytes, checked, etag } = known;
  return found(file, { body: bytes, size: bytes.length, etag, checked }, source);
}

/** The outcome with the memory of its bytes, where that was reserved. */
export function withMemory(outcome: Found, held: Held | undefined): Found {
  return held ? { ...outcome, file: { ...outcome.file, held } } : outcome;
}

/** The outcome for a stored or fetched file. */
export function found(file: SmallFile, stored: Found['file'], source: Source): Found {
  const cache = stored.checked === 'uncovered' ? 'uncovered' : file.cache;
  return { kind: 'found', file: stored, contentType: file.contentType, cache, source };
}

/** Where copies of a file are looked for, and for how long the near tier keeps one. */
export function reachOf(file: SmallFile): Reach {
  return { inWorldTier: file.inWorldTier, nearSeconds: nearSecondsOf(file) };
}

/** How long the near tier keeps a file; undefined for as long as it does. */
export function nearSecondsOf({ cache }: SmallFile): number | undefined {
  return cache === 'immutable' || cache === 'proven' ? undefined : NEAR_SECONDS[cache];
}
