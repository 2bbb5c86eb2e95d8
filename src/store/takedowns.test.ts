import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { fakeContext, memoryTiers, untilDone } from '../../test/fakes/mirror/context.ts';
import { ownKey, versionKey } from './key.ts';
import { formatMarks, KnownMarks, NO_MARKS, parseMarks, withMark } from './marks.ts';
import {
  isInForce,
  isLifted,
  KnownTakedowns,
  type Takedown,
  type Takedowns,
  withTakedown,
} from './takedowns.ts';

const NAME = 'example.com/bad@v1.0.0';
const DAY_MS = 86_400_000;

function takedown(rest: Partial<Takedown> = {}): Takedown {
  return {
    module: modulePath('example.com/bad'),
    version: version('v1.0.0'),
    file: 'info',
    origin: 'o',
    words: '',
    since: 1_000,
    askedAt: rest.since ?? 1_000,
    ...rest,
  };
}

const both = (a: Takedown, b: Takedown) => [
  withTakedown(withTakedown({}, a), b)[NAME],
  withTakedown(withTakedown({}, b), a)[NAME],
];

describe('what two isolates know of a version, in either order,', () => {
  it('is one takedown since the first of them', () => {
    for (const one of both(takedown(), takedown({ since: 5_000 })))
      expect(one).toMatchObject({ since: 1_000, askedAt: 5_000 });
  });

  it('stays lifted where one of them did not know that yet', () => {
    const lifted = takedown({ liftedAt: 3_000 });
    for (const other of [takedown({ askedAt: 4_000 }), takedown({ since: 5_000 })])
      for (const one of both(lifted, other)) expect(one && isLifted(one)).toBe(true);
  });

  it('is a new takedown after the end of the one before', () => {
    for (const one of both(takedown({ endedAt: 4_000 }), takedown({ since: 5_000 })))
      expect(one && isInForce(one)).toBe(true);
    for (const one of both(takedown({ liftedAt: 2_000, endedAt: 4_000 }), takedown()))
      expect(one && (isInForce(one) || isLifted(one))).toBe(false);
  });
});

const many = (count: number): Takedowns => {
  const all = Array.from({ length: count }, (_, n) =>
    takedown({ module: modulePath(`example.com/m${n}`), since: n }),
  );
  return Object.fromEntries(all.map((one) => [`${one.module}@${one.version}`, one]));
};

describe('takedowns', () => {
  it('give way where there are a thousand, those first that nobody has asked about for longest', () => {
    const all = withTakedown(many(1_000), takedown({ since: 5_000 }));
    expect(Object.keys(all)).toHaveLength(1_000);
    expect(Object.keys(all)).toContain(NAME);
    expect(Object.keys(all)).not.toContain('example.com/m0@v1.0.0');
    expect(Object.keys(all)).toContain('example.com/m1@v1.0.0');
  });

  it('are kept for a day after their end, by when every isolate has seen it', () => {
    const ended = withTakedown({}, takedown({ endedAt: 2_000 }));
    const later = (since: number) =>
      Object.keys(withTakedown(ended, takedown({ module: modulePath('example.com/m'), since })));
    expect(later(2_000 + DAY_MS)).toHaveLength(2);
    expect(later(2_001 + DAY_MS)).toHaveLength(1);
  });

  it('are not among what the limit of marks drops', () => {
    const marks = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`m${n}`, n]));
    const full = { ...NO_MARKS, marks, takedowns: withTakedown({}, takedown()) };
    const document = withMark(full, 'one more', 5_000);
    expect(Object.keys(document.marks)).toHaveLength(2_000);
    expect(document.takedowns?.[NAME]).toEqual(takedown());
  });

  it.each([
    ['module', 'no module'],
    ['version', 'v1'],
    ['file', 'list'],
    ['since', null],
  ])('with a %s that is none make the document one that cannot be read', (field, value) => {
    const takedowns = { [NAME]: { ...takedown(), [field]: value } };
    const written = new TextEncoder().encode(JSON.stringify({ ...NO_MARKS, takedowns }));
    expect(parseMarks(written).ok).toBe(false);
    expect(parseMarks(formatMarks({ ...NO_MARKS, takedowns: { [NAME]: takedown() } })).ok).toBe(
      true,
    );
  });

  it('of an isolate count until a document has them', () => {
    const known = new KnownTakedowns();
    known.learn(takedown());
    known.take({});
    expect(known.get(takedown())).toEqual(takedown());
    known.take({ [NAME]: takedown({ askedAt: 500 }) });
    expect(known.unwritten).toHaveLength(1);
    known.take({ [NAME]: takedown({ liftedAt: 7_000 }) });
    expect([known.unwritten, known.get(takedown())?.liftedAt]).toEqual([[], 7_000]);
  });
});

describe('the document of marks', () => {
  const DOCUMENT = ownKey('marks.json');
  const key = versionKey(modulePath('example.com/m'), version('v1.0.0'), 'mod');

  it('takes the takedowns and the marks of an isolate in one write', async () => {
    const clock = fakeClock();
    const tiers = memoryTiers(clock);
    const { idle, store } = fakeContext({ clock, tiers });
    store.marks.learn(takedown());
    await untilDone(clock, store.remove(key));
    await untilDone(clock, idle());
    const parsed = parseMarks(tiers.durable.files.get(DOCUMENT)?.bytes ?? new Uint8Array());
    expect(parsed).toMatchObject({
      value: { marks: { 'example.com/m': expect.any(Number) }, takedowns: { [NAME]: takedown() } },
    });
  });

  it('that another isolate has just written gets the takedown too', async () => {
    const clock = fakeClock();
    const tiers = memoryTiers(clock);
    const other = fakeContext({ clock, tiers });
    const here = fakeContext({ clock, tiers });
    const second = takedown({ module: modulePath('example.com/second') });
    const writing = Promise.all([
      here.store.marks.write(takedown()),
      other.store.marks.write(second),
    ]);
    expect(await untilDone(clock, writing)).toEqual([true, true]);
    const written = text(tiers.durable.files.get(DOCUMENT)?.bytes ?? new Uint8Array());
    expect(Object.keys(JSON.parse(written).takedowns)).toHaveLength(2);
  });

  it('is not needed: without a durable tier an isolate remembers what it has found', async () => {
    const known = new KnownMarks();
    const { store } = fakeContext({ tiers: {}, known });
    expect(await store.marks.write(takedown())).toBe(true);
    const later = fakeContext({ tiers: {}, known });
    expect(later.store.marks.takedown(takedown())).toEqual(takedown());
    expect(await later.store.marks.takedowns()).toEqual([takedown()]);
  });

  it('is read anew for a list of takedowns, whatever the isolate knows', async () => {
    const clock = fakeClock();
    const tiers = memoryTiers(clock);
    const [here, there] = [fakeContext({ clock, tiers }), fakeContext({ clock, tiers })];
    await untilDone(clock, here.store.marks.write(takedown()));
    expect(there.store.marks.takedown(takedown())).toBeUndefined();
    expect(await there.store.marks.takedowns()).toEqual([takedown()]);
    tiers.durable.read = () => Promise.reject(new Error('R2 is down'));
    expect(await there.store.marks.takedowns()).toBeUndefined();
  });
});
