/**
 * What distinguishes two versions of a file (RFC 9110 8.8). Only strong validators may be relied on
 * to put parts of a file together (RFC 9110 13.1.5 and 15.3.7.3).
 */
export interface Validator {
  /** Value of If-Range. */
  readonly value: string;
  /** An entity tag identifies the content on any server, a date one file on one server. */
  readonly kind: 'etag' | 'date';
}

/**
 * RFC 9110 8.8.3: `W/` before it makes a tag weak. A tag has no control characters, spaces or
 * quotes.
 */
const STRONG_ETAG = /^"[\x21\x23-\x7e\x80-\xff]*"$/;

/**
 * The strong validator of an answer, or undefined. A date counts only where there is no entity tag
 * at all (RFC 9110 13.1.5), and where the answer was made at least a second later: until then the
 * file may have changed once more within the same second (RFC 9110 8.8.2.2).
 */
export function validatorOf(headers: Headers): Validator | undefined {
  const etag = headers.get('ETag');
  if (etag !== null) return STRONG_ETAG.test(etag) ? { kind: 'etag', value: etag } : undefined;
  const modified = headers.get('Last-Modified') ?? '';
  const seconds = Date.parse(headers.get('Date') ?? '') - Date.parse(modified);
  return seconds >= 1000 ? { kind: 'date', value: modified } : undefined;
}

/** The part of a file that is still missing. */
export interface MissingRange {
  /** Where it begins. */
  readonly offset: number;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly validator: Validator;
}

/**
 * Whether a 206 with these headers holds exactly the missing range of the file that the validator
 * identifies.
 *
 * - Content-Range has these very numbers (RFC 9110 14.4): a server may send another part than the
 *   requested one (15.3.7), and a file of another length is another file.
 * - It carries the validator. A server must send the ETag that it would send with the whole file
 *   (15.3.7), and without it nothing shows that the server respects If-Range. It may leave out
 *   Last-Modified.
 * - It is not in several parts (15.3.7.2), and not encoded: the offset counts decoded bytes.
 */
export function isMissingRange(
  headers: Headers,
  { offset, size, validator }: MissingRange,
): boolean {
  const etag = headers.get('ETag');
  const modified = headers.get('Last-Modified');
  const isSame =
    validator.kind === 'etag'
      ? etag === validator.value
      : etag === null && (modified === null || modified === validator.value);
  const length = headers.get('Content-Length');
  return (
    isSame &&
    headers.get('Content-Range') === `bytes ${offset}-${size - 1}/${size}` &&
    (length === null || length === String(size - offset)) &&
    !/^multipart\//i.test(headers.get('Content-Type') ?? '') &&
    headers.get('Content-Encoding') === null
  );
}
