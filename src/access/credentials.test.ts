import { describe, expect, it } from 'vitest';
import { readCredentials } from './credentials.ts';

const basic = (text: string) => `Basic ${btoa(text)}`;

describe('an Authorization header', () => {
  it.each([
    [basic('ann:secret'), 'secret'],
    [basic(':secret'), 'secret'],
    [basic('secret:'), 'secret'],
    [basic('ann:se:cret'), 'se:cret'],
    [basic('ann:secret').replace('Basic', 'bAsIc'), 'secret'],
    ['Bearer secret', 'secret'],
    ['BEARER   secret ', 'secret'],
  ])('%j has the token %j', (header, token) => {
    expect(readCredentials(header)).toEqual({ kind: 'token', token });
  });

  it.each([
    '',
    'Basic',
    'Basic ',
    basic(''),
    basic(':'),
    basic('secret'),
    'Basic c2VjcmV0Og',
    'Basic %%%%',
    'Bearer',
    'Bearer ',
    'Bearer two words',
    'Digest secret',
    'secret',
    `${basic('a:secret')}, ${basic('b:secret')}`,
    'Bearer secret, Bearer secret',
    'Bearer secret,Bearer',
    'Bearer secr\u00e4t',
  ])('%j cannot be read', (header) => {
    expect(readCredentials(header)).toEqual({
      kind: 'unreadable',
      why: expect.stringContaining('send one header, "Basic" or "Bearer"'),
    });
  });

  it('may be absent', () => {
    expect(readCredentials(undefined)).toEqual({ kind: 'none' });
  });
});
