/**
 * Publishing a version. Its zip is staged where nobody reads it, checked there, and then
 *
 *     .ziphash   claims the version for this zip (claim.ts)
 *     .zip       is copied to its place
 *     .mod
 *     .info      makes the version visible, at once and whole: it is created last, and only once
 *
 * A request that is killed leaves a version that nobody sees. The same zip again completes it, and
 * another zip takes its place when the claim has expired (docs/decisions/032).
 */
import { equalBytes } from '../bytes/equal.ts';
import type { H1 } from '../bytes/h1.ts';
import { startSha256 } from '../bytes/sha256.ts';
import type { RequestContext } from '../mirror/context.ts';
import { VERIFY_BYTES } from '../mirror/large/stored-copy.ts';
import { etagOf } from '../store/etag.ts';
import type { StoreKey } from '../store/key.ts';
import type { LayeredStore } from '../store/layered.ts';
import type { RangedFile } from '../store/ranged-file.ts';
import { checkZip, type CheckedZip } from './check-zip.ts';
import { claimVersion } from './claim.ts';
import { type HostedKeys, hostedKeys, type HostedVersion, readInfo } from './hosted-version.ts';
import {
  etagOfZip,
  type IncomingZip,
  type NotStaged,
  removeOldUploads,
  stage,
  type StagedZip,
} from './stage.ts';

/** What became of a zip that somebody publishes. */
export type Publication =
  | { readonly kind: 'published'; readonly h1: H1 }
  /** The version was there with the same bytes. */
  | { readonly kind: 'unchanged'; readonly h1: H1 }
  /** The version is there with other bytes, which may be another zip of the same files. */
  | { readonly kind: 'taken'; readonly hasSameFiles: boolean }
  /** Somebody publishes other bytes just now, or was killed while they did. */
  | { readonly kind: 'held'; readonly forMs: number }
  /** The zip cannot be this version. */
  | { readonly kind: 'invalid'; readonly why: string }
  | { readonly kind: 'not staged'; readonly why: NotStaged }
  /** There is no durable tier. */
  | { readonly kind: 'no store' };

const STORE_FAILED: Publication = { kind: 'not staged', why: 'store failed' };

type Effects = Pick<RequestContext, 'background' | 'clock' | 'emit' | 'realm' | 'shared' | 'store'>;

/** Publishes a zip as a version. Never rejects. */
export async function publishVersion(
  of: HostedVersion,
  incoming: IncomingZip,
  context: Effects,
): Promise<Publication> {
  if (context.store.durableLabel === undefined) {
    await incoming.body.cancel().catch(() => undefined);
    return { kind: 'no store' };
  }
  context.background('old uploads', removeOldUploads(context));
  const staged = await stage(incoming, context);
  if (typeof staged === 'string') return { kind: 'not staged', why: staged };
  try {
    const { verifications } = context.shared.budgets;
    const checked = await verifications.holding(VERIFY_BYTES, () => checkZip(staged.file, of));
    if (!checked.ok) return { kind: 'invalid', why: checked.reason };
    return await makeVisible(of, { ...staged, ...checked.value }, context);
  } catch (error) {
    context.emit({ event: 'trouble', label: 'publish', error });
    return STORE_FAILED;
  } finally {
    await context.store.undo(staged.key);
  }
}

type Zip = StagedZip & CheckedZip;

/** Rejects when the store fails. */
async function makeVisible(
  of: HostedVersion,
  zip: Zip,
  { clock, realm }: Pick<Effects, 'clock' | 'realm'>,
): Promise<Publication> {
  const { store } = realm('hosted');
  const keys = hostedKeys(of);
  const claim = () => claimVersion(keys.ziphash, zip, { store, clock });
  const info = await readInfo(store, of);
  if (info === undefined) return STORE_FAILED;
  if (info !== 'absent') return compareZips(zip, keys, store);

  const claimed = await claim();
  if (claimed !== 'ours') return claimed === 'unknown' ? STORE_FAILED : claimed;
  const isWritten =
    (await placeZip(zip, keys.zip, store)) && (await placeMod(zip.mod, keys.mod, store));
  if (!isWritten) return STORE_FAILED;
  // A large zip may take longer than the claim counts.
  const still = await claim();
  if (still !== 'ours') return still === 'unknown' ? STORE_FAILED : still;
  if ((await store.large.open(keys.zip))?.etag !== zip.etag) return STORE_FAILED;

  const body = { Version: of.version, Time: timeOf(clock.now()) };
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const isFirst = await store.write(keys.info, { bytes, etag: etagOf(bytes) }, 'create');
  if (isFirst === undefined) return STORE_FAILED;
  return isFirst ? { kind: 'published', h1: zip.h1 } : compareZips(zip, keys, store);
}

/** What publishing a version means that is visible. */
async function compareZips(
  zip: Zip,
  keys: HostedKeys,
  store: Pick<LayeredStore, 'large'>,
): Promise<Publication> {
  const there = await store.large.open(keys.zip);
  if (!there) return STORE_FAILED;
  // In a bucket that was copied, the store has an etag of its own.
  const isSame =
    there.etag === zip.etag || (there.size === zip.file.size && (await hashOf(there)) === zip.etag);
  if (isSame) return { kind: 'unchanged', h1: zip.h1 };
  const known = await store.large.readHash(keys.ziphash);
  return { kind: 'taken', hasSameFiles: known?.hash === zip.h1 };
}

async function hashOf(file: RangedFile): Promise<string> {
  const hash = startSha256();
  await readInParts(file, async (part) => void hash.update(part));
  return etagOfZip(hash.digest());
}

/**
 * Copies the zip to its place, unless it is there. A zip of an earlier claim is removed. False when it
 * cannot be stored. Rejects when the store fails.
 */
async function placeZip(
  { etag, file }: Zip,
  key: StoreKey,
  store: Pick<LayeredStore, 'large' | 'undo'>,
): Promise<boolean> {
  const there = await store.large.open(key);
  if (there?.etag === etag) return true;
  if (there && !(await store.undo(key))) return false;
  const upload = await store.large.upload(key, { etag, size: file.size });
  if (!upload) return false;
  try {
    await readInParts(file, (part) => upload.write(part));
    return (await upload.commit()) || (await store.large.open(key))?.etag === etag;
  } catch (error) {
    await upload.abort(error);
    throw error;
  }
}

/** As `placeZip`, for the go.mod. */
async function placeMod(
  bytes: Uint8Array,
  key: StoreKey,
  store: Pick<LayeredStore, 'readOwn' | 'write'>,
): Promise<boolean> {
  const there = await store.readOwn(key);
  if (!there) return false;
  if (there.file && equalBytes(there.file.bytes, bytes)) return true;
  return (await store.write(key, { bytes, etag: etagOf(bytes) }, 'replace')) === true;
}

const PART_BYTES = 4 * 1024 * 1024;

/** Reads a file from its start to its end, in one piece of memory. */
async function readInParts(
  file: RangedFile,
  take: (part: Uint8Array) => Promise<void>,
): Promise<void> {
  let memory = new ArrayBuffer(Math.min(PART_BYTES, file.size));
  for (let offset = 0; offset < file.size;) {
    const length = Math.min(PART_BYTES, file.size - offset);
    const part = await file.readInto(offset, length, memory);
    if (part.length !== length) throw new Error(`The store sent ${part.length} bytes of ${length}`);
    await take(part);
    memory = part.buffer;
    offset += length;
  }
}

/** RFC 3339, in seconds. */
function timeOf(now: number): string {
  return new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
}
