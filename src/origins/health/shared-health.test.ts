import { expect, it } from 'vitest';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { originOf } from '../../../test/fakes/effects/fetch.ts';
import { failTimes, fakeHealth, succeed } from '../../../test/fakes/effects/health.ts';
import { decodeHealth, encodeHealth } from './shared-health.ts';

const clock = fakeClock();
const now = clock.now();
const good = originOf('good.example');
const bad = originOf('bad.example', { url: 'https://bad.example/t/SECRET-TOKEN' });
const urls = [good.url, bad.url];

function recorded() {
  const health = fakeHealth(clock);
  for (const ms of [40, 50, 60]) succeed(health, good, ms);
  failTimes(health, bad);
  return health.snapshot();
}

/** The text with one value replaced, wherever it stands. */
function altered(from: string, to: string): string {
  const text = encodeHealth(recorded(), urls);
  expect(text).toContain(from);
  return text.replaceAll(from, to);
}

it('the health that one isolate wrote is read by another one as it was', () => {
  const text = encodeHealth(recorded(), urls);
  expect(decodeHealth(text, { urls, now })).toEqual(recorded());
});

it('no address is in the text, as it may hold a token', () => {
  expect(encodeHealth(recorded(), urls)).not.toMatch(/example|SECRET|https/);
});

it('only origins of the own configuration are written and read', () => {
  expect(decodeHealth(encodeHealth(recorded(), [bad.url]), { urls, now })?.has(good.url)).toBe(
    false,
  );
  const read = decodeHealth(encodeHealth(recorded(), urls), { urls: [good.url], now });
  expect([...(read?.keys() ?? [])]).toEqual([good.url]);
});

it.each([
  ['nothing', ''],
  ['no JSON', '{"version":1,"origins":'],
  ['no object', '[]'],
  ['null', 'null'],
  ['no version', '{"origins":{}}'],
  ['another version', '{"version":2,"origins":{}}'],
  ['a list of origins', '{"version":1,"origins":7}'],
])('a text of %s is not read', (_, text) => {
  expect(decodeHealth(text, { urls, now })).toBe(undefined);
});

it.each([
  ['a text for a number', '"failures":3', '"failures":"3"'],
  ['a negative number', '"failures":3', '"failures":-3'],
  ['half a failure', '"failures":3', '"failures":2.5'],
  ['no number at all', '"failures":3', '"failures":null'],
  ['more than a number holds', '"openings":1', '"openings":1e999'],
  ['a field that is not there', '"openings":1,', ''],
  ['an endless breaker', `"until":${now + 30_000}`, `"until":${now + 8_000_000}`],
])('an origin with %s is ignored, and the others are not', (_, from, to) => {
  const read = decodeHealth(altered(from, to), { urls, now });
  expect([...(read?.keys() ?? [])]).toEqual([good.url]);
});

it('a time that lies ahead is ignored, as it would be later than every real one', () => {
  const text = encodeHealth(recorded(), urls);
  expect(decodeHealth(text, { urls, now: now - 59_000 })?.size).toBe(2);
  expect(decodeHealth(text, { urls, now: now - 61_000 })?.size).toBe(0);
});

it('a latency histogram that is longer than possible is ignored', () => {
  const endless = `"latency":[${'1,'.repeat(100)}1]`;
  const text = encodeHealth(recorded(), urls).replaceAll(/"latency":\[[^\]]*\]/g, endless);
  expect(decodeHealth(text, { urls, now })?.size).toBe(0);
});

it('a property of every object is no origin', () => {
  const text = '{"version":1,"origins":{"__proto__":{"reach":1}}}';
  expect(decodeHealth(text, { urls: ['__proto__', 'constructor'], now })?.size).toBe(0);
});
