import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { failTimes, fakePool, succeed } from '../../test/fakes/effects/health.ts';
import { parseConfig } from '../config/config.ts';
import { originReport } from './origin-report.ts';

const ORIGINS = JSON.stringify([
  { name: 'near', url: 'https://user:hunter2@near.example/t/TOKEN', regions: ['CN'] },
  { url: 'https://corp.example', modules: 'git.secret.example', auth: 'CORP' },
]);

function scene() {
  const parsed = parseConfig({ ORIGINS, SUMDBS: 'sum.golang.org', CORP: 'b3arer' });
  if (!parsed.ok) throw new Error(parsed.reason.join());
  const config = parsed.value;
  const [near, corp] = config.origins;
  if (!near || !corp) throw new Error('an origin is missing');
  const clock = fakeClock(Date.UTC(2026, 0, 1, 12));
  return { config, near, corp, clock, pool: fakePool(clock) };
}

const ok = { isUp: true, verdict: 'ok', headersAfter: 41, bytes: 25 };

it('says what is known of each origin, in its own units', async () => {
  const { clock, config, near, pool } = scene();
  for (const ms of [100, 110, 120, 130]) succeed(pool, near, ms);
  pool.succeeded(near, { headersAfter: 100, bytes: 500_000, bodyMs: 1_000, isZip: true });
  pool.counters(near).asked = 7;
  failTimes(pool, near);
  await clock.advance(10_000);
  const at = clock.now();
  const large = { isUp: false, verdict: 'no answer within 20 s', headersAfter: 44, bytes: 16_384 };
  const history = [
    { at: at - 900_000, results: [{ id: 'near', at: at - 900_000, small: ok }] },
    { at, results: [{ id: 'near', at, small: ok, large }] },
  ];
  const report = JSON.parse(
    JSON.stringify(originReport({ asked: config, pool, history, now: at })),
  ) as {
    origins: object[];
  };
  expect(report.origins[0]).toEqual({
    name: 'near',
    kind: 'modules',
    regions: ['CN'],
    breakers: {
      reach: { state: 'open', failures: 3, until: '2026-01-01T12:00:30.000Z' },
      bulk: { state: 'closed', failures: 0 },
    },
    latency: { p50: expect.any(Number), p95: expect.any(Number) },
    usual: 150,
    rate: 500_000,
    counters: { asked: 7, failed: 3, lost: 0, hedges: 0, resumed: 0 },
    lastFailure: { text: 'connection failed', at: '2026-01-01T12:00:00.000Z' },
    probe: { at: '2026-01-01T12:00:10.000Z', small: ok, large },
    history: [
      { at: '2026-01-01T11:45:10.000Z', small: ok },
      { at: '2026-01-01T12:00:10.000Z', small: ok, large },
    ],
  });
  expect(report).toMatchObject({ hedging: { budgetLeft: 10 }, at: '2026-01-01T12:00:10.000Z' });
});

it('names databases with their addresses, and who serves certain modules alone, whatever is known', () => {
  const { clock, config, pool } = scene();
  const report = originReport({ asked: config, pool, history: [], now: clock.now() });
  expect(report).toMatchObject({
    origins: [
      { name: 'near', kind: 'modules', history: [] },
      { name: 'corp.example', only: true },
      { name: 'sum.golang.org', kind: 'checksums', database: 'sum.golang.org' },
      { name: 'sum.golang.google.cn', kind: 'checksums', database: 'sum.golang.org' },
    ],
  });
});

it.each([
  'a zip with the entry "x", outside of git.secret.example/tool@v1.0.0/',
  'a broken zip: git.secret.example/tool',
  'info for version "v9.9.9" of git.secret.example/tool',
  'hash h1:abc where sum.golang.org has h1:def',
  'status 503 git.secret.example/tool',
])('a text that may say what was asked for is not repeated: %s', (text) => {
  const { clock, config, near, pool } = scene();
  failTimes(pool, near, 1, { cause: 'answer', text });
  const report = originReport({ asked: config, pool, history: [], now: clock.now() });
  expect(JSON.stringify(report)).toContain('a wrong answer: the log says which');
  expect(JSON.stringify(report)).not.toContain('git.secret.example');
});

it('no address, no credential and no pattern is in it', () => {
  const { clock, config, corp, near, pool } = scene();
  for (const origin of [near, corp]) failTimes(pool, origin);
  const text = JSON.stringify(originReport({ asked: config, pool, history: [], now: clock.now() }));
  expect(text).not.toMatch(/TOKEN|hunter2|b3arer|Basic|Bearer|https:|near\.example|secret/);
});
