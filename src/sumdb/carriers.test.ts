import { expect, it } from 'vitest';
import { originOf } from '../../test/fakes/effects/fetch.ts';
import { logOf, verifierKeyOf } from '../../test/fakes/sumdb/log-client.ts';
import type { Origin } from '../origins/origin.ts';
import { withCarriers, withoutCarriers } from './carriers.ts';
import type { Database } from './database.ts';

const log = logOf(1);
const database: Database = {
  name: 'sum.example',
  key: verifierKeyOf(log),
  origins: [originOf('sum.example'), originOf('mirror.example')],
};

function urlsWith(origins: readonly Origin[]): readonly string[] {
  return withCarriers(database, origins).origins.map(({ url }) => url);
}

const OWN = ['https://sum.example', 'https://mirror.example'];

it('a database is asked at its own addresses and then through the origins of modules', () => {
  expect(urlsWith([originOf('a'), originOf('b')])).toEqual([
    ...OWN,
    'https://a/sumdb/sum.example',
    'https://b/sumdb/sum.example',
  ]);
});

it.each<[string, readonly Origin[]]>([
  ['with `modules`, as it is asked about nothing else', [originOf('a', { modules: [] })]],
  [
    'behind a comma, as it would be told names before those in front of it answered 404',
    [originOf('a', { modules: [] }), originOf('b', { fallback: 'missing' }), originOf('c')],
  ],
])('an origin %s carries nothing', (_, origins) => {
  const carriers = urlsWith(origins).slice(OWN.length);
  expect(carriers).toEqual(origins.length > 1 ? ['https://b/sumdb/sum.example'] : []);
});

it('an address that SUMDBS names itself is no carrier as well', () => {
  const named = { ...database, origins: [originOf('a', { url: 'https://a/sumdb/sum.example' })] };
  expect(withCarriers(named, [originOf('a')]).origins).toEqual(named.origins);
});

it('a carrier has the credentials, limits and regions of its origin, and a name of its own', () => {
  const limits = { headersMs: 1, stallMs: 2 };
  const origin = originOf('a', {
    name: 'corp',
    authorization: 'Bearer x',
    regions: ['CN'],
    limits,
    fallback: 'missing',
  });
  expect(withCarriers(database, [origin]).origins.at(-1)).toEqual({
    name: 'corp/sumdb/sum.example',
    url: 'https://a/sumdb/sum.example',
    carries: 'sum.example',
    authorization: 'Bearer x',
    regions: ['CN'],
    limits,
    fallback: 'any',
  });
});

it('a database without its carriers is the one before', () => {
  expect(withoutCarriers(withCarriers(database, [originOf('a')]))).toEqual(database);
});
