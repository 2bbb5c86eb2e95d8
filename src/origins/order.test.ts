import { expect, it } from 'vitest';
import { originOf } from '../../test/fakes/fetch.ts';
import { modulePath } from '../../test/fakes/values.ts';
import { parsePatterns } from '../access/patterns.ts';
import { orderOrigins } from './order.ts';

function patterns(text: string) {
  const parsed = parsePatterns(text);
  return parsed.kind === 'parsed' ? parsed.patterns : [];
}

const corp = originOf('corp', { modules: patterns('*.corp.example') });
const china = originOf('china', { regions: ['CN'] });
const europe = originOf('europe', { regions: ['EU', 'FRA'] });
const world = originOf('world');

it.each([
  ['golang.org/x/text', false, {}, 'china europe world'],
  ['golang.org/x/text', false, { country: 'CN', continent: 'AS' }, 'china europe world'],
  ['golang.org/x/text', false, { country: 'DE', continent: 'EU' }, 'europe china world'],
  ['golang.org/x/text', false, { dataCentre: 'FRA' }, 'europe china world'],
  ['golang.org/x/text', false, { dataCentre: 'JFK', country: 'US', continent: 'NA' }, 'china europe world'],
  // An origin with `modules` is asked for these alone, and nobody else is asked for them, wherever the request came in.
  ['git.corp.example/tool', true, {}, 'corp'],
  ['git.corp.example/tool', false, {}, 'corp'],
  ['git.corp.example/tool', false, { country: 'CN' }, 'corp'],
  ['secret.example/tool', true, { country: 'CN' }, ''],
])('%s, private %s, from %j is asked of %s', (module, isPrivate, region, expected) => {
  const ordered = orderOrigins([corp, china, europe, world], modulePath(module), { isPrivate, region });
  expect(ordered.map(({ name }) => name).join(' ')).toBe(expected);
});
