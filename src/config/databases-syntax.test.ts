import { describe, expect, it } from 'vitest';
import { createLog } from '../../test/fakes/sumdb/transparency-log.ts';
import { parseDatabases } from './databases-syntax.ts';
import { checksumPath, parseChecksumRequest } from '../sumdb/request.ts';

const limits = { headers: 1, stall: 2 };
const KEY = createLog().verifierKey;

function parse(text: string) {
  const problems: string[] = [];
  const databases = parseDatabases(text, { limits, problems });
  return {
    problems,
    found: databases.map(({ name, origins }) => [name, ...origins.map(({ url }) => url)].join(' ')),
    databases,
  };
}

describe('SUMDBS', () => {
  it.each([
    ['off', []],
    [' off ', []],
    ['sum.golang.org', ['sum.golang.org https://sum.golang.org https://sum.golang.google.cn']],
    [
      'sum.golang.google.cn',
      ['sum.golang.org https://sum.golang.google.cn https://sum.golang.org'],
    ],
    ['sum.golang.org https://mirror.example/sum', ['sum.golang.org https://mirror.example/sum']],
    [KEY, ['sum.example.test https://sum.example.test']],
    [
      `${KEY} http://a:81|b.example , sum.golang.org`,
      [
        'sum.example.test http://a:81 https://b.example',
        'sum.golang.org https://sum.golang.org https://sum.golang.google.cn',
      ],
    ],
  ])('%j is %j', (text, expected) => {
    expect(parse(text)).toMatchObject({ problems: [], found: expected });
  });

  it.each([
    ['sum.other.org', 'is neither the name of a known database nor a verifier key (name+hash+key)'],
    ['sum.example.test+0123abcd', 'has a verifier key that does not have three parts'],
    [
      'sum.example.test+0123abcd+Bxxx',
      'has a verifier key that has the hash "0123abcd", but its name and key have',
    ],
    [KEY.replace('sum.', 'sun.'), 'copy the whole key from its database again'],
    [`${KEY} https://a https://b`, 'separate addresses by "|", databases by ","'],
    [`${KEY} ftp://a`, 'has the address "ftp://a", which has no http or https scheme'],
    [`${KEY} ftp://me:secret@a`, 'has the address "ftp://…@a", which has no http or https scheme'],
    [createLog({ name: 'UPPER' }).verifierKey, 'has a name that is no host with an optional path'],
    ['sum.golang.org,sum.golang.org', 'is named twice'],
  ])('%j is refused', (text, problem) => {
    expect(parse(text).problems).toEqual([expect.stringContaining(problem)]);
  });
});

it('a private key that is given by mistake is not shown', () => {
  const { problems } = parse(
    'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz',
  );
  expect(problems.join()).toContain('has a verifier key that is the private one');
  expect(problems.join()).not.toContain('AYEKFALV');
});

describe('a request', () => {
  const { databases } = parse(
    `sum.golang.org,${KEY},${createLog({ name: 'sum.example.test/v2' }).verifierKey}`,
  );
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
  ])('%s is %s of %s', (path, kind, name, asked) => {
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
  ])('%s is none', (path) => {
    expect(parseChecksumRequest(path, databases)).toBeUndefined();
  });
});
