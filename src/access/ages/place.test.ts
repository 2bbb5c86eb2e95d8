import { expect, it } from 'vitest';
import { ageOf, formatPlace, mergedPlace, needsInfo, parsePlace, type Place } from './place.ts';

const place: Place = { database: 'db', record: 5, observedAt: 1_000, infoAt: undefined };

it.each<[Partial<Place>, number, unknown]>([
  [{}, 1_099, { kind: 'young', from: 1_100 }],
  [{}, 1_100, { kind: 'old' }],
  [{ infoAt: 500 }, 599, { kind: 'young', from: 600 }],
  [{ infoAt: 500 }, 600, { kind: 'old' }],
  [{ infoAt: 2_000 }, 1_099, { kind: 'young', from: 1_100 }],
  [{ infoAt: 'unread' }, 1_100, { kind: 'old' }],
])('a version with the place %j is at %d, for a minimum age of 100, %j', (some, now, age) => {
  expect(ageOf({ ...place, ...some }, 100, now)).toEqual(age);
});

it('the .info is needed until the first observation is old', () => {
  const unread: Place = { ...place, infoAt: 'unread' };
  expect([1_099, 1_100].map((now) => needsInfo(unread, 100, now))).toEqual([true, false]);
  expect(needsInfo(place, 100, 0)).toBe(false);
});

it.each<[Partial<Place>, Partial<Place>, Partial<Place>]>([
  [{ observedAt: 900 }, { observedAt: 1_000 }, { observedAt: 900 }],
  [{ observedAt: 1_000 }, { observedAt: 900 }, { observedAt: 900 }],
  [{ infoAt: 'unread' }, { infoAt: 7 }, { infoAt: 7 }],
  [{ infoAt: 7 }, { infoAt: 'unread' }, { infoAt: 7 }],
  // One isolate knows an observation without the record: the author's word counts no more.
  [{ infoAt: 7 }, {}, { infoAt: undefined }],
  [{}, { infoAt: 7 }, { infoAt: undefined }],
  [{ database: 'other', observedAt: 1 }, {}, {}],
])('what is stored as %j and known as %j is %j', (stored, known, expected) => {
  const merged = mergedPlace({ ...place, ...stored }, { ...place, ...known });
  expect(merged).toEqual({ ...place, ...expected });
});

it.each<Partial<Place>>([{}, { infoAt: 'unread' }, { infoAt: -5 }])(
  'a place with %j is read as it was written',
  (some) => {
    const written: unknown = JSON.parse(JSON.stringify(formatPlace({ ...place, ...some })));
    expect(parsePlace(written)).toEqual({ ...place, ...some });
  },
);

it.each([undefined, null, 5, 'x', {}, [], ['db', 5], ['db', '5', 1], ['db', 5, 1, 'x'], [5, 5, 5]])(
  '%j is no place: the version is looked up again',
  (json) => {
    expect(parsePlace(json)).toBeUndefined();
  },
);
