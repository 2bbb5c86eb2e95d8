import { describe, expect, it } from 'vitest';
import { originOf } from '../../../test/fakes/effects/fetch.ts';
import { modulePath } from '../../../test/fakes/effects/values.ts';
import { parsePatterns } from '../../module/patterns.ts';
import type { Lane } from '../health/health.ts';
import { groupsOf, originsFor, rankOrigins, type Region } from './order.ts';
import type { Origin } from '../origin.ts';
import { HealthRegistry } from '../health/registry.ts';

const names = (origins: readonly Origin[]) => origins.map(({ name }) => name).join(' ');

function patterns(text: string) {
  const parsed = parsePatterns(text);
  return parsed.ok ? parsed.value : [];
}

describe('the origins of a module', () => {
  const corp = originOf('corp', { modules: patterns('*.corp.example') });
  const tools = originOf('tools', { modules: patterns('tools.corp.example,golang.org/x/tools') });
  const origins = [corp, originOf('china', { regions: ['CN'] }), tools, originOf('world')];

  it.each([
    ['golang.org/x/text', false, 'china world'],
    // An origin with `modules` is asked for these alone, and no other origin is asked for them.
    ['git.corp.example/tool', true, 'corp'],
    ['git.corp.example/tool', false, 'corp'],
    ['tools.corp.example/tool', true, 'corp tools'],
    ['golang.org/x/tools', false, 'tools'],
    // A module that PRIVATE names is requested from no other origin.
    ['secret.example/tool', true, ''],
  ])('for %s, private %s, are %j', (module, isPrivate, expected) => {
    expect(names(originsFor(origins, modulePath(module), { isPrivate }))).toBe(expected);
  });

  it('are none when every origin has `modules` and none of them match', () => {
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
    // nothing follows the last one
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

/** What was recorded of an origin. */
interface Recorded {
  /** Milliseconds until the headers of its answers. */
  readonly latency?: number;
  /** The last requests, oldest first: `s`ucceeded, `f`ailed, or a zip froze `z`. */
  readonly requests?: string;
  /** Seconds between them and now. */
  readonly ago?: number;
  readonly regions?: readonly string[];
  readonly askLast?: true;
}

function rank(
  recorded: Readonly<Record<string, Recorded>>,
  { lane = 'reach', region = FRANKFURT }: { readonly lane?: Lane; readonly region?: Region } = {},
): string {
  let now = Date.UTC(2026, 0, 1);
  const today = now;
  const health = new HealthRegistry({
    clock: { now: () => now, steady: () => now },
    random: () => 0.5,
  });
  const group = Object.entries(recorded).map(
    ([name, { ago = 0, latency, regions = [], requests = '' }]) => {
      const origin = originOf(name, { regions });
      now = today - ago * 1000;
      const answers = latency === undefined ? '' : 'sssss';
      for (const request of answers + requests) {
        const lane: Lane = request === 'z' ? 'bulk' : 'reach';
        const observation = { lane, bytes: 0, headersMs: latency };
        if (request === 's') health.recordSuccess(origin, observation);
        else {
          const body = request === 'z' ? { ...observation, headersMs: 80 } : observation;
          health.recordFailure(
            origin,
            { origin: name, reason: { kind: 'timeout', ms: 10_000 } },
            body,
          );
        }
      }
      return origin;
    },
  );
  now = today;
  const askLast = ({ name }: Origin) => recorded[name]?.askLast ?? false;
  return names(rankOrigins(group, { region, health, lane, askLast }));
}

describe('mirrors, best first', () => {
  type Case = [rule: string, recorded: Readonly<Record<string, Recorded>>, expected: string];
  it.each<Case>([
    ['without any request: as configured', { a: {}, b: {}, c: {} }, 'a b c'],
    [
      'a suspect origin comes after the healthy ones',
      { a: { requests: 'f' }, b: {}, c: {} },
      'b c a',
    ],
    [
      'an origin that failed once is no better than one that failed twice',
      { a: { requests: 'ff' }, b: { requests: 'f' } },
      'a b',
    ],
    ['an origin that recovered is where it was', { a: { requests: 'ffs' }, b: {} }, 'a b'],
    [
      'an open breaker comes after suspect origins',
      { a: { requests: 'fff' }, b: { requests: 'ff' } },
      'b a',
    ],
    ['a half-open breaker too', { a: { requests: 'fff', ago: 60 }, b: { requests: 'f' } }, 'b a'],
    [
      'of the open ones the one that closes first is first',
      { a: { requests: 'fff' }, b: { requests: 'fff', ago: 20 }, c: { requests: 'fff', ago: 10 } },
      'b c a',
    ],
    ['health before region', { a: { regions: ['DE'], requests: 'f' }, b: {} }, 'b a'],
    ['health before latency', { a: { latency: 50, requests: 'f' }, b: { latency: 4_000 } }, 'b a'],
    [
      'the one that closes first, before region and latency',
      { a: { regions: ['DE'], latency: 50, requests: 'fff' }, b: { requests: 'fff', ago: 1 } },
      'b a',
    ],
    [
      'region before latency',
      { a: { latency: 50 }, b: { regions: ['DE'], latency: 4_000 } },
      'b a',
    ],
    [
      'of suspect origins the one of this region is first',
      { a: { requests: 'f' }, b: { requests: 'f', regions: ['DE'] } },
      'b a',
    ],
    ['latency before the configured order', { a: { latency: 900 }, b: { latency: 300 } }, 'b a'],
    [
      'asked last is behind a suspect origin',
      { a: { askLast: true }, b: { requests: 'f' } },
      'b a',
    ],
    [
      'asked last is behind an open breaker',
      { a: { askLast: true }, b: { requests: 'fff' } },
      'b a',
    ],
    [
      'among those that are asked last the same rules hold',
      { a: { askLast: true, requests: 'f' }, b: { askLast: true }, c: {} },
      'c b a',
    ],
  ])('%s', (_, recorded, expected) => {
    expect(rank(recorded)).toBe(expected);
  });

  it.each<[latencies: readonly (number | undefined)[], expected: string]>([
    // up to 200 ms all are equal
    [[190, 120, 5], 'a b c'],
    // steps of a factor of two: 200, 400, 800, 1600
    [[350, 250], 'a b'],
    [[500, 250], 'b a'],
    [[700, 500], 'a b'],
    [[1_000, 500], 'b a'],
    [[2_000, 1_000], 'b a'],
    [[4_000, 2_000, 1_000, 500, 250, 100], 'f e d c b a'],
    // an origin with too few answers is in the first step, so that it gets more
    [[undefined, 5], 'a b'],
    [[5, undefined], 'a b'],
    [[undefined, 700], 'a b'],
    [[700, undefined], 'b a'],
  ])('by a latency of %j ms: %s', (latencies, expected) => {
    const recorded = latencies.map(
      (latency, at) => ['abcdef'.charAt(at), latency ? { latency } : {}] as const,
    );
    expect(rank(Object.fromEntries(recorded))).toBe(expected);
  });

  it.each<[Region, string]>([
    [{}, 'china europe world'],
    [{ country: 'CN', continent: 'AS' }, 'china europe world'],
    [{ country: 'DE', continent: 'EU' }, 'europe china world'],
    [{ dataCentre: 'FRA' }, 'europe china world'],
    [{ dataCentre: 'JFK', country: 'US', continent: 'NA' }, 'china europe world'],
  ])('by the region %j: %s', (region, expected) => {
    const recorded = { china: { regions: ['CN'] }, europe: { regions: ['EU', 'FRA'] }, world: {} };
    expect(rank(recorded, { region })).toBe(expected);
  });

  it('an origin whose zips freeze is last for zips, and where it was for small files', () => {
    const recorded = { a: { requests: 'zzz' }, b: { requests: 'z' }, c: {} };
    expect([rank(recorded), rank(recorded, { lane: 'bulk' })]).toEqual(['a b c', 'c b a']);
  });

  it('an empty group stays empty', () => {
    expect(rank({})).toBe('');
  });
});
