import { expect, it } from 'vitest';
import { modulePath, version } from '../../test/fakes/effects/values.ts';
import { parseVersionQuery } from '../module/version.ts';
import { checksumKey, latestKey, listKey, versionKey, versionPrefix } from './key.ts';

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
  [versionKey(azure, branch, 'info'), 'github.com/!azure/!thing/@v/!main.info'],
  [versionPrefix(azure), 'github.com/!azure/!thing/@v/'],
  [checksumKey('sum.golang.org', 'latest'), 'sumdb/sum.golang.org/latest'],
  [checksumKey('sum.golang.org', 'tile/8/0/x001/234'), 'sumdb/sum.golang.org/tile/8/0/x001/234'],
])('%s is %s', (key, expected) => {
  expect(key).toBe(expected);
});
