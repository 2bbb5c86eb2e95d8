import type { Background } from '../background.ts';
import { type Clock, within } from '../clock.ts';
import type { Trace } from '../trace.ts';
import type {
  ByteRange,
  CacheStore,
  DurableStore,
  EdgeStore,
  FileToStore,
  Missing,
  StoredFile,
  Upload,
} from './contract.ts';
import { saidMissingKey, type StoreKey } from './key.ts';

/** The tiers, each of which may be absent. */
export interface Tiers {
  readonly edge?: EdgeStore;
  readonly kv?: CacheStore;
  readonly r2?: DurableStore;
}

export interface LayeredEffects {
  readonly background: Background;
  readonly trace: Trace;
  readonly clock: Clock;
  /** Told of every tier that failed. */
  readonly report: (label: string, error: unknown) => void;
}

export interface Hit {
  readonly file: StoredFile;
  readonly tier: 'edge' | 'kv' | 'r2';
}

/** Which part of a stored file is wanted, now that its size and etag are known; undefined for all of it. */
export type SelectRange = (file: { readonly size: number; readonly etag: string }) => ByteRange | undefined;

/** Milliseconds that a tier may take to answer: one that hangs is a tier that has nothing. */
const TIER_LIMIT = 5_000;

/** How long the edge is asked to remember that an origin said no. */
const SAID_MISSING_SECONDS = 30 * 86_400;

/** Larger files are not copied into the edge cache: R2 streams them as well, and a data centre has better use for the room. */
const MAX_EDGE_BYTES = 32 * 1024 * 1024;

/**
 * Edge cache, then KV, then R2, for one request. What a slow tier had is copied to the faster ones in the background.
 * A tier that fails is a tier that has nothing: it is reported, and the answer comes from the next one.
 */
export class LayeredStore {
  readonly #tiers: Tiers;
  readonly #effects: LayeredEffects;

  constructor(tiers: Tiers, effects: LayeredEffects) {
    this.#tiers = tiers;
    this.#effects = effects;
  }

  /**
   * An immutable small file (`.info`, `.mod`, a lookup, a tile): whole, from any tier. `kv` says whether KV holds its kind. */
  async findSmall(
    key: StoreKey,
    { kv, seconds }: { readonly kv: boolean; readonly seconds?: number },
  ): Promise<Hit | undefined> {
    const { edge, r2 } = this.#tiers;
    const near = await this.#read('edge', edge?.read(key));
    if (near) return { file: near, tier: 'edge' };
    const small = kv ? await this.#readWhole('kv', this.#tiers.kv?.read(key)) : undefined;
    if (small) {
      this.#write('edge', edge?.write(key, small, seconds));
      return { file: fileOf(small), tier: 'kv' };
    }
    const stored = await this.#readWhole('r2', r2?.read(key));
    if (!stored) return undefined;
    this.#write('edge', edge?.write(key, stored, seconds));
    return { file: fileOf(stored), tier: 'r2' };
  }

