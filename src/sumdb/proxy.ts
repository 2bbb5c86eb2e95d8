import { matches, type Patterns } from '../access/patterns.ts';
import type { Carrier } from '../goproxy/carrier.ts';
import type { Found, Outcome } from '../goproxy/outcome.ts';
import { LOCAL } from '../goproxy/outcome.ts';
import { serveSmallFile, type SmallFile } from '../goproxy/small-file.ts';
import { BadAnswer } from '../origins/origin.ts';
import { etagOf } from '../store/etag.ts';
import { checksumKey } from '../store/key.ts';
import { bytesOf } from '../store/layered.ts';
import { type ChecksumRequest, checksumPath } from './request.ts';
import { FULL_WIDTH, type Tile, tileByteLength } from './tile-path.ts';

const TEXT = 'text/plain; charset=utf-8';

/** A lookup is a record of a few lines and a tree head; a data tile holds 256 records. Both in bytes, generously. */
const MAX_LOOKUP = 64 * 1024;
const MAX_TILE = 4 * 1024 * 1024;

/**
 * Carries a checksum database, so that GOSUMDB stays on where its own host is filtered. The go command verifies every
 * byte of it against the key that it knows; what is checked here keeps pages and cut-off bodies out of the store.
 */
export async function proxyChecksums(
  request: ChecksumRequest,
  { carrier, privateModules }: { readonly carrier: Carrier; readonly privateModules: Patterns },
): Promise<Outcome> {
  // The probe is answered here: the databases have no such path, and any other answer than 200 or 404 stops the client.
  if (request.kind === 'supported') return empty();
  if (request.kind === 'lookup' && matches(privateModules, request.module)) {
    return {
      kind: 'refused',
      text: `${request.module} is private here: no checksum database hears of it`,
      source: LOCAL,
    };
  }
  return serveSmallFile(checksumFile(request, carrier), request.database.origins, {
    carrier,
    cachedOnly: false,
  });
}

/** How each kind of answer is fetched, checked and kept. */
function checksumFile(request: Exclude<ChecksumRequest, { kind: 'supported' }>, carrier: Carrier): SmallFile {
  const path = checksumPath(request);
  const { name } = request.database;
  const common = { key: checksumKey(name, path), path: `/${path}`, subject: `${name}/${path}`, kv: false };
  switch (request.kind) {
    case 'tree head':
      return { ...common, cache: 'mutable', contentType: TEXT, limit: MAX_LOOKUP, check: checkTreeHead };
    case 'lookup': {
      const record = `${request.module} ${request.version} h1:`;
      const check = (bytes: Uint8Array) => checkLookup(bytes, record, name);
      // A record never changes, and the tree head in it stays valid while the tree grows (golang.org/x/mod/sumdb).
      return { ...common, cache: 'immutable', contentType: TEXT, limit: MAX_LOOKUP, check };
    }
    case 'tile': {
      const { tile } = request;
      const contentType = tile.level === 'data' ? TEXT : 'application/octet-stream';
      const check = (bytes: Uint8Array) => checkTile(bytes, tile);
      const derive = () => cutFromFullTile(request, carrier);
      return { ...common, cache: 'immutable', contentType, limit: MAX_TILE, check, derive };
    }
    default:
      return request satisfies never;
  }
}

/** A stored full tile answers for its partial ones, which are its first hashes; the go command does the same. */
async function cutFromFullTile(
  { database, tile }: Extract<ChecksumRequest, { kind: 'tile' }>,
  { store }: Carrier,
): ReturnType<NonNullable<SmallFile['derive']>> {
  const full: Tile = { ...tile, width: FULL_WIDTH };
  const length = tileByteLength(tile);
  if (tile.width === FULL_WIDTH || length === undefined) return undefined;
  const key = checksumKey(database.name, checksumPath({ kind: 'tile', database, tile: full }));
  const hit = await store.findSmall(key, { kv: false });
  return hit && { bytes: (await bytesOf(hit.file.body)).slice(0, length), tier: hit.tier };
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

function checkTreeHead(bytes: Uint8Array): void {
  if (!text(bytes).startsWith('go.sum database tree\n')) throw new BadAnswer('a body that is no tree head');
}

/** A record, and below it a tree head that the database `name` has signed (golang.org/x/mod/sumdb/note). */
function checkLookup(bytes: Uint8Array, record: string, name: string): void {
  const body = text(bytes);
  const [head = '', tree = ''] = body.split('\n\ngo.sum database tree\n');
  const isSigned = tree.includes(`\n\n\u2014 ${name} `) && tree.endsWith('\n');
  if (!/^\d+\n/.test(head) || !head.includes(`\n${record}`) || !isSigned) {
    throw new BadAnswer('a body that is no record of this version');
  }
}

function checkTile(bytes: Uint8Array, tile: Tile): void {
  const length = tileByteLength(tile);
  if (length !== undefined && bytes.length !== length) {
    throw new BadAnswer(`a tile of ${bytes.length} bytes instead of ${length}`);
  }
  if (length === undefined && /^\s*</.test(text(bytes))) throw new BadAnswer('an HTML page');
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
