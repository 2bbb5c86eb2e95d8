import { matches, type Patterns } from '../module/patterns.ts';
import type { Carrier } from '../mirror/carrier.ts';
import type { Found, Outcome } from '../mirror/outcome.ts';
import { LOCAL } from '../mirror/outcome.ts';
import { type Asked, serveSmallFile, type SmallFile } from '../mirror/small-file.ts';
import type { Answer } from '../origins/race/ask.ts';
import { etagOf } from '../store/etag.ts';
import { bytesOf } from '../store/guard.ts';
import { checksumKey } from '../store/key.ts';
import type { LogClient } from './log-client.ts';
import { type ChecksumRequest, checksumPath } from './request.ts';
import { FULL_WIDTH, type Tile, tileByteLength } from '../tlog/tile-path.ts';

const TEXT = 'text/plain; charset=utf-8';

export interface ProxyOptions {
  readonly carrier: Carrier;
  readonly privateModules: Patterns;
  /** The client of the request's database. */
  readonly client: LogClient;
}

/**
 * Carries a checksum database, so that GOSUMDB stays on where its own host is filtered. The go
 * command verifies every byte of it against the key that it knows; modferry does the same first, so
 * that what it keeps for ever is what the database has signed.
 */
export async function proxyChecksums(
  request: ChecksumRequest,
  { carrier, privateModules, client }: ProxyOptions,
): Promise<Outcome> {
  // The probe is answered here: the databases have no such path, and any other answer than 200 or
  // 404 stops the client.
  if (request.kind === 'supported') return empty();
  if (request.kind === 'lookup' && matches(privateModules, request.module)) {
    return {
      kind: 'refused',
      text: `${request.module} is private here: no checksum database hears of it`,
      source: LOCAL,
    };
  }
  return serveSmallFile(checksumFile(request, { carrier, client }), { carrier, cachedOnly: false });
}

/** How each kind of answer is fetched and kept. */
function checksumFile(
  request: Exclude<ChecksumRequest, { kind: 'supported' }>,
  { carrier, client }: Pick<ProxyOptions, 'carrier' | 'client'>,
): SmallFile {
  const path = checksumPath(request);
  const { name } = request.database;
  const common = { key: checksumKey(name, path), subject: `${name}/${path}`, kv: false };
  switch (request.kind) {
    case 'tree head': {
      // The client keeps the newest one it has trusted under this key: as the last good copy it is
      // the best there is.
      const ask = async () =>
        map(await client.latest(), (bytes) => ({ bytes, keep: 'near' as const }));
      return { ...common, cache: 'mutable', contentType: TEXT, ask };
    }
    case 'lookup': {
      // A record never changes, and the tree head in it stays valid while the tree grows
      // (golang.org/x/mod/sumdb).
      const ask = async () =>
        map(await client.hashes(request.module, request.version), ({ bytes }) => ({
          bytes,
          checked: 'proven',
        }));
      return { ...common, cache: 'immutable', contentType: TEXT, ask, onlyChecked: true };
    }
    case 'tile': {
      const { tile } = request;
      const contentType = tile.level === 'data' ? TEXT : 'application/octet-stream';
      const ask = async () =>
        map(await client.tile(tile), ({ bytes, isProven }) =>
          isProven ? { bytes, checked: 'proven' } : { bytes, keep: 'no' },
        );
      const derive = () => cutFromFullTile(request, carrier);
      return { ...common, cache: 'immutable', contentType, ask, derive, onlyChecked: true };
    }
    default:
      return request satisfies never;
  }
}

function map<T>(answer: Answer<T>, make: (value: T) => Asked): Answer<Asked> {
  return answer.kind === 'accepted' ? { ...answer, value: make(answer.value) } : answer;
}

/**
 * A stored full tile answers for its partial ones, which are its first hashes; the go command does
 * the same.
 */
async function cutFromFullTile(
  { database, tile }: Extract<ChecksumRequest, { kind: 'tile' }>,
  { store }: Carrier,
): ReturnType<NonNullable<SmallFile['derive']>> {
  const full: Tile = { ...tile, width: FULL_WIDTH };
  const length = tileByteLength(tile);
  if (tile.width === FULL_WIDTH || length === undefined) return undefined;
  const key = checksumKey(database.name, checksumPath({ kind: 'tile', database, tile: full }));
  const hit = await store.findSmall(key, { kv: false, checkedOnly: true });
  return (
    hit?.file.checked && { bytes: (await bytesOf(hit.file.body)).slice(0, length), tier: hit.tier }
  );
}

async function empty(): Promise<Found> {
  const body = new Uint8Array();
  return {
    kind: 'found',
    file: { body, size: 0, etag: await etagOf(body) },
    contentType: TEXT,
    cache: 'mutable',
    source: LOCAL,
  };
}
