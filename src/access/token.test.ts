import { describe, expect, it } from 'vitest';
import { equalHashes, hashToken, parseTokens } from './token.ts';

const SECRET = 'hunter2hunter2hunter2';

function problemsOf(text: string): readonly string[] {
  const tokens = parseTokens(text);
  return tokens.ok ? [] : tokens.reason;
}

it('TOKENS is entries of a name, a scope and a token', () => {
  const tokens = parseTokens(`ci:read:${SECRET}, ann-1:admin:with:colons:0123456`);
  expect(tokens).toEqual({
    ok: true,
    value: [
      { name: 'ci', scope: 'read', hash: hashToken(SECRET) },
      { name: 'ann-1', scope: 'admin', hash: hashToken('with:colons:0123456') },
    ],
  });
});

it('no TOKENS is no token', () => {
  expect(parseTokens('')).toEqual({ ok: true, value: [] });
});

describe('an entry is refused', () => {
  it.each([
    ['without a scope', `ci:${SECRET}`, 'entry 1 is not written as name:scope:token'],
    ['that is a token alone', SECRET, 'entry 1 is not written as name:scope:token'],
    ['that is empty', `ci:read:${SECRET},`, 'entry 2 is not written as name:scope:token'],
    ['with another scope', `ci:write:${SECRET}`, 'entry 1 has no scope between'],
    ['with the scope in another case', `ci:Read:${SECRET}`, 'entry 1 has no scope between'],
    ['in another order', `${SECRET}:ci:read`, 'entry 1 has no scope between'],
    ['without a name', `:read:${SECRET}`, 'entry 1 has no name of up to 64 letters'],
    ['with a name of two words', `c i:read:${SECRET}`, 'entry 1 has no name'],
    ['with a short token', 'ci:read:hunter2hunter2h', '"ci" has a token of 15 characters'],
    ['without a token', 'ci:read:', '"ci" has a token of 0 characters: write at least 16'],
    ['with a space in its token', `ci:read:${SECRET} x`, '"ci" has a token with a space'],
    ['with a letter that no header has', `ci:read:${SECRET}ü`, '"ci" has a token with a space'],
    [
      'with a name that is taken',
      `ci:read:${SECRET},ci:admin:0${SECRET}`,
      'entry 2 "ci" has a name',
    ],
    [
      'with the token of another',
      `a:read:${SECRET},b:admin:${SECRET}`,
      'entry 2 "b" has the token',
    ],
  ])('%s', (_, text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(problem)]);
    expect(problemsOf(text).join()).not.toContain('hunter2');
  });
});

it('every problem is reported', () => {
  expect(problemsOf('a:read:x,b:x:y,c').length).toBe(3);
});

it('hashes are equal only as a whole', () => {
  const hash = hashToken(SECRET);
  expect(equalHashes(hash, hashToken(SECRET))).toBe(true);
  for (let at = 0; at < hash.length; at++) {
    const other = Uint8Array.from(hash);
    other[at] = (other[at] ?? 0) ^ 1;
    expect(equalHashes(hash, other)).toBe(false);
  }
  expect(equalHashes(hash, hash.slice(1))).toBe(false);
  expect(equalHashes(hash.slice(1), hash)).toBe(false);
});
