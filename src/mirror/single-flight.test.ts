import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { SingleFlight } from './single-flight.ts';

it('the first request leads, and the requests after it get what it shares', async () => {
  const flights = new SingleFlight<string>(fakeClock());
  expect(flights.join('a')).toBeUndefined();
  const leader = flights.lead('a');
  const waiting = [flights.join('a'), flights.join('a')];
  leader.share('news');
  const joined = [...waiting, flights.join('a')].map(async (flight) => flight?.shared);
  expect(await Promise.all(joined)).toEqual(['news', 'news', 'news']);
});

it('the leader sees how many requests have joined', () => {
  const flights = new SingleFlight<string>(fakeClock());
  const leader = flights.lead('a');
  expect(leader.waiting).toBe(0);
  for (const key of ['a', 'a', 'b']) void flights.join(key);
  expect(leader.waiting).toBe(2);
});

it('a flight is about one key', () => {
  const flights = new SingleFlight<string>(fakeClock());
  flights.lead('a');
  expect(flights.join('b')).toBeUndefined();
});

it('only the first shared value counts', async () => {
  const flights = new SingleFlight<string>(fakeClock());
  const leader = flights.lead('a');
  leader.share('first');
  leader.share('second');
  expect(await flights.join('a')?.shared).toBe('first');
});

it('after the end of a flight the next request leads', () => {
  const flights = new SingleFlight<string>(fakeClock());
  flights.lead('a').end();
  expect(flights.join('a')).toBeUndefined();
});

it('a late end does not end the flight that took its place', () => {
  const flights = new SingleFlight<string>(fakeClock());
  const late = flights.lead('a');
  flights.lead('a');
  late.end();
  expect(flights.join('a')).toBeDefined();
});

it('a flight is joined until it lands, and counts until it ends', () => {
  const flights = new SingleFlight<string>(fakeClock());
  const first = flights.lead('a');
  first.land();
  expect([flights.join('a'), flights.count('a')]).toEqual([undefined, 1]);
  const second = flights.lead('a');
  expect([flights.count('a'), flights.count('b')]).toEqual([2, 0]);
  first.end();
  second.end();
  expect(flights.count('a')).toBe(0);
});

describe('a leader', () => {
  it('without a sign of life is forgotten after three seconds, and each sign keeps it', async () => {
    const clock = fakeClock();
    const flights = new SingleFlight<string>(clock);
    const leader = flights.lead('a');
    for (let seconds = 0; seconds < 60; seconds += 2) {
      await clock.advance(2_000);
      leader.beat();
    }
    await clock.advance(2_999);
    expect([flights.join('a'), flights.count('a')]).toEqual([leader, 1]);
    await clock.advance(1);
    expect([flights.join('a'), flights.count('a')]).toEqual([undefined, 0]);
  });

  it('that streams a body makes progress only by bytes, and still counts without them', async () => {
    const clock = fakeClock();
    const flights = new SingleFlight<string>(clock);
    const leader = flights.lead('a');
    let received: number | undefined = 0;
    leader.stream(() => received);
    const beat = async () => {
      await clock.advance(1_000);
      leader.beat();
    };
    for (received = 1; received < 10; received += 1) await beat();
    expect(flights.join('a')).toBe(leader);
    await beat();
    await beat();
    await beat();
    await beat();
    expect([flights.join('a'), flights.count('a')]).toEqual([undefined, 1]);
    received = undefined; // it waits for the store, not for the origin
    await beat();
    expect(flights.join('a')).toBe(leader);
  });
});
