import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asInWorkerd } from '../../../src/platform/node/fetch.ts';
import type { OriginDriver, RangeHeaders } from '../../../src/origins/request/driver.ts';

/**
 * A driver for an origin in a directory with the layout of `$GOMODCACHE/cache/download`. It
 * supports ranges with If-Range (RFC 9110 13.1.5); the etag of a file is its SHA-256.
 */
export function directoryDriver(root: string): OriginDriver {
  return async function readFromDirectory(path, { headers, signal }) {
    signal.throwIfAborted();
    const file = await contentOf(join(root, decodeURIComponent(path)));
    if (!file) return new Response('not found', { status: 404 });
    return asInWorkerd(responseWith(file, headers));
  };
}

async function contentOf(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function responseWith(file: Uint8Array<ArrayBuffer>, requested: RangeHeaders): Response {
  const etag = etagOf(file);
  const offset = Number(/^bytes=(\d+)-$/.exec(requested.Range ?? '')?.[1]);
  const isSame = requested['If-Range'] === undefined || requested['If-Range'] === etag;
  if (!isSame || !(offset < file.length)) {
    return new Response(file, { headers: { ETag: etag, 'Content-Length': String(file.length) } });
  }
  const range = `bytes ${offset}-${file.length - 1}/${file.length}`;
  return new Response(file.subarray(offset), {
    status: 206,
    headers: {
      ETag: etag,
      'Content-Range': range,
      'Content-Length': String(file.length - offset),
    },
  });
}

export function etagOf(file: Uint8Array): string {
  return `"${createHash('sha256').update(file).digest('hex')}"`;
}
