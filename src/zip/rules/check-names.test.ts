import { describe, expect, it } from 'vitest';
import { findNameOutside } from './check-names.ts';

const prefix = 'example.com/Mod@v1.0.0/';

function entries(...names: (string | readonly number[])[]): { name: Uint8Array }[] {
  return names.map((name) => ({
    name: typeof name === 'string' ? new TextEncoder().encode(name) : Uint8Array.from(name),
  }));
}

describe('findNameOutside', () => {
  it('accepts files and directories under the prefix, and the prefix itself', () => {
    const names = entries(`${prefix}go.mod`, `${prefix}sub/`, prefix, `${prefix}\u00e9.go`);
    expect(findNameOutside(names, prefix)).toBeUndefined();
  });

  it('accepts a zip without entries', () => {
    expect(findNameOutside([], prefix)).toBeUndefined();
  });

  it.each([
    'go.mod',
    'example.com/Mod@v1.0.0',
    'example.com/Mod@v1.0.1/go.mod',
    'example.com/mod@v1.0.0/go.mod',
    'example.com/!mod@v1.0.0/go.mod',
    '/example.com/Mod@v1.0.0/go.mod',
    './example.com/Mod@v1.0.0/go.mod',
    '../../etc/passwd',
    '',
  ])('finds %j', (name) => {
    expect(findNameOutside(entries(`${prefix}go.mod`, name), prefix)).toBe(name);
  });

  it('returns the first of several', () => {
    expect(findNameOutside(entries('one', 'two'), prefix)).toBe('one');
  });

  it('compares bytes: a prefix in another Unicode form is another prefix', () => {
    expect(findNameOutside(entries('e\u0301/x'), '\u00e9/')).toBe('e\u0301/x');
    expect(findNameOutside(entries([0xef, 0xbb, 0xbf, 0x61]), 'a')).toBe('\ufffda');
  });

  it('masks characters that could steer a terminal or forge a log line', () => {
    const name = 'a\u001b[2J\r\nb\u0000\u009b\u202ec\u2028d\u007f';
    expect(findNameOutside(entries(name), prefix)).toBe(
      'a\ufffd[2J\ufffd\ufffdb\ufffd\ufffd\ufffdc\ufffdd\ufffd',
    );
  });

  it('replaces invalid UTF-8', () => {
    expect(findNameOutside(entries([0x61, 0xff, 0x62]), prefix)).toBe('a\ufffdb');
  });

  it('cuts a long name', () => {
    expect(findNameOutside(entries('x'.repeat(60_000)), prefix)).toBe(`${'x'.repeat(200)}…`);
  });
});
