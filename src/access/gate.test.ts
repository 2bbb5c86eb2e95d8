import { describe, expect, it } from 'vitest';
import type { Caller } from './caller.ts';
import { type AccessMode, type Need, needsToken, refusalOf } from './gate.ts';
import { SCOPES } from './scope.ts';

const CALLERS: Readonly<Record<string, Caller>> = {
  anonymous: { kind: 'anonymous' },
  rejected: { kind: 'rejected', why: 'this token is unknown here' },
  insecure: { kind: 'insecure' },
  unknown: { kind: 'unknown' },
  ...Object.fromEntries(
    SCOPES.map((scope) => [scope, { kind: 'holder', name: `a-${scope}-token`, scope }] as const),
  ),
};

/** What each caller gets: it passes, or the status that it gets. */
const TABLE: readonly (readonly [Need, AccessMode, Readonly<Record<string, string>>])[] = [
  ['nothing', 'public', all('passes')],
  ['nothing', 'private', all('passes')],
  ['public', 'public', { ...all('passes'), ...turnedAway() }],
  ['public', 'private', { ...all('passes'), ...turnedAway(), anonymous: '401' }],
  ...(['public', 'private'] as const).flatMap((mode) => [
    ['read', mode, needing()] as const,
    ['private', mode, needing('read')] as const,
    ['publish', mode, needing('read', 'private')] as const,
    ['admin', mode, needing('read', 'private', 'publish')] as const,
  ]),
];

function all(verdict: string) {
  return Object.fromEntries(Object.keys(CALLERS).map((name) => [name, verdict]));
}

function turnedAway() {
  return { rejected: '401', insecure: '403', unknown: '503' };
}

/** Only tokens pass, and those of these scopes do not. */
function needing(...tooSmall: readonly string[]) {
  const refused = Object.fromEntries(tooSmall.map((scope) => [scope, '403']));
  return { ...all('passes'), ...turnedAway(), anonymous: '401', ...refused };
}

const STATUS = { unauthenticated: '401', forbidden: '403', unknown: '503' };

describe.each(TABLE)('what needs %s, with ACCESS=%s', (need, mode, verdicts) => {
  it.each(Object.entries(verdicts))('%s: %s', (name, verdict) => {
    const refusal = refusalOf(CALLERS[name] ?? { kind: 'anonymous' }, need, mode);
    expect(refusal ? STATUS[refusal.kind] : 'passes').toBe(verdict);
  });
});

it('a scope that is too small names the one that is needed', () => {
  const caller: Caller = { kind: 'holder', name: 'ci', scope: 'read', modules: undefined };
  expect(refusalOf(caller, 'private', 'public')?.why).toBe(
    'this needs a token with the scope private, and "ci" has read',
  );
});

it('credentials over http are answered with the word https', () => {
  expect(refusalOf({ kind: 'insecure' }, 'public', 'public')?.why).toContain('use https');
});

it.each<[Need, AccessMode, boolean]>([
  ['nothing', 'private', false],
  ['public', 'public', false],
  ['public', 'private', true],
  ['read', 'public', true],
  ['private', 'public', true],
])('whether an answer for %s with ACCESS=%s is for holders alone: %s', (need, mode, expected) => {
  expect(needsToken(need, mode)).toBe(expected);
});
