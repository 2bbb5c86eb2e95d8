/** The files of a checksum database: how each kind is fetched, and how a stored copy is checked. */
import type { Verdict } from '../mirror/expectation.ts';
import type { Source } from '../mirror/outcome.ts';
import type { DerivedFile, Fetched, FetchedFile, SmallFile } from '../mirror/small/small-file.ts';
import type { Background } from '../effects/background.ts';
import { etagOf } from '../store/etag.ts';
import { checksumKey } from '../store/key.ts';
import type { LayeredStore } from '../store/layered.ts';
import { formatTilePath, FULL_WIDTH, type Tile, tileByteLength } from '../tlog/tile-path.ts';
import type { LogAnswer, LogSource } from './log/log-answer.ts';
import type { LogClient } from './log/log-client.ts';
import { type ChecksumFileRequest, checksumPath } from './request.ts';

const TEXT = 'text/plain; charset=utf-8';

/** What the files of a request are made from. */
export interface ChecksumFileEffects {
  /** The client of the request's database. */
  readonly client: LogClient;
  readonly store: LayeredStore;
  readonly background: Background;
}

/** The file that a request asks for. */
export function checksumFile(
  request: ChecksumFileRequest,
  effects: ChecksumFileEffects,
): SmallFile {
  const { client } = effects;
  const path = checksumPath(request);
  const { name } = request.database;
  const common = { key: checksumKey(name, path), subject: `${name}/${path}`, inWorldTier: false };
  switch (request.kind) {
    case 'tree head':
      return {
        ...common,
        cache: 'mutable',
        contentType: TEXT,
        // The client itself keeps the newest head under this key, which is the best last good copy.
        fetch: async () => fetched(await client.latest(), (bytes) => ({ bytes, keep: 'near' })),
      };
    case 'lookup': {
      const { module, version } = request;
      return {
        ...common,
        // A record never changes, and the tree head in it stays valid while the tree grows
        // (golang.org/x/mod/sumdb).
        cache: 'proven',
        contentType: TEXT,
        fetch: async () =>
          fetched(await client.lookup(module, version), ({ bytes }) => ({
            bytes,
            checked: 'proven',
          })),
        verify: async (bytes) =>
          verdict((await client.proveStoredLookup(bytes, module, version)).kind === 'proven'),
      };
    }
    case 'tile':
      return { ...common, ...tileFile(request, path, effects) };
    default:
      return request satisfies never;
  }
}

function tileFile(
  { database, tile }: Extract<ChecksumFileRequest, { readonly kind: 'tile' }>,
  path: string,
  effects: ChecksumFileEffects,
): Omit<SmallFile, 'key' | 'subject' | 'inWorldTier'> {
  const { background, client, store } = effects;
  const isData = tile.level === 'data';
  // No go command asks for a part of a data tile. A full one has 255 of them, 6 MB together.
  const keep = isData && tile.width < FULL_WIDTH ? 'near' : undefined;
  let isStoredDamaged = false;
  return {
    cache: 'proven',
    contentType: isData ? TEXT : 'application/octet-stream',
    fetch: async () =>
      fetched(await client.tile(tile), (bytes) => ({ bytes, checked: 'proven', keep })),
    async verify(bytes) {
      isStoredDamaged = !(await client.isStoredTileProven(tile, bytes));
      return verdict(!isStoredDamaged);
    },
    async derive() {
      const derived = await cutFromFullTile(database.name, tile, effects);
      if (derived && isStoredDamaged) {
        const { bytes } = derived;
        const file = { bytes, etag: etagOf(bytes), checked: 'proven' } as const;
        const keeping = { inWorldTier: false, durable: 'replace' } as const;
        background('keep checksums', store.keep(checksumKey(database.name, path), file, keeping));
      }
      return derived;
    },
  };
}

function fetched<T>(
  answer: LogAnswer<T>,
  fileOf: (value: T) => Pick<FetchedFile, 'bytes' | 'checked' | 'keep'>,
): Fetched {
  if (answer.kind !== 'proven') return answer;
  return { kind: 'found', ...fileOf(answer.value), source: sourceOf(answer.source) };
}

function sourceOf(source: LogSource): Source {
  if (source.kind === 'known') return { from: 'store', tier: 'memory' };
  return { from: 'origin', origin: source.origin, effort: source.effort };
}

function verdict(isProven: boolean): Verdict {
  return isProven ? { kind: 'checked', checked: 'proven' } : { kind: 'unproven' };
}

/**
 * A stored full tile answers for its partial ones, which are its first hashes; the go command does
 * the same. How many bytes of a data tile belong to a part is in its records alone.
 */
async function cutFromFullTile(
  database: string,
  tile: Tile,
  { client, store }: ChecksumFileEffects,
): Promise<DerivedFile | undefined> {
  const length = tileByteLength(tile);
  if (tile.width === FULL_WIDTH || length === undefined) return undefined;
  const full: Tile = { ...tile, width: FULL_WIDTH };
  const key = checksumKey(database, formatTilePath(full));
  const hit = await store.findWhole(key, { inWorldTier: false, checkedOnly: true });
  if (!hit) return undefined;
  const { bytes, checked } = hit.file;
  const isProven = checked !== undefined || (await client.isStoredTileProven(full, bytes));
  return isProven ? { bytes: bytes.slice(0, length), tier: hit.tier } : undefined;
}
