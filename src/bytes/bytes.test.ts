import { describe, expect, it } from 'vitest';
import { concatBytes } from './concat.ts';
import { equalBytes } from './equal.ts';
import { encodeHex, hexOfUint32 } from './hex.ts';
import { isUnshared } from './unshared.ts';

describe('bytes', () => {
  it.each<[a: number[], b: number[], equal: boolean]>([
    [[], [], true],
    [[1, 2], [1, 2], true],
    [[1, 2], [1, 3], false],
    [[1, 2], [1], false],
    [[1], [1, 2], false],
  ])('%j and %j are equal: %j', (a, b, equal) => {
    expect(equalBytes(Uint8Array.from(a), Uint8Array.from(b))).toBe(equal);
  });

  it('are joined in order, as a copy', () => {
    const first = Uint8Array.of(1, 2);
    const whole = concatBytes([first, new Uint8Array(), Uint8Array.of(3)]);
    first[0] = 9;
    expect(whole).toEqual(Uint8Array.of(1, 2, 3));
    expect(concatBytes([])).toEqual(new Uint8Array());
  });

  it('are two hexadecimal digits each, and a number of 32 bits is eight', () => {
    expect(encodeHex(Uint8Array.of(0, 10, 255))).toBe('000aff');
    expect([0, 0x2a, 0xffffffff].map(hexOfUint32)).toEqual(['00000000', '0000002a', 'ffffffff']);
  });

  it('in memory that threads share are told apart', () => {
    expect(isUnshared(new Uint8Array(1))).toBe(true);
    expect(isUnshared(new Uint8Array(new SharedArrayBuffer(1)))).toBe(false);
  });
});
