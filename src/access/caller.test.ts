import { describe, expect, it } from 'vitest';
import { identify, type KnownTokens } from './caller.ts';
import { equalToken, hashToken, parseTokens, type Token } from './token.ts';

const TEXT = '0123456789abcdef';
const header = (token: string) => `Bearer ${token}`;

function configuredTokens(tokens: readonly Token[]): KnownTokens {
  return { find: async (hash) => equalToken(tokens, hash) };
}

function tokensOf(text: string): KnownTokens {
  const tokens = parseTokens(text);
  if (!tokens.ok) throw new Error(tokens.reason.join());
  return configuredTokens(tokens.value);
}

const tokens = tokensOf(`ci:read:${TEXT},ann:admin:${TEXT}0`);
const who = (authorization: string | undefined, url = 'https://go.example.com/x') =>
  identify({ url, authorization }, tokens, 0);

it('nobody is who sends no credentials, over http too', async () => {
  expect(await who(undefined)).toEqual({ kind: 'anonymous' });
  expect(await who(undefined, 'http://go.example.com/')).toEqual({ kind: 'anonymous' });
});

it('a token has the name and the scope of its entry', async () => {
  expect(await who(header(TEXT))).toMatchObject({ kind: 'holder', name: 'ci', scope: 'read' });
  expect(await who(header(`${TEXT}0`))).toMatchObject({ name: 'ann', scope: 'admin' });
});

it.each([
  ['wrong', header('0123456789abcdeX')],
  ['unreadable', 'Basic x'],
])('who sends %s credentials is turned away', async (_, authorization) => {
  expect(await who(authorization)).toMatchObject({ kind: 'rejected' });
});

describe('credentials over plain http', () => {
  it.each(['127.0.0.1:8787', '127.9.8.7', 'localhost', 'localhost:1', '[::1]:8787'])(
    'count at %s',
    async (host) => {
      expect(await who(header(TEXT), `http://${host}/x`)).toMatchObject({ kind: 'holder' });
    },
  );

  it.each([
    'go.example.com',
    '10.0.0.1',
    '128.0.0.1',
    'localhost.example.com',
    '127.0.0.1.example.com',
    '[::2]',
    'example.com:127',
  ])('are not looked at from %s', async (host) => {
    for (const token of [TEXT, 'wrong'])
      expect(await who(header(token), `http://${host}/x`)).toEqual({ kind: 'insecure' });
  });
});

it('a token counts until it expires', async () => {
  const token: Token = { name: 'ci', scope: 'read', hash: hashToken(TEXT), expiresAt: 1000 };
  const at = (now: number) =>
    identify(
      { url: 'https://go.example.com/', authorization: header(TEXT) },
      configuredTokens([token]),
      now,
    );
  expect(await at(999)).toMatchObject({ kind: 'holder' });
  expect(await at(1000)).toEqual({
    kind: 'rejected',
    why: 'the token "ci" expired at 1970-01-01T00:00:01.000Z',
  });
});

it('nobody knows who sends a token that cannot be looked up', async () => {
  const request = { url: 'https://go.example.com/', authorization: header(TEXT) };
  const failing: KnownTokens = { find: async () => 'unknown' };
  expect(await identify(request, failing, 0)).toEqual({ kind: 'unknown' });
});

it('every token is compared, also behind the right one', () => {
  const compared: string[] = [];
  const watched = ['a', 'b', 'c'].map((name): Token => {
    const hash = hashToken(name === 'a' ? TEXT : name);
    return {
      name,
      scope: 'read',
      get hash() {
        compared.push(name);
        return hash;
      },
    };
  });
  equalToken(watched, hashToken(TEXT));
  expect(compared).toEqual(['a', 'b', 'c']);
});
