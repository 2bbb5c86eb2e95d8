import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64 } from './base64.ts';

describe('base64', () => {
  it.each([
    ['', ''],
    ['66', 'Zg=='],
    ['666f', 'Zm8='],
    ['666f6f', 'Zm9v'],
    ['fbefff', '++//'],
  ])('of the bytes %s is %j, and back', (hex, text) => {
    const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
    expect(encodeBase64(bytes)).toBe(text);
    expect(decodeBase64(text)).toEqual(bytes);
  });

  it.each([
    ['without its padding', 'Zg'],
    ['with too much padding', 'Zg======'],
    ['with a space', 'Zm 9'],
    ['with a line break', 'Zm9v\nZm9v'],
    ['of the alphabet for URLs', '-_-_'],
    ['with padding inside', 'Zg==Zg=='],
  ])('%s is refused', (_, text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });
});
