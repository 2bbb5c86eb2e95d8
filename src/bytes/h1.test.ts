import { expect, it } from 'vitest';
import { isH1 } from './h1.ts';

const H1 = 'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

it('the hash of nothing is an h1: hash', () => {
  expect(isH1(H1)).toBe(true);
});

it.each([
  ['without its algorithm', H1.slice('h1:'.length)],
  ['of another algorithm', H1.replace('h1', 'h2')],
  ['of 31 bytes', `h1:${Buffer.alloc(31).toString('base64')}`],
  ['of 33 bytes', `h1:${Buffer.alloc(33).toString('base64')}`],
  ['whose last two bits are not 0, a second spelling', H1.replace('FU=', 'FV=')],
  ['without its padding', H1.replace('=', '')],
  ['with a line break at its end', `${H1}\n`],
  ['with a space before', ` ${H1}`],
])('a hash %s is none', (_, text) => {
  expect(isH1(text)).toBe(false);
});
