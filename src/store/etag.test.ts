import { expect, it } from 'vitest';
import { bytes } from '../../test/fakes/effects/values.ts';
import { etagOf, newEtag } from './etag.ts';

const STRONG = /^"[\x21\x23-\x7e]+"$/;

it('the etag of bytes is strong, and theirs alone', async () => {
  const hello = etagOf(bytes('hello'));
  expect(hello).toBe('"2cf24dba5fb0a30e26e83b2ac5b9e29e"');
  expect(hello).toMatch(STRONG);
  expect(etagOf(bytes('hello'))).toBe(hello);
  expect(etagOf(bytes('hello '))).not.toBe(hello);
});

it('a new etag is strong and never the same', () => {
  expect(newEtag()).toMatch(STRONG);
  expect(new Set(Array.from({ length: 100 }, newEtag)).size).toBe(100);
});
