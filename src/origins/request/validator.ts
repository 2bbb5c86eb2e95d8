/**
 * What tells two versions of a file apart (RFC 9110 8.8), as far as it may be relied on for putting
 * parts of a file together: only strong validators may (RFC 9110 13.1.5 and 15.3.7.3).
 */
export interface Validator {
  /** Value of If-Range. */
  readonly value: string;
  /** An entity tag speaks of the content, wherever it lies; a date of one file on one server. */
  readonly kind: 'etag' | 'date';
}

/**
 * RFC 9110 8.8.3: `W/` in front of it makes a tag weak. Control characters, spaces and quotes are
 * no part of a tag.
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

/** The part of a file that is still to come. */
export interface Rest {
  /** Where it begins. */
  readonly offset: number;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly validator: Validator;
}

/**
 * Whether a 206 holds exactly the rest of the file that the validator is of, as its headers say.
 *
 * - Content-Range has these very numbers (RFC 9110 14.4): a server may send another part than the
 *   one it was asked for (15.3.7), and a file of another length is another file.
 * - It carries the validator. A server must send the ETag that it would send with the whole file
 *   (15.3.7), and without it nothing shows that it has looked at If-Range at all. Last-Modified it
 *   may leave out.
 * - It is not in several parts (15.3.7.2), and not encoded: the offset counts the bytes as they
 *   are.
 */
export function isRest(headers: Headers, { offset, size, validator }: Rest): boolean {
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
