import { describe, expect, it } from 'vitest';
import { askEffects } from '../../../test/fakes/effects/ask.ts';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { fakeFetch, never, originOf } from '../../../test/fakes/effects/fetch.ts';
import { failTimes, fakeHealth, succeed } from '../../../test/fakes/effects/health.ts';
import { success } from '../../effects/result.ts';
import { OriginError } from '../failure.ts';
import type { Origin } from '../origin.ts';
import { askOrigins } from './ask.ts';
import { rankOrigins } from './order.ts';

// A checksum database with two addresses of its own, o and p, and two carriers, x and y.

const question = {
  path: '/lookup',
  accept: async (body: { all(limit: number): Promise<Uint8Array> }) =>
    success(new TextDecoder().decode(await body.all(100))),
};
const own = ['o', 'p'].map((name) => originOf(name));
const carriers = ['x', 'y'].map((name) => originOf(name, { carries: 'sum.example' }));
const everyone = [...own, ...carriers];

const REPLY = {
  ok: () => new Response('ok'),
  404: () => new Response('no', { status: 404 }),
  500: () => new Response('', { status: 500 }),
  down: () => {
    throw new TypeError('refused');
  },
  hang: never,
  unsupported: () => {
    throw new OriginError({ kind: 'not asked', because: 'it does not carry the database' });
  },
} as const;
type Replies = Readonly<Record<string, `${keyof typeof REPLY}`>>;

async function ask(replies: Replies, origins: readonly Origin[] = everyone) {
  const clock = fakeClock();
  const health = fakeHealth(clock);
  const fetch = fakeFetch(
    Object.fromEntries(
      Object.entries(replies).map(([name, key]) => [`https://${name}/`, REPLY[key]]),
    ),
  );
  const asking = askOrigins(origins, question, askEffects({ clock, fetch, health }));
  await clock.advance(30_000);
  const answer = await asking;
  return { answer, health, asked: fetch.calls.map(({ url }) => new URL(url).host).join('') };
}

describe('carriers', () => {
  it.each<[Replies, string, object]>([
    [{ o: 'ok' }, 'o', { kind: 'accepted', origin: 'o' }],
    [{ o: 'down', p: 'ok' }, 'op', { kind: 'accepted', origin: 'p' }],
    [{ o: 'down', p: 'down', x: 'ok' }, 'opx', { kind: 'accepted', origin: 'x' }],
    [{ o: 'hang', p: 'hang', x: 'ok' }, 'opx', { kind: 'accepted', origin: 'x' }],
    [{ o: 'down', p: '500', x: '404', y: 'ok' }, 'opxy', { kind: 'accepted', origin: 'y' }],
    // One own address says no and another cannot be asked: a carrier may have the record.
    [{ o: '404', p: 'down', x: 'ok' }, 'opx', { kind: 'accepted', origin: 'x' }],
  ])('%j are asked in the order %s', async (replies, order, expected) => {
    const { answer, asked } = await ask(replies);
    expect(asked).toBe(order);
    expect(answer).toMatchObject(expected);
  });

  it.each<[string, Replies, boolean, string]>([
    ['every own address says so', { o: '404', p: '404', x: 'ok', y: 'ok' }, true, 'op'],
    ['only carriers say so', { o: 'down', p: 'down', x: '404', y: '404' }, false, 'opxy'],
    ['one own address cannot be asked', { o: '404', p: 'down', x: '404', y: '404' }, false, 'opxy'],
  ])('a 404 is certain where %s: %s', async (_, replies, isUnanimous, order) => {
    const { answer, asked } = await ask(replies);
    expect(answer).toMatchObject({ kind: 'missing', isUnanimous });
    expect(asked).toBe(order);
  });

  it('that fail do not make the 404 of all own addresses uncertain', async () => {
    // p answers late, so that a carrier is asked beside it.
    const clock = fakeClock();
    const late = () => clock.sleep(700).then(REPLY[404]);
    const fetch = fakeFetch({ 'https://o/': late, 'https://p/': late, 'https://': REPLY.down });
    const asking = askOrigins(everyone, question, askEffects({ clock, fetch }));
    await clock.advance(30_000);
    expect(await asking).toMatchObject({ kind: 'missing', isUnanimous: true });
  });

  it('alone cannot say for certain that there is no such file', async () => {
    const { answer, asked } = await ask({ x: '404', y: '404' }, carriers);
    expect(answer).toMatchObject({ kind: 'missing', isUnanimous: false });
    expect(asked).toBe('xy');
  });

  it('that do not carry the database are no failure, and are not asked once more', async () => {
    const { answer, asked, health } = await ask({
      o: 'hang',
      p: 'hang',
      x: 'unsupported',
      y: 'unsupported',
    });
    expect(asked).toBe('opxy');
    expect(answer).toMatchObject({ kind: 'failed', failures: [{ origin: 'o' }, { origin: 'p' }] });
    for (const carrier of carriers) {
      expect(health.isSuspect(carrier, 'reach')).toBe(false);
      expect(health.counters(carrier).failures).toBe(0);
    }
  });

  it('leave the last try of all to an address that failed', async () => {
    const { asked } = await ask({ o: 'down', p: 'down', x: 'unsupported', y: 'unsupported' });
    expect(asked).toBe('opxyo');
  });
});

function order(health = fakeHealth(fakeClock())): string {
  const ranked = rankOrigins(everyone, { health, region: {}, lane: 'reach' });
  return ranked.map(({ name }) => name).join('');
}

describe('the order of own addresses and carriers', () => {
  const [o, p] = own as [Origin, Origin];

  it('has the own ones first, however fast a carrier is', () => {
    const health = fakeHealth(fakeClock());
    for (let times = 0; times < 5; times++) {
      for (const one of own) succeed(health, one, 3_000);
      for (const one of carriers) succeed(health, one, 10);
    }
    expect(order(health)).toBe('opxy');
  });

  it('has carriers before own ones that failed', () => {
    const health = fakeHealth(fakeClock());
    failTimes(health, o, 1);
    expect(order(health)).toBe('pxyo');
    failTimes(health, p);
    expect(order(health)).toBe('xyop');
  });
});

describe('an own address that is slow or was down', () => {
  const first = originOf('o');
  const carrier = originOf('x', { carries: 'sum.example' });
  const missing = { 'https://x/': REPLY[404] };

  it('is waited for although a carrier has answered 404', async () => {
    const clock = fakeClock();
    const health = fakeHealth(clock);
    const slowly = () => clock.sleep(6_000).then(() => new Response('ok'));
    const fetch = fakeFetch({ 'https://o/': slowly, ...missing });
    const asking = askOrigins([first, carrier], question, askEffects({ clock, fetch, health }));
    await clock.advance(30_000);
    expect(await asking).toMatchObject({ kind: 'accepted', origin: 'o' });
  });

  it('is asked although a carrier has answered 404', async () => {
    const clock = fakeClock();
    const health = fakeHealth(clock);
    failTimes(health, first, 3);
    health.claim404Confirmation(first);
    const fetch = fakeFetch({ 'https://o/': REPLY.ok, ...missing });
    const asking = askOrigins([first, carrier], question, askEffects({ clock, fetch, health }));
    await clock.advance(10_000);
    expect(await asking).toMatchObject({ kind: 'accepted', origin: 'o' });
  });
});
