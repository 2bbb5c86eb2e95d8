import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { LOCAL, type Outcome, type Source } from '../mirror/outcome.ts';
import { clientOf, UnknownPaths } from './unknown-paths.ts';

const FROM_STORE: Source = { from: 'store', tier: 'edge', origin: 'a.example' };

function missing(source: Source = FROM_STORE): Outcome {
  return { kind: 'missing', status: 404, text: 'not found', cache: 'negative', source };
}

function scene() {
  const clock = fakeClock();
  const paths = new UnknownPaths(clock);
  const ask = (path: string, client = 'ann', outcome = missing()) =>
    paths.limit(outcome, { client, path });
  /** The kinds of the answers to so many paths. */
  const askMany = (count: number, start = 'path', client?: string) =>
    new Set(Array.from({ length: count }, (_, at) => ask(`${start}${at}`, client).kind));
  return { clock, ask, askMany };
}

it('300 unknown paths within a minute are answered, and the next is 429 with the time', async () => {
  const { ask, askMany, clock } = scene();
  expect(askMany(300)).toEqual(new Set(['missing']));
  await clock.advance(17_400);
  expect(ask('one more')).toEqual({
    kind: 'unavailable',
    status: 429,
    text: 'too many requests: more than 300 paths within a minute that no origin knows. Files that exist are served as ever; ask for others in 43 s',
    retryAfterSeconds: 43,
    source: FROM_STORE,
  });
});

it('a path that is repeated counts once, and is answered beyond the limit too', () => {
  const { ask, askMany } = scene();
  for (let time = 0; time < 400; time++) ask('same');
  expect(askMany(299)).toEqual(new Set(['missing']));
  expect(ask('same').kind).toBe('missing');
  expect(ask('path0').kind).toBe('missing');
  expect(ask('other').kind).toBe('unavailable');
});

it('what is known, or never was a question to an origin, is neither limited nor counted', () => {
  const { ask, askMany } = scene();
  const refused: Outcome = { kind: 'refused', text: 'no', source: FROM_STORE };
  const others: readonly Outcome[] = [missing(LOCAL), refused];
  const askOthers = () =>
    others.map((outcome) =>
      Array.from({ length: 301 }, (_, at) => ask(`other${at}`, 'ann', outcome)).every(
        (answer) => answer === outcome,
      ),
    );
  expect(askOthers()).toEqual([true, true]);
  expect(askMany(300)).toEqual(new Set(['missing']));
  expect(ask('one more').kind).toBe('unavailable');
  expect(askOthers()).toEqual([true, true]);
});

it('each client has a limit of its own', () => {
  const { ask, askMany } = scene();
  askMany(300);
  expect(ask('one more').kind).toBe('unavailable');
  expect(ask('one more', 'ben').kind).toBe('missing');
});

it('no minute has more than 300, wherever it begins', async () => {
  const { ask, askMany, clock } = scene();
  askMany(100, 'first');
  await clock.advance(50_000);
  askMany(200, 'second');
  await clock.advance(10_000);
  expect(askMany(100, 'third')).toEqual(new Set(['missing']));
  expect(ask('one more')).toMatchObject({ status: 429, retryAfterSeconds: 50 });
  await clock.advance(50_000);
  expect(askMany(200, 'fourth')).toEqual(new Set(['missing']));
  expect(ask('one more')).toMatchObject({ status: 429, retryAfterSeconds: 10 });
});

it('a step of the wall clock changes nothing', () => {
  const { ask, askMany, clock } = scene();
  askMany(300);
  clock.step(-3_600_000);
  expect(ask('one more')).toMatchObject({ retryAfterSeconds: 60 });
  clock.step(7_200_000);
  expect(ask('one more').kind).toBe('unavailable');
});

it('no more than 20,000 paths are remembered: who asked least recently is forgotten', async () => {
  const { ask, askMany } = scene();
  askMany(300, 'path', 'ann');
  askMany(300, 'path', 'ben');
  for (let other = 0; other < 64; other++) askMany(300, 'path', `other${other}`);
  ask('path0', 'ann'); // is the most recent one now
  askMany(300, 'path', 'last');
  expect(ask('one more', 'ben').kind).toBe('missing');
  expect(ask('one more', 'ann').kind).toBe('unavailable');
});

it('paths of minutes that are over take no room', async () => {
  const { ask, askMany, clock } = scene();
  for (let minute = 0; minute < 70; minute++) {
    askMany(300, `minute${minute} `);
    await clock.advance(60_000);
  }
  askMany(300);
  expect(ask('one more').kind).toBe('unavailable');
});

describe('a client', () => {
  const anonymous = { kind: 'anonymous' } as const;

  it('is the holder of a token, whatever the address', () => {
    const holder = { kind: 'holder', name: 'ci', scope: 'read', modules: undefined } as const;
    expect(clientOf(holder, '192.0.2.1')).toBe(clientOf(holder, '192.0.2.2'));
    expect(clientOf(holder, '192.0.2.1')).not.toBe(clientOf(anonymous, '192.0.2.1'));
    expect(clientOf({ ...holder, name: '192.0.2.1' }, '')).not.toBe(
      clientOf(anonymous, '192.0.2.1'),
    );
  });

  it.each([
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::7', true],
    ['2001:db8::1', '2001:db8:0:0:ffff::', true],
    ['2001:db8:1:2::', '2001:db8:1:3::', false],
    ['2001:db8::1:0:0:0:1', '2001:db8::2:0:0:0:1', false],
    ['::1', '::2', true],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    [undefined, '', true],
  ])('with the address %s is the one with %s: %s', (one, other, expected) => {
    expect(clientOf(anonymous, one) === clientOf(anonymous, other)).toBe(expected);
  });
});
