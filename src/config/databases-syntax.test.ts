import { describe, expect, it } from 'vitest';
import { createLog } from '../../test/fakes/sumdb/transparency-log.ts';
import { parseDatabases } from './databases-syntax.ts';

const limits = { headersMs: 1, stallMs: 2 };
const KEY = createLog().verifierKey;

function parse(text: string) {
  const parsed = parseDatabases(text, { limits });
  const databases = parsed.ok ? parsed.value : [];
  return {
    problems: parsed.ok ? [] : parsed.reason,
    found: databases.map(({ name, origins }) => [name, ...origins.map(({ url }) => url)].join(' ')),
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
      `${KEY} http://127.0.0.1:81|b.example , sum.golang.org`,
      [
        'sum.example.test http://127.0.0.1:81 https://b.example',
        'sum.golang.org https://sum.golang.org https://sum.golang.google.cn',
      ],
    ],
  ])('%j names %j', (text, expected) => {
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
    [
      `${KEY} http://a`,
      'has the address "http://a", which is plain http, which anybody on the way can read and change: write https',
    ],
    [`${KEY} ftp://a`, 'has the address "ftp://a", which has no http or https scheme'],
    [`${KEY} ftp://me:secret@a`, 'has the address "ftp://…@a", which has no http or https scheme'],
    [createLog({ name: 'UPPER' }).verifierKey, 'has a name that is no host with an optional path'],
    ['sum.golang.org,sum.golang.org', 'is named twice'],
    [',', 'Cannot use SUMDBS ",": it names no database, write "off" for none'],
    [' , ,', 'it names no database, write "off" for none'],
    ['OFF', 'is neither the name of a known database nor a verifier key'],
    ['"sum.golang.org"', 'is neither the name of a known database nor a verifier key'],
    ['sum.golang.org;off', 'is neither the name of a known database nor a verifier key'],
    [`${KEY} "https://a.example"`, 'which is no name'],
  ])('%j is refused', (text, problem) => {
    expect(parse(text).problems).toEqual([expect.stringContaining(problem)]);
  });
});

it('every problem is reported at once', () => {
  expect(parse('x,y z w,sum.golang.org,sum.golang.org').problems.length).toBe(3);
});

it('every address of a database has the limits that are given', () => {
  const parsed = parseDatabases('sum.golang.org', { limits });
  const origins = parsed.ok ? parsed.value.flatMap((database) => database.origins) : [];
  expect(origins.map((origin) => origin.limits)).toEqual([limits, limits]);
});

it('a private key that is given by mistake is not shown', () => {
  const { problems } = parse(
    'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz',
  );
  expect(problems.join()).toContain('has a verifier key that is the private one');
  expect(problems.join()).not.toContain('AYEKFALV');
});
