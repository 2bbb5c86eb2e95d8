import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createLog } from '../../test/fakes/sumdb/transparency-log.ts';
import { parseVerifierKey } from './verifier-key.ts';

const SUM_GOLANG_ORG = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';

/** A key whose hash is right, whatever else is wrong. */
function keyOf(name: string, key: Uint8Array): string {
  const hash = createHash('sha256').update(`${name}\n`).update(key).digest('hex').slice(0, 8);
  return `${name}+${hash}+${Buffer.from(key).toString('base64')}`;
}
const ed25519 = (length = 32) => Uint8Array.of(1, ...new Uint8Array(length).fill(7));

describe('a verifier key', () => {
  it('of sum.golang.org has the bytes that cmd/go has', () => {
    const key = parseVerifierKey(SUM_GOLANG_ORG);
    if (!key.ok) throw new Error(key.reason);
    const { publicKey } = key.value;
    expect({ ...key.value, publicKey: Buffer.from(publicKey).toString('hex') }).toEqual({
      name: 'sum.golang.org',
      hash: 0x033de0ae,
      publicKey: 'ce3372d75ad1ee5ecdaf8727293d4b111d87eb37531d7c86d4d3003f0eb809fc',
    });
  });

  it.each([
    ['of note.go', 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'],
    ['with a path in its name', keyOf('sum.example.test/v2', ed25519())],
    ['with a name of any script', keyOf('ключ', ed25519())],
    ['with a byte order mark in its name, which is no space', keyOf('\uFEFFa', ed25519())],
    [
      'with an upper case hash',
      'PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    ],
    ['of a fresh log', createLog().verifierKey],
  ])('%s is parsed', (_, text) => {
    expect(parseVerifierKey(text)).toMatchObject({
      ok: true,
      value: { name: text.split('+', 1)[0] },
    });
  });

  it.each([
    ['without pluses', 'sum.golang.org', 'does not have three parts'],
    ['with one plus', 'sum.golang.org+033de0ae', 'does not have three parts'],
    ['without a name', keyOf('', ed25519()), 'has the name "", which is empty or has spaces'],
    ['with a space in its name', keyOf('a b', ed25519()), 'has the name "a b"'],
    ['with a next line character in its name', keyOf('a\u0085b', ed25519()), 'empty or has spaces'],
    ['with an ideographic space in its name', keyOf('a\u3000b', ed25519()), 'empty or has spaces'],
    ['with half a character in its name', keyOf('a\uD800', ed25519()), 'empty or has spaces'],
    [
      'with 7 digits of hash',
      SUM_GOLANG_ORG.replace('033', '33'),
      'has the hash "33de0ae", which is not 8',
    ],
    ['with a hash that is not hex', SUM_GOLANG_ORG.replace('033d', '0x3d'), 'not 8 hex digits'],
    ['with a hash with a sign', SUM_GOLANG_ORG.replace('033d', '+33d'), 'not 8 hex digits'],
    ['with no key', 'a+01234567+', 'no base64'],
    ['with a key that is no base64', 'a+01234567+AQ*=', 'has the key "AQ*=", which is no base64'],
    ['with a key without its padding', 'a+01234567+AQ', 'no base64'],
    ['with a space in its key', SUM_GOLANG_ORG.replace('Ac4', 'Ac 4'), 'no base64'],
    [
      'with the hash of another key',
      SUM_GOLANG_ORG.replace('033de0ae', '033de0af'),
      'has the hash "033de0af", but its name and key have "033de0ae": copy the whole key',
    ],
    ['under another name', SUM_GOLANG_ORG.replace('golang', 'golang2'), 'copy the whole key'],
    ['with a changed key', SUM_GOLANG_ORG.replace('Ac4z', 'Ac4y'), 'copy the whole key'],
    [
      'with another algorithm',
      keyOf('a', Uint8Array.of(2, ...ed25519())),
      'has the algorithm 2: only 1',
    ],
    ['with 31 bytes of key', keyOf('a', ed25519(31)), 'has 31 bytes of key, but Ed25519 has 32'],
    ['with 33 bytes of key', keyOf('a', ed25519(33)), 'has 33 bytes of key'],
  ])('%s is refused', (_, text, reason) => {
    expect(parseVerifierKey(text)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
  });
});
