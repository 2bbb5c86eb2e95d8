import { describe, expect, it } from 'vitest';
import { modulePath, version } from '../../test/fakes/effects/values.ts';
import { parseVersionQuery } from '../module/version.ts';
import {
  checksumKey,
  compareKeys,
  latestKey,
  listedKey,
  listKey,
  markSubject,
  ownKey,
  parseKey,
  rememberedMissingKey,
  sharedKey,
  versionKey,
  versionPrefix,
} from './key.ts';

const azure = modulePath('github.com/Azure/Thing');
const branch = parseVersionQuery('Main') ?? version('v0.0.0');

// The layout of $GOMODCACHE/cache/download, so that a copy of the bucket is a module cache.
it.each([
  [listKey(azure), 'github.com/!azure/!thing/@v/list'],
  [latestKey(azure), 'github.com/!azure/!thing/@latest'],
  [
    versionKey(azure, version('v1.0.1-RC1'), 'info'),
    'github.com/!azure/!thing/@v/v1.0.1-!r!c1.info',
  ],
  [
    versionKey(azure, version('v3.0.0+incompatible'), 'mod'),
    'github.com/!azure/!thing/@v/v3.0.0+incompatible.mod',
  ],
  [versionKey(azure, version('v1.0.0'), 'zip'), 'github.com/!azure/!thing/@v/v1.0.0.zip'],
  [versionKey(azure, version('v1.0.0'), 'ziphash'), 'github.com/!azure/!thing/@v/v1.0.0.ziphash'],
  [versionKey(azure, branch, 'info'), 'github.com/!azure/!thing/@v/!main.info'],
  [versionPrefix(azure), 'github.com/!azure/!thing/@v/'],
  [checksumKey('sum.golang.org', 'latest'), 'sumdb/sum.golang.org/latest'],
  [checksumKey('sum.golang.org', 'tile/8/0/x001/234'), 'sumdb/sum.golang.org/tile/8/0/x001/234'],
  [rememberedMissingKey(listKey(azure)), '@missing/github.com/!azure/!thing/@v/list'],
  [sharedKey('health'), '-/health'],
])('%s is %s', (key, expected) => {
  expect(key).toBe(expected);
});

it.each([
  [listKey(azure), 'github.com/!azure/!thing'],
  [latestKey(azure), 'github.com/!azure/!thing'],
  [versionKey(azure, version('v1.0.0'), 'zip'), 'github.com/!azure/!thing'],
  [rememberedMissingKey(listKey(azure)), 'github.com/!azure/!thing'],
  [checksumKey('sum.golang.org', 'tile/8/0/000'), 'sumdb/sum.golang.org/tile/8/0/000'],
])('a mark for %s is about %s', (key, subject) => {
  expect(markSubject(key)).toBe(subject);
});

describe('parseKey', () => {
  it('tells what modferry keeps for itself', () => {
    expect(parseKey(ownKey('marks.json'))).toEqual({ kind: 'own' });
    expect(parseKey('private/corp.example/tool/@v/list')).toEqual({ kind: 'own' });
    expect(parseKey('hosted/corp.example/tool/@v/v1.0.0.zip')).toEqual({ kind: 'own' });
  });

  const modules = ['example.com/hello', 'github.com/Azure/Thing', 'gopkg.in/yaml.v3', 'x.io/m/v2'];
  const versions: Readonly<Record<string, readonly string[]>> = {
    'example.com/hello': ['v1.0.0', 'v0.0.0-20240115100000-abcdefabcdef', 'v2.0.0+incompatible'],
    'github.com/Azure/Thing': ['v1.0.1-RC1', 'v0.1.0-pre.info'],
    'gopkg.in/yaml.v3': ['v3.0.1'],
    'x.io/m/v2': ['v2.0.0'],
  };

  it.each(modules)('is the inverse of the key functions, of %s', (name) => {
    const module = modulePath(name);
    expect(parseKey(listKey(module))).toEqual({ kind: 'list', module });
    expect(parseKey(latestKey(module))).toEqual({ kind: 'latest', module });
    for (const text of versions[name] ?? []) {
      for (const kind of ['info', 'mod', 'zip', 'ziphash'] as const) {
        const key = versionKey(module, version(text), kind);
        expect(parseKey(key)).toEqual({ kind, module, version: text });
      }
    }
  });

  it.each(['main', 'Main', 'feature.mod', 'v1', 'abcdef123456', 'v1.2.3+meta'])(
    'gives the query %s of an .info back',
    (text) => {
      const query = parseVersionQuery(text);
      if (query === undefined) throw new Error(`no query: ${text}`);
      expect(parseKey(versionKey(azure, query, 'info'))).toEqual({
        kind: 'query',
        module: azure,
        query,
      });
    },
  );

  it('takes the .info of a version that the module path cannot have for a query', () => {
    const key = versionKey(modulePath('example.com/hello'), version('v3.0.0'), 'info');
    expect(parseKey(key)).toEqual({
      kind: 'query',
      module: 'example.com/hello',
      query: 'v3.0.0',
    });
  });

  it.each(['latest', 'lookup/example.com/hello@v1.0.0', 'tile/8/0/x001/234'])(
    'leaves the path of a checksum database, %s, as it is',
    (path) => {
      expect(parseKey(checksumKey('sum.example', path))).toEqual({
        kind: 'checksums',
        path: `sum.example/${path}`,
      });
    },
  );

  it.each([
    '',
    'list',
    '@v/list',
    '/@v/list',
    'example.com/hello',
    'example.com/hello/@v',
    'example.com/hello/@v/',
    'example.com/hello/@v/v1.0.0',
    'example.com/hello/@v/.info',
    'example.com/hello/@v/v1.0.0.lock',
    'example.com/hello/@v/v1.0.0.zip.tmp',
    'example.com/hello/@v/sub/v1.0.0.info',
    'example.com/hello/@v/main.mod',
    'example.com/hello/@v/main.zip',
    'example.com/hello/@v/!!.info',
    'github.com/Azure/x/@v/list',
    'github.com/!Azure/x/@v/list',
    'example.com/../x/@v/list',
    'nodot/x/@v/list',
    rememberedMissingKey(listKey(azure)),
    sharedKey('health'),
  ])('refuses %j', (text) => expect(parseKey(text)).toBeUndefined());
});

it('a key that a store listed stays as it is', () => {
  expect(listedKey('example.com/hello/@v/list')).toBe(listKey(modulePath('example.com/hello')));
});

describe('compareKeys', () => {
  it('orders by UTF-8 bytes, where the order of UTF-16 differs', () => {
    const keys = ['\u{1f6a2}', 'a', '\uffee', 'B', 'ab', '', '!a'];
    expect(keys.toSorted(compareKeys)).toEqual(['', '!a', 'B', 'a', 'ab', '\uffee', '\u{1f6a2}']);
  });

  it('is 0 for equal keys alone', () => {
    expect(compareKeys('a', 'a')).toBe(0);
    expect(Math.sign(compareKeys('a', 'ab'))).toBe(-1);
    expect(Math.sign(compareKeys('ab', 'a'))).toBe(1);
  });
});
