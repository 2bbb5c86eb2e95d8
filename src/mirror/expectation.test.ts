import { describe, expect, it } from 'vitest';
import { wrongContent } from '../origins/failure.ts';
import { asMismatch, compareHash, type Expectation } from './expectation.ts';

const KNOWN = { kind: 'known', database: 'sum.example', hash: 'h1:right' } as const;

describe('a hash', () => {
  it('that the log has is the check of the file', () => {
    expect(compareHash(KNOWN, 'h1:right')).toEqual({ ok: true, value: 'h1:right' });
  });

  it('other than that of the log is a mismatch that names both', () => {
    expect(compareHash(KNOWN, 'h1:wrong')).toEqual({
      ok: false,
      reason: {
        kind: 'mismatch',
        hashes: { database: 'sum.example', expected: 'h1:right', found: 'h1:wrong' },
      },
    });
  });

  it('of a version that no log covers is not compared, and the file is uncovered', () => {
    expect(compareHash({ kind: 'uncovered' }, 'h1:any')).toEqual({ ok: true, value: 'uncovered' });
  });
});

describe('content that cannot be the file', () => {
  const page = wrongContent('an HTML page', 'an HTML page: "sign in"');

  it('is a mismatch where the log has its hash', () => {
    expect(asMismatch(page, KNOWN)).toEqual({
      kind: 'mismatch',
      hashes: {
        database: 'sum.example',
        expected: 'h1:right',
        found: 'an HTML page: "sign in"',
      },
    });
  });

  it.each<Expectation | undefined>([
    undefined,
    { kind: 'uncovered' },
    { kind: 'unknown', failures: [] },
  ])('stays wrong content where the log has none: %j', (expected) => {
    expect(asMismatch(page, expected)).toBe(page);
  });

  it('is no reason that says nothing of the content', () => {
    const reason = { kind: 'unreachable' } as const;
    expect(asMismatch(reason, KNOWN)).toBe(reason);
  });
});
