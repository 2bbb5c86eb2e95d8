import { describe, expect, it } from 'vitest';
import { originOf } from '../../../test/fakes/effects/fetch.ts';
import { modulePath } from '../../../test/fakes/effects/values.ts';
import { parsePatterns } from '../../module/patterns.ts';
import { groupsOf, originsFor, rankOrigins, type Region } from './order.ts';
import type { Origin } from '../origin.ts';
import { Pool } from '../health/pool.ts';

const names = (origins: readonly Origin[]) => origins.map(({ name }) => name).join(' ');

function patterns(text: string) {
  const parsed = parsePatterns(text);
  return parsed.ok ? parsed.value : [];
}

describe('who may be asked for a module', () => {
  const corp = originOf('corp', { modules: patterns('*.corp.example') });
  const tools = originOf('tools', { modules: patterns('tools.corp.example,golang.org/x/tools') });
  const origins = [corp, originOf('china', { regions: ['CN'] }), tools, originOf('world')];

  it.each([
    ['golang.org/x/text', false, 'china world'],
    // An origin with `modules` is asked for these alone, and nobody else is asked for them.
    ['git.corp.example/tool', true, 'corp'],
    ['git.corp.example/tool', false, 'corp'],
    ['tools.corp.example/tool', true, 'corp tools'],
    ['golang.org/x/tools', false, 'tools'],
    // A module that PRIVATE names is asked of no other.
    ['secret.example/tool', true, ''],
  ])('%s, private %s, is asked of %j', (module, isPrivate, expected) => {
    expect(names(originsFor(origins, modulePath(module), { isPrivate }))).toBe(expected);
  });

  it('of origins that all have `modules` none is asked for any other', () => {
    expect(
      originsFor([corp, tools], modulePath('golang.org/x/text'), { isPrivate: false }),
    ).toEqual([]);
  });
});

describe('groups of mirrors', () => {
  it.each([
    ['', ''],
    ['a', 'a'],
    ['a|b|c', 'a b c'],
    ['a,b', 'a; b'],
    ['a|b,c|d', 'a b; c d'],
    ['a,b,c', 'a; b; c'],
    // nobody is asked after the last one
    ['a|b,', 'a b'],
    ['a,', 'a'],
  ])('of %s are %s', (text, expected) => {
    const origins = [...text.matchAll(/(\w)([|,]?)/g)].map(([, name = '', separator]) =>
      originOf(name, { fallback: separator === ',' ? 'missing' : 'any' }),
    );
    expect(groupsOf(origins).map(names).join('; ')).toBe(expected);
  });
});

const FRANKFURT: Region = { dataCentre: 'FRA', country: 'DE', continent: 'EU' };

/** What is known of an origin. */
interface Known {
  /** Milliseconds until the headers of its answers. */
  readonly latency?: number;
  /** What became of the last requests, oldest first: `s`ucceeded, `f`ailed, or a zip froze `z`. */
  readonly requests?: string;
  /** Seconds between them and now. */
  readonly ago?: number;
  readonly regions?: readonly string[];
  readonly isLast?: true;
}

function rank(
  known: Readonly<Record<string, Known>>,
  {
    isZip = false,
    region = FRANKFURT,
  }: { readonly isZip?: boolean; readonly region?: Region } = {},
): string {
  let now = Date.UTC(2026, 0, 1);
  const today = now;
  const pool = new Pool({ clock: { now: () => now }, random: () => 0.5 });
  const group = Object.entries(known).map(
    ([name, { ago = 0, latency, regions = [], requests = '' }]) => {
      const origin = originOf(name, { regions });
      now = today - ago * 1000;
      const answers = latency === undefined ? '' : 'sssss';
      for (const request of answers + requests) {
        const observation = { isZip: request === 'z', bytes: 0, headersAfter: latency };
        if (request === 's') pool.succeeded(origin, observation);
        else {
          const body = request === 'z' ? { ...observation, headersAfter: 80 } : observation;
          pool.failed(origin, { origin: name, cause: 'timeout', text: 'no answer' }, body);
        }
      }
      return origin;
    },
  );
  now = today;
  const isLast = ({ name }: Origin) => known[name]?.isLast ?? false;
  return names(rankOrigins(group, { region, pool, isZip, isLast }));
}

