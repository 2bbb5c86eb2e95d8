import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { originOf } from '../../test/fakes/effects/fetch.ts';
import { failTimes, fakeHealth, succeed } from '../../test/fakes/effects/health.ts';
import { parsePatterns } from '../module/patterns.ts';
import { type FailureReason, wrongContent } from '../origins/failure.ts';
import type { ProbeHistory } from '../origins/probe/probe-history.ts';
import type { Upstream } from '../origins/upstream.ts';
import { originReport } from './origin-report.ts';

const parsed = parsePatterns('git.secret.example');
const modules = parsed.ok ? parsed.value : [];
const near = originOf('near', {
  url: 'https://near.example/t/TOKEN',
  regions: ['CN'],
  authorization: 'Basic hunter2',
});
const corp = originOf('corp.example', { modules, authorization: 'Bearer b3arer' });
const upstreams: readonly Upstream[] = [
  ...[near, corp].map((origin) => ({ id: origin.name, origin, probe: undefined })),
  ...['sum.golang.org', 'sum.golang.google.cn'].map((host) => ({
    id: `sum.golang.org at ${host}`,
    origin: originOf(host),
    database: 'sum.golang.org',
    probe: undefined,
  })),
];

function scene() {
  const clock = fakeClock(Date.UTC(2026, 0, 1, 12));
  const health = fakeHealth(clock);
  const report = (history: ProbeHistory = []) =>
    originReport({ upstreams, health, history, now: clock.now() });
  return { clock, health, report };
}

const ok = { isUp: true, verdict: 'ok', headersAfter: 41, bytes: 25 };

it('lists the health, counters and probes of each origin', async () => {
  const { clock, health, report } = scene();
  for (const ms of [100, 110, 120, 130]) succeed(health, near, ms);
  health.recordSuccess(near, { headersMs: 100, bytes: 500_000, bodyMs: 1_000, lane: 'bulk' });
  health.counters(near).requests = 7;
  failTimes(health, near);
  await clock.advance(10_000);
  const at = clock.now();
  const large = { isUp: false, verdict: 'no answer within 20 s', headersAfter: 44, bytes: 16_384 };
  const history = [
    { at: at - 900_000, results: [{ id: 'near', at: at - 900_000, small: ok }] },
    { at, results: [{ id: 'near', at, small: ok, large }] },
  ];
  const json: unknown = JSON.parse(JSON.stringify(report(history)));
  expect(json).toMatchObject({ hedging: { budgetLeft: 10 }, at: '2026-01-01T12:00:10.000Z' });
  expect(json).toHaveProperty('origins.0', {
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
});

it('lists the addresses of databases, and marks origins for certain modules, before any request', () => {
  expect(scene().report()).toMatchObject({
    origins: [
      { name: 'near', kind: 'modules', history: [] },
      { name: 'corp.example', only: true },
      { name: 'sum.golang.org', kind: 'checksums', database: 'sum.golang.org' },
      { name: 'sum.golang.google.cn', kind: 'checksums', database: 'sum.golang.org' },
    ],
  });
});

const WRONG = 'a wrong answer: the log says which';
it.each<[FailureReason, string]>([
  [wrongContent('a broken zip', 'a broken zip: git.secret.example/tool'), 'a broken zip'],
  [wrongContent('info for another version', 'info for "git.secret.example"'), 'info for another'],
  [{ kind: 'not now', text: 'status 503 git.secret.example/tool' }, WRONG],
  [
    {
      kind: 'mismatch',
      hashes: { database: 'git.secret.example', expected: 'h1:a', found: 'h1:b' },
    },
    WRONG,
  ],
])('a failure that may quote the request is shown without the quote: %j', (reason, shown) => {
  const { health, report } = scene();
  failTimes(health, near, 1, { reason });
  expect(JSON.stringify(report())).toContain(shown);
  expect(JSON.stringify(report())).not.toContain('git.secret.example');
});

it('contains no address, no credential and no pattern of modules', () => {
  const { health, report } = scene();
  for (const origin of [near, corp]) failTimes(health, origin);
  const text = JSON.stringify(report());
  expect(text).not.toMatch(/TOKEN|hunter2|b3arer|Basic|Bearer|https:|near\.example|secret/);
});
