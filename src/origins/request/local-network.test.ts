import { describe, expect, it } from 'vitest';
import { localNetworkOf } from './local-network.ts';

describe('a host', () => {
  it.each([
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    'a.b.localhost.',
    'localhost.localdomain',
    'ip6-localhost',
    'ip6-loopback',
    'localhost4',
    'localhost6.localdomain6',
    '127.0.0.1',
    '127.255.0.9',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.0.0.1.',
    '0.0.0.0',
    '0',
    '%31%32%37.0.0.1',
    '①②⑦.0.0.1',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::FFFF:7f00:1]',
    '[::127.0.0.1]',
    '[::ffff:0.0.0.0]',
  ])('%s is this machine', (host) => {
    expect(localNetworkOf(new URL(`http://${host}:81/x`))).toBe('loopback');
  });

  it.each([
    '169.254.169.254',
    '169.254.1',
    '2852039166',
    '0xa9.0xfe.0xa9.0xfe',
    '[fe80::1]',
    '[febf:0::1]',
    '[::ffff:169.254.169.254]',
    '[::169.254.169.254]',
  ])('%s is on the link', (host) => {
    expect(localNetworkOf(new URL(`http://${host}/`))).toBe('link-local');
  });

  it.each([
    'localhost.example',
    'notlocalhost',
    '128.0.0.1',
    '126.255.255.255',
    '169.253.1.1',
    '169.255.1.1',
    '10.0.0.1',
    '[fec0::1]',
    '[fe00::1]',
    '[2001:db8::7f00:1]',
    '[::ffff:8.8.8.8]',
    '[::2]',
  ])('%s is neither', (host) => {
    expect(localNetworkOf(new URL(`https://${host}/`))).toBeUndefined();
  });
});
