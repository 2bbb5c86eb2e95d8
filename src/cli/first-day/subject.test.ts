import { expect, it } from 'vitest';
import { parseSubject } from './subject.ts';

const RIGHT = { address: 'https://go.example.com', module: 'golang.org/x/text', large: undefined };

it.each([
  [{}, {}],
  [{ address: 'https://go.example.com/' }, {}],
  [{ address: 'http://localhost:8787' }, { address: 'http://localhost:8787' }],
  [{ module: 'github.com/BurntSushi/toml' }, { module: 'github.com/!burnt!sushi/toml' }],
  [
    { large: 'golang.org/toolchain@v0.0.1-go1.27.0.linux-amd64' },
    { large: 'golang.org/toolchain@v0.0.1-go1.27.0.linux-amd64' },
  ],
  [{ large: 'github.com/Azure/x@v1.0.0-RC1' }, { large: 'github.com/!azure/x@v1.0.0-!r!c1' }],
])('%j is read', (given, read) => {
  expect(parseSubject({ ...RIGHT, ...given })).toEqual({ ok: true, value: { ...RIGHT, ...read } });
});

const ALONE = 'credentials: write https://go.example.com alone';

it.each([
  [{ address: 'go.example.com' }, 'write an address such as'],
  [{ address: 'ftp://go.example.com' }, 'write an address such as'],
  [{ address: 'https://go.example.com/proxy' }, ALONE],
  [{ address: 'https://go.example.com?x=1' }, ALONE],
  [{ address: 'https://go.example.com/#x' }, ALONE],
  [{ address: 'https://me:secret@go.example.com' }, ALONE],
  [{ module: 'golang.org/x/text@v1.0.0' }, 'malformed module path'],
  [{ large: 'golang.org/toolchain' }, 'write <module>@<version>'],
  [{ large: 'golang.org/toolchain@latest' }, 'write <module>@<version>'],
])('%j is refused', (given, reason) => {
  const parsed = parseSubject({ ...RIGHT, ...given });
  expect(parsed).toMatchObject({ reason: expect.stringContaining(reason) });
  expect(JSON.stringify(parsed)).not.toContain('secret');
});
