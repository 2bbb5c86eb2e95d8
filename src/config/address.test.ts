import { describe, expect, it } from 'vitest';
import { parseAddress, redact } from './address.ts';

describe('parseAddress', () => {
  it.each([
    ['https://a.example', 'a.example', 'https://a.example'],
    ['a.example', 'a.example', 'https://a.example'],
    ['localhost:3000', 'localhost:3000', 'https://localhost:3000'],
    ['https://go_proxy:3000', 'go_proxy:3000', 'https://go_proxy:3000'],
    ['https://a.example./go', 'a.example.', 'https://a.example./go'],
    ['https://[2001:db8::1]/go', '[2001:db8::1]', 'https://[2001:db8::1]/go'],
    ['https://bücher.example', 'xn--bcher-kva.example', 'https://xn--bcher-kva.example'],
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
    ['"https://a.example"', 'has the host "\\"https", which is no name'],
    ["'https://a.example'", `has the host "'https", which is no name`],
    ['a.example;b.example', 'has the host "a.example;b.example", which is no name'],
    ['https://a;https://b', 'has the host "a;https", which is no name'],
    ['https://{a,b}.example', 'has the host "{a,b}.example", which is no name'],
    ['https://$HOST/', 'has the host "$host", which is no name'],
    ['https://*.example', 'has the host "*.example", which is no name'],
    ['https://a..example', 'has the host "a..example", which is no name'],
    ['https://.example', 'has the host ".example", which is no name'],
    ['https://a.example/go https://b.example', 'has an empty element, a space or a quote'],
    ['https://a.example/go;https://b.example', 'has an empty element, a space or a quote'],
    ['https://https://a.example', 'has an empty element, a space or a quote'],
    ['https://a.example/go b', 'has an empty element, a space or a quote'],
    ['https://a.example/go"', 'has an empty element, a space or a quote'],
    ["https://a.example/go'", 'has an empty element, a space or a quote'],
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
