import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { Flights } from './flights.ts';

it('nobody leads at first, and everybody joins who comes after the leader', async () => {
  const flights = new Flights<string>(fakeClock());
  expect(flights.join('a')).toBeUndefined();
  const flight = flights.lead('a');
  const waiting = [flights.join('a'), flights.join('a')];
  flight.share('news');
  expect(await Promise.all([...waiting, flights.join('a')])).toEqual(['news', 'news', 'news']);
});

it('the leader sees how many have joined', () => {
  const flights = new Flights<string>(fakeClock());
  const flight = flights.lead('a');
  expect(flight.joined).toBe(0);
  for (const key of ['a', 'a', 'b']) void flights.join(key);
  expect(flight.joined).toBe(2);
});

it('a flight is about one key', () => {
  const flights = new Flights<string>(fakeClock());
  flights.lead('a');
  expect(flights.join('b')).toBeUndefined();
});

it('only the first word counts', async () => {
  const flights = new Flights<string>(fakeClock());
  const flight = flights.lead('a');
  flight.share('first');
  flight.share('second');
  expect(await flights.join('a')).toBe('first');
});

it('after the landing the next one leads', () => {
  const flights = new Flights<string>(fakeClock());
  flights.lead('a').land();
  expect(flights.join('a')).toBeUndefined();
});

it('a late landing does not end the flight that took its place', () => {
  const flights = new Flights<string>(fakeClock());
  const late = flights.lead('a');
  flights.lead('a');
  late.land();
  expect(flights.join('a')).toBeDefined();
});

it('a flight without a sign of life is forgotten, and a sign of life keeps it', async () => {
  const clock = fakeClock();
  const flights = new Flights<string>(clock, 60_000);
  const flight = flights.lead('a');
  await clock.advance(60_000);
  expect(flights.join('a')).toBeDefined();
  flight.touch();
  await clock.advance(60_000);
  expect(flights.join('a')).toBeDefined();
  await clock.advance(1);
  expect(flights.join('a')).toBeUndefined();
});
