import { describe, expect, it } from 'vitest';
import { parseAddress, redact } from './address.ts';

describe('parseAddress', () => {
  it.each([
    ['https://a.example', 'a.example', 'https://a.example'],
    ['a.example', 'a.example', 'https://a.example'],
    ['localhost:3000', 'localhost:3000', 'https://localhost:3000'],
    ['HTTP://A.example:81/t/TOKEN//', 'a.example:81', 'http://a.example:81/t/TOKEN'],
  ])('takes %j as %s at %s', (text, name, url) => {
    expect(parseAddress(text)).toEqual({ ok: true, value: { name, url } });
  });

  it.each([
    ['direct', 'is not an origin'],
    ['off', 'is not an origin'],
    ['name', 'is no address'],
    ['ftp://a', 'has no http or https scheme'],
    ['https://a?x', 'has a query or a fragment'],
    ['https://a#x', 'has a query or a fragment'],
    ['https://u%zz:p@a', 'has a "%" in its credentials'],
  ])('refuses %j: it %s', (text, reason) => {
    expect(parseAddress(text)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
  });

  it.each([
    ['https://:token@a', `Basic ${btoa(':token')}`],
    ['https://ü@a', 'Basic w7w6'],
  ])('turns the credentials of %j into the header %j', (text, authorization) => {
    expect(parseAddress(text)).toMatchObject({ value: { url: 'https://a', authorization } });
  });
});

it('redact cuts the credentials out of an address', () => {
  expect(redact('https://user:secret@a.example/x')).toBe('https://…@a.example/x');
  expect(redact('https://a.example/x')).toBe('https://a.example/x');
});
