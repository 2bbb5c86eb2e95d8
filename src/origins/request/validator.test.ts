import { describe, expect, it } from 'vitest';
import { isMissingRange, type Validator, validatorOf } from './validator.ts';

const MODIFIED = 'Wed, 21 Oct 2026 07:28:00 GMT';
const LATER = 'Wed, 21 Oct 2026 07:28:01 GMT';

describe('the strong validator of an answer', () => {
  it.each<[Record<string, string>, Validator | undefined]>([
    [{ ETag: '"abc"' }, { kind: 'etag', value: '"abc"' }],
    [{ ETag: '""' }, { kind: 'etag', value: '""' }],
    [{ ETag: 'W/"abc"' }, undefined],
    [{ ETag: 'abc' }, undefined],
    [{ ETag: '"a", "b"' }, undefined],
    [{ ETag: '"abc' }, undefined],
    [
      { 'Last-Modified': MODIFIED, Date: LATER },
      { kind: 'date', value: MODIFIED },
    ],
    [{ 'Last-Modified': MODIFIED, Date: MODIFIED }, undefined],
    [{ 'Last-Modified': LATER, Date: MODIFIED }, undefined],
    [{ 'Last-Modified': MODIFIED }, undefined],
    [{ Date: LATER }, undefined],
    [{ 'Last-Modified': 'yesterday', Date: LATER }, undefined],
    [{ ETag: 'W/"abc"', 'Last-Modified': MODIFIED, Date: LATER }, undefined],
    [{}, undefined],
  ])('of %j is %j', (headers, validator) => {
    expect(validatorOf(new Headers(headers))).toEqual(validator);
  });
});

describe('a 206', () => {
  const etag: Validator = { kind: 'etag', value: '"one"' };
  const date: Validator = { kind: 'date', value: MODIFIED };
  const range = { 'Content-Range': 'bytes 100-999/1000' };
  it.each<[string, Validator, Record<string, string>, boolean]>([
    ['with the asked range and the same tag', etag, { ...range, ETag: '"one"' }, true],
    [
      'that also declares the length',
      etag,
      { ...range, ETag: '"one"', 'Content-Length': '900' },
      true,
    ],
    [
      'that declares another length',
      etag,
      { ...range, ETag: '"one"', 'Content-Length': '901' },
      false,
    ],
    ['with another tag', etag, { ...range, ETag: '"two"' }, false],
    ['with the tag made weak', etag, { ...range, ETag: 'W/"one"' }, false],
    ['without the tag', etag, range, false],
    ['from another byte', etag, { ETag: '"one"', 'Content-Range': 'bytes 99-999/1000' }, false],
    ['to another byte', etag, { ETag: '"one"', 'Content-Range': 'bytes 100-998/1000' }, false],
    [
      'of a file of another length',
      etag,
      { ETag: '"one"', 'Content-Range': 'bytes 100-999/1001' },
      false,
    ],
    [
      'of a file of unknown length',
      etag,
      { ETag: '"one"', 'Content-Range': 'bytes 100-999/*' },
      false,
    ],
    ['without a range', etag, { ETag: '"one"' }, false],
    [
      'in several parts',
      etag,
      { ...range, ETag: '"one"', 'Content-Type': 'multipart/byteranges; boundary=x' },
      false,
    ],
    ['that is encoded', etag, { ...range, ETag: '"one"', 'Content-Encoding': 'gzip' }, false],
    ['to a date', date, range, true],
    ['to a date, with that date', date, { ...range, 'Last-Modified': MODIFIED }, true],
    ['to a date, with another one', date, { ...range, 'Last-Modified': LATER }, false],
    ['to a date, with a tag that was not there before', date, { ...range, ETag: '"new"' }, false],
  ])('%s: %j %j is the rest: %s', (_, validator, headers, isIt) => {
    expect(isMissingRange(new Headers(headers), { offset: 100, size: 1000, validator })).toBe(isIt);
  });
});