describe('mirrors, best first', () => {
  type Case = [rule: string, known: Readonly<Record<string, Known>>, expected: string];
  it.each<Case>([
    ['nobody is known: as configured', { a: {}, b: {}, c: {} }, 'a b c'],
    ['who failed comes after who is well', { a: { requests: 'f' }, b: {}, c: {} }, 'b c a'],
    [
      'who failed once is no better than twice',
      { a: { requests: 'ff' }, b: { requests: 'f' } },
      'a b',
    ],
    ['who is well again is where it was', { a: { requests: 'ffs' }, b: {} }, 'a b'],
    [
      'who is open comes after who failed',
      { a: { requests: 'fff' }, b: { requests: 'ff' } },
      'b a',
    ],
    [
      'who waits for its trial too',
      { a: { requests: 'fff', ago: 60 }, b: { requests: 'f' } },
      'b a',
    ],
    [
      'of the open ones the one that closes first is first',
      { a: { requests: 'fff' }, b: { requests: 'fff', ago: 20 }, c: { requests: 'fff', ago: 10 } },
      'b c a',
    ],
    ['health before region', { a: { regions: ['DE'], requests: 'f' }, b: {} }, 'b a'],
    ['health before latency', { a: { latency: 50, requests: 'f' }, b: { latency: 4_000 } }, 'b a'],
    [
      'who closes first, before region and latency',
      { a: { regions: ['DE'], latency: 50, requests: 'fff' }, b: { requests: 'fff', ago: 1 } },
      'b a',
    ],
    [
      'region before latency',
      { a: { latency: 50 }, b: { regions: ['DE'], latency: 4_000 } },
      'b a',
    ],
    [
      'of those that failed the one of this region is first',
      { a: { requests: 'f' }, b: { requests: 'f', regions: ['DE'] } },
      'b a',
    ],
    ['latency before the configured order', { a: { latency: 900 }, b: { latency: 300 } }, 'b a'],
    ['set aside is last, behind who failed', { a: { isLast: true }, b: { requests: 'f' } }, 'b a'],
    [
      'set aside is last, behind who is open',
      { a: { isLast: true }, b: { requests: 'fff' } },
      'b a',
    ],
    [
      'of those set aside the same rules hold',
      { a: { isLast: true, requests: 'f' }, b: { isLast: true }, c: {} },
      'c b a',
    ],
  ])('%s', (_, known, expected) => {
    expect(rank(known)).toBe(expected);
  });

  it.each<[latencies: readonly (number | undefined)[], expected: string]>([
    // up to 200 ms all are as good as another
    [[190, 120, 5], 'a b c'],
    // steps of a factor of two: 200, 400, 800, 1600
    [[350, 250], 'a b'],
    [[500, 250], 'b a'],
    [[700, 500], 'a b'],
    [[1_000, 500], 'b a'],
    [[2_000, 1_000], 'b a'],
    [[4_000, 2_000, 1_000, 500, 250, 100], 'f e d c b a'],
    // of whom too little is known nothing is held against it: how else would it become known
    [[undefined, 5], 'a b'],
    [[5, undefined], 'a b'],
    [[undefined, 700], 'a b'],
    [[700, undefined], 'b a'],
  ])('by a latency of %j ms: %s', (latencies, expected) => {
    const known = latencies.map(
      (latency, at) => ['abcdef'.charAt(at), latency ? { latency } : {}] as const,
    );
    expect(rank(Object.fromEntries(known))).toBe(expected);
  });

  it.each<[Region, string]>([
    [{}, 'china europe world'],
    [{ country: 'CN', continent: 'AS' }, 'china europe world'],
    [{ country: 'DE', continent: 'EU' }, 'europe china world'],
    [{ dataCentre: 'FRA' }, 'europe china world'],
    [{ dataCentre: 'JFK', country: 'US', continent: 'NA' }, 'china europe world'],
  ])('by the region %j: %s', (region, expected) => {
    const known = { china: { regions: ['CN'] }, europe: { regions: ['EU', 'FRA'] }, world: {} };
    expect(rank(known, { region })).toBe(expected);
  });

  it('whose zips freeze comes last for zips, and is where it was for small files', () => {
    const known = { a: { requests: 'zzz' }, b: { requests: 'z' }, c: {} };
    expect([rank(known), rank(known, { isZip: true })]).toEqual(['a b c', 'c b a']);
  });

  it('a group that holds nobody has no order', () => {
    expect(rank({})).toBe('');
  });
});
