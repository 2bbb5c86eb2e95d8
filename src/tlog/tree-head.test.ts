import { describe, expect, it } from 'vitest';
import { parseTreeHead } from './tree-head.ts';

const HASH = 'nND/nri/U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=';
const text = (size: string, hash = HASH) => `go.sum database tree\n${size}\n${hash}\n`;

describe('a tree head', () => {
  it.each([
    ['of nothing', text('0'), 0],
    ['of two records', text('2'), 2],
    ['beyond 2^26', text('99033158'), 99_033_158],
    ['beyond 2^32', text('4294967297'), 2 ** 32 + 1],
    ['of as many records as can be counted', text('9007199254740991'), Number.MAX_SAFE_INTEGER],
    ['with more lines', `${text('2')}more\n\n`, 2],
    ['with more text', `${text('2')}more`, 2],
    [
      'with base64 whose last bits are not 0, as Go takes it',
      text('2', HASH.replace('QeI=', 'QeJ=')),
      2,
    ],
  ])('%s is parsed', (_, head, size) => {
    const parsed = parseTreeHead(head);
    expect(
      parsed && { size: parsed.size, hash: Buffer.from(parsed.hash).toString('base64') },
    ).toEqual({
      size,
      hash: HASH,
    });
  });

  it.each([
    ['that is empty', ''],
    ['of another kind', text('2').replace('tree', 'tree v2')],
    ['with a line before', `\n${text('2')}`],
    ['without a size', text('')],
    ['with a negative size', text('-1')],
    ['with a size with a sign', text('+2')],
    ['with a leading zero', text('02')],
    ['with a size in hex', text('0x2')],
    ['with a size with an exponent', text('2e0')],
    ['with a fraction', text('2.0')],
    ['with a space', text('2 ')],
    ['with digits of another script', text('٢')],
    ['with a size that is no safe integer', text('9007199254740992')],
    ['with a size that 64 bits wrap around to 0', text('18446744073709551616')],
    ['with a million digits', text('9'.repeat(1_000_000))],
    ['without a hash', 'go.sum database tree\n2\n'],
    ['with an empty hash', text('2', '')],
    ['whose hash does not end', text('2').trimEnd()],
    ['with a hash of 31 bytes', text('2', Buffer.alloc(31).toString('base64'))],
    ['with a hash of 33 bytes', text('2', Buffer.alloc(33).toString('base64'))],
    ['with a hash without its padding', text('2', HASH.replace('=', ''))],
    ['with a hash in hex', text('2', Buffer.alloc(32).toString('hex'))],
    ['with a space in its hash', text('2', HASH.replace('nND', 'n D'))],
    ['of more than a million bytes', text('2') + 'é'.repeat(500_000)],
  ])('%s is refused', (_, head) => {
    expect(parseTreeHead(head)).toBeUndefined();
  });
});
