import type { ByteRange } from '../store/contract.ts';

/**
 * Whether If-None-Match has the etag (weak comparison) or is `*`, so that a GET is answered without
 * a body. Source: RFC 9110 13.1.2.
 */
export function isNotModified(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const opaque = etag.replace(/^W\//, '');
  return ifNoneMatch
    .split(',')
    .some((candidate) => candidate.trim().replace(/^W\//, '') === opaque);
}

/**
 * The part of a file of `size` bytes that a Range header asks for. It is the whole file without a header, for several ranges (which a server may ignore, RFC 9110 14.2), and for an
 * invalid byte range. `unsatisfiable` is answered with a 416.
 */
export function parseRange(
  header: string | undefined,
  size: number,
): ByteRange | 'unsatisfiable' | 'whole' {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (from === '' && to === '') return 'whole';
  if (from === '') {
    const length = Math.min(Number(to), size);
    return length === 0 ? 'unsatisfiable' : { offset: size - length, length };
  }
  const offset = Number(from);
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < offset) return 'whole';
  return offset >= size ? 'unsatisfiable' : { offset, length: last - offset + 1 };
}