  /** A zip, or the part of it that `select` chooses; ranges are served by R2 alone, which reads them natively. */
  async findLarge(key: StoreKey, select?: SelectRange): Promise<Hit | undefined> {
    const { edge, r2 } = this.#tiers;
    const facts = select && (await this.#read('r2', r2?.head(key)));
    if (facts) {
      const part = await this.#read('r2', r2?.read(key, select(facts)));
      if (part) return { file: part, tier: 'r2' };
    }
    const near = await this.#read('edge', edge?.read(key));
    if (near) return { file: near, tier: 'edge' };
    const stored = await this.#read('r2', r2?.read(key));
    if (!stored) return undefined;
    // A second read of its own, not a tee: a slow client would make a tee hold the file in memory.
    if (edge && stored.size <= MAX_EDGE_BYTES) this.#write('edge', this.#copyToEdge(key));
    return { file: stored, tier: 'r2' };
  }

  /** A mutable file that is still fresh in this data centre. */
  async findFresh(key: StoreKey): Promise<Hit | undefined> {
    const file = await this.#read('edge', this.#tiers.edge?.read(key));
    return file && { file, tier: 'edge' };
  }

  /** The last good copy of a mutable file, however old. */
  async findLastGood(key: StoreKey): Promise<Hit | undefined> {
    const stored = await this.#readWhole('r2', this.#tiers.r2?.read(key));
    return stored && { file: fileOf(stored), tier: 'r2' };
  }

  /** Keeps an immutable file in every tier, for ever. Resolves when R2 has it; never rejects. */
  async keep(
    key: StoreKey,
    file: FileToStore,
    { kv, seconds }: { readonly kv: boolean; readonly seconds?: number },
  ): Promise<void> {
    const { edge, r2 } = this.#tiers;
    if (file.bytes.length <= MAX_EDGE_BYTES) this.#write('edge', edge?.write(key, file, seconds));
    if (kv) this.#write('kv', this.#tiers.kv?.write(key, file));
    await this.#guard('r2', r2?.write(key, file, 'create'));
  }

  /** Keeps a mutable file: at the edge while it is fresh, and as the last good copy, written only when it changed. */
  async keepLastGood(key: StoreKey, file: FileToStore, seconds: number): Promise<void> {
    this.#write('edge', this.#tiers.edge?.write(key, file, seconds));
    const known = await this.#guard('r2', this.#tiers.r2?.head(key));
    if (known?.etag === file.etag) return;
    await this.#guard('r2', this.#tiers.r2?.write(key, file, 'replace'));
  }

  async findMissing(key: StoreKey): Promise<Missing | undefined> {
    return this.#read('edge', this.#tiers.edge?.readMissing(key));
  }

  /** What an origin last said no to, for when nobody can be asked any more. Long, but never durable: the edge may forget. */
  async findSaidMissing(key: StoreKey): Promise<Missing | undefined> {
    return this.#read('edge', this.#tiers.edge?.readMissing(saidMissingKey(key)));
  }

  keepMissing(key: StoreKey, missing: Missing, seconds: number): void {
    this.#write('edge', this.#tiers.edge?.writeMissing(key, missing, seconds));
    this.#write('edge', this.#tiers.edge?.writeMissing(saidMissingKey(key), missing, SAID_MISSING_SECONDS));
  }

  /** Starts a streamed write to R2; undefined where there is no R2, or it fails. */
  async upload(
    key: StoreKey,
    file: { readonly etag: string; readonly size: number | undefined },
  ): Promise<Upload | undefined> {
    return this.#read('r2', this.#tiers.r2?.upload(key, file));
  }

  /** The stored bytes of a file from `offset` to its end, or undefined, also where another copy of it was stored. */
  async readFrom(
    key: StoreKey,
    offset: number,
    { size, etag }: { readonly size: number; readonly etag: string },
  ): Promise<ReadableStream<Uint8Array> | undefined> {
    const rest = await this.#read('r2', this.#tiers.r2?.read(key, { offset, length: size - offset }));
    if (!rest) return undefined;
    const body = streamOf(rest.body);
    if (rest.etag === etag) return body;
    await body.cancel();
    return undefined;
  }

  /** Every stored key that begins with `prefix`; none where R2 is absent or fails. */
  async keys(prefix: string): Promise<readonly string[]> {
    const { r2 } = this.#tiers;
    return (r2 && (await this.#read('r2', collect(r2.keys(prefix))))) ?? [];
  }

  async #copyToEdge(key: StoreKey): Promise<void> {
    const file = await this.#tiers.r2?.read(key);
    if (file) await this.#tiers.edge?.writeStream(key, file);
  }

  async #readWhole(
    tier: string,
    work: Promise<StoredFile | undefined> | undefined,
  ): Promise<FileToStore | undefined> {
    return this.#read(
      tier,
      work?.then(async (file) => file && { bytes: await bytesOf(file.body), etag: file.etag }),
    );
  }

  async #read<T>(tier: string, work: Promise<T> | undefined): Promise<T | undefined> {
    if (!work) return undefined;
    const { clock, trace } = this.#effects;
    const limited = within(clock, TIER_LIMIT, work).catch((error: unknown) => {
      work.then(dropBody, () => undefined); // it may come yet, and nobody waits for it any more
      throw error;
    });
    return this.#guard(tier, trace.measure(tier, limited));
  }

  #write(tier: string, work: Promise<void> | undefined): void {
    if (work) this.#effects.background(`write ${tier}`, work);
  }

  async #guard<T>(tier: string, work: Promise<T> | undefined): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      this.#effects.report(tier, error);
      return undefined;
    }
  }
}

/** Cancels the stream of a stored file that came too late. */
function dropBody(late: unknown): void {
  const body: unknown = typeof late === 'object' && late !== null ? Reflect.get(late, 'body') : undefined;
  if (body instanceof ReadableStream) body.cancel().catch(() => undefined);
}

function streamOf(body: StoredFile['body']): ReadableStream<Uint8Array> {
  if (!(body instanceof Uint8Array)) return body;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(body);
      controller.close();
    },
  });
}

/** A body as bytes. */
export async function bytesOf(body: StoredFile['body']): Promise<Uint8Array> {
  return body instanceof Uint8Array ? body : new Uint8Array(await new Response(body).arrayBuffer());
}

function fileOf({ bytes, etag }: FileToStore): StoredFile {
  return { body: bytes, size: bytes.length, etag };
}

async function collect(keys: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const key of keys) all.push(key);
  return all;
}
