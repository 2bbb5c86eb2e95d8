import { describe, expect, it } from 'vitest';
import type { Database } from './database.ts';
import { checksumPath, parseChecksumRequest } from './request.ts';

const databases = ['sum.golang.org', 'sum.example.test', 'sum.example.test/v2'].map(
  (name): Database => ({
    name,
    key: { name, hash: 0, publicKey: new Uint8Array(32) },
    origins: [],
  }),
);

describe('the path of a request', () => {
  it.each([
    ['/sumdb/sum.golang.org/supported', 'supported', 'sum.golang.org', undefined],
    ['/sumdb/sum.golang.org/latest', 'tree head', 'sum.golang.org', 'latest'],
    [
      '/sumdb/sum.golang.org/lookup/github.com/!azure/x@v1.0.0',
      'lookup',
      'sum.golang.org',
      'lookup/github.com/!azure/x@v1.0.0',
    ],
    [
      '/sumdb/sum.golang.org/lookup/a.example/x@v3.0.0%2Bincompatible',
      'lookup',
      'sum.golang.org',
      'lookup/a.example/x@v3.0.0+incompatible',
    ],
    ['/sumdb/sum.golang.org/tile/8/0/x001/234', 'tile', 'sum.golang.org', 'tile/8/0/x001/234'],
    ['/sumdb/sum.golang.org/tile/8/data/005.p/7', 'tile', 'sum.golang.org', 'tile/8/data/005.p/7'],
    ['/sumdb/sum.example.test/latest', 'tree head', 'sum.example.test', 'latest'],
    ['/sumdb/sum.example.test/v2/latest', 'tree head', 'sum.example.test/v2', 'latest'],
  ])('%s asks for the %s of %s', (path, kind, name, asked) => {
    const request = parseChecksumRequest(path, databases);
    expect([request?.kind, request?.database.name]).toEqual([kind, name]);
    expect(request && request.kind !== 'supported' ? checksumPath(request) : undefined).toBe(asked);
  });

  it.each([
    '/sumdb/',
    '/sumdb/sum.golang.org',
    '/sumdb/sum.golang.org/',
    '/sumdb/other.example/latest',
    '/sumdb/sum.golang.org/lookup/x',
    '/sumdb/sum.golang.org/lookup/a.example/x@main',
    '/sumdb/sum.golang.org/lookup/a.example/x@v1.0.0@v1.0.0',
    '/sumdb/sum.golang.org/lookup/github.com/Azure/x@v1.0.0',
    '/sumdb/sum.golang.org/tile/8/0/1',
    '/sumdb/sum.golang.org/../x',
    '/sumdb/sum.golang.org/%zz',
  ])('%s is refused', (path) => {
    expect(parseChecksumRequest(path, databases)).toBeUndefined();
  });
});
