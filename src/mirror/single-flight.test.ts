import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { SingleFlight } from './single-flight.ts';

it('the first request leads, and the requests after it get what it shares', async () => {
  const flights = new SingleFlight<string>(fakeClock());
  expect(flights.join('a')).toBeUndefined();
  const leader = flights.lead('a');
  const waiting = [flights.join('a'), flights.join('a')];
  leader.share('news');
  expect(await Promise.all([...waiting, flights.join('a')])).toEqual(['news', 'news', 'news']);
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
  expect(await flights.join('a')).toBe('first');
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

it('a flight without progress is forgotten after a minute, and progress keeps it', async () => {
  const clock = fakeClock();
  const flights = new SingleFlight<string>(clock);
  const leader = flights.lead('a');
  await clock.advance(60_000);
  expect(flights.join('a')).toBeDefined();
  leader.touch();
  await clock.advance(60_000);
  expect(flights.join('a')).toBeDefined();
  await clock.advance(1);
  expect(flights.join('a')).toBeUndefined();
});
