import { encodeHex } from '../bytes/hex.ts';
import { startSha256 } from '../bytes/sha256.ts';
import { BodyReader } from '../origins/request/body-reader.ts';
import type { RequestContext } from '../mirror/context.ts';
import { newEtag } from '../store/etag.ts';
import { ownKey, type StoreKey } from '../store/key.ts';
import type { RangedFile } from '../store/ranged-file.ts';
import { MAX_ZIP_BYTES } from '../zip/rules/sizes.ts';

/** The zip that somebody sends. */
export interface IncomingZip {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Its length in bytes, where that was declared. */
  readonly declaredBytes: number | undefined;
}

/** A zip in a place where nobody reads it. */
export interface StagedZip {
  readonly key: StoreKey;
  readonly file: RangedFile;
  /** The etag that it gets where it is read: the SHA-256 of its bytes. */
  readonly etag: string;
}

/** Why a zip is not staged. */
export type NotStaged = 'broken off' | 'too large' | 'store failed';

/** Small reads cost more CPU than what is done with them. */
const PART_BYTES = 1024 * 1024;

/** A client that sends nothing for so long is gone. */
const STALL_MS = 60_000;

/** Streams a zip to a place of its own, where it is checked. Never rejects. */
export async function stage(
  { body, declaredBytes }: IncomingZip,
  { clock, emit, store }: Pick<RequestContext, 'clock' | 'emit' | 'store'>,
): Promise<StagedZip | NotStaged> {
  const key = ownKey(`uploads/${clock.now()}-${crypto.randomUUID()}`);
  const reader = new BodyReader({ body }, { clock, stallMs: STALL_MS });
  const end = async (why: NotStaged) => {
    await reader.cancel(why);
    return why;
  };
  if (declaredBytes !== undefined && declaredBytes > MAX_ZIP_BYTES) return end('too large');
  const upload = await store.large.upload(key, { etag: newEtag(), size: declaredBytes });
  if (!upload) return end('store failed');
  const hash = startSha256();
  let why: NotStaged = 'broken off';
  try {
    let memory = new ArrayBuffer(PART_BYTES);
    for (let isWhole = false; !isWhole;) {
      why = 'broken off';
      const part = await reader.fill(memory);
      isWhole = part.length < PART_BYTES;
      if (isWhole && declaredBytes !== undefined && reader.bytes !== declaredBytes)
        throw new Error(`The body has ${reader.bytes} bytes where ${declaredBytes} are declared`);
      why = 'too large';
      if (reader.bytes > MAX_ZIP_BYTES)
        throw new RangeError(`The body has more than ${MAX_ZIP_BYTES} bytes`);
      why = 'store failed';
      hash.update(part);
      if (part.length > 0) await upload.write(part);
      memory = part.buffer;
    }
    await upload.commit();
    const file = await store.large.open(key);
    return file ? { key, file, etag: etagOfZip(hash.digest()) } : 'store failed';
  } catch (error) {
    await upload.abort(error);
    if (why === 'store failed') emit({ event: 'trouble', label: 'publish', error });
    return end(why);
  }
}

/** The strong validator of a hosted zip, from the SHA-256 of its bytes. */
export function etagOfZip(sha256: Uint8Array): string {
  return `"${encodeHex(sha256)}"`;
}

/** An upload that is older than this was broken off: no request lasts as long. */
const OLD_MS = 86_400_000;

/** Removes what killed requests have left. */
export async function removeOldUploads({
  clock,
  store,
}: Pick<RequestContext, 'clock' | 'store'>): Promise<void> {
  const prefix = ownKey('uploads/');
  const old = (await store.list(prefix)).flatMap(({ key }) => {
    const name = key.slice(prefix.length);
    const startedAt = Number.parseInt(name, 10);
    return clock.now() - startedAt > OLD_MS ? [ownKey(`uploads/${name}`)] : [];
  });
  if (old.length > 0) await store.undo(...old);
}
