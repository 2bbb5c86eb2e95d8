import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { originOf } from '../../test/fakes/effects/fetch.ts';
import { failTimes, fakePool, succeed } from '../../test/fakes/effects/health.ts';
import { parsePatterns } from '../module/patterns.ts';
import type { Origin } from '../origins/origin.ts';
import type { ProbeResult } from '../origins/probe/probe-history.ts';
import { readiness } from './readiness.ts';

const MINUTE = 60_000;
const a = originOf('a.example');
const b = originOf('b.example');
const parsed = parsePatterns('*.corp.example');
const modules = parsed.ok ? parsed.value : [];
const corp = originOf('corp.example', { modules });

function scene(origins: readonly Origin[] = [a, b]) {
  const clock = fakeClock();
  const pool = fakePool(clock);
  const results: ProbeResult[] = [];
  const databases = [{ name: 'sum.example', origins: [originOf('s.example')] }];
  return {
    clock,
    pool,
    probed(id: string, isUp: boolean, verdict = isUp ? 'ok' : 'connection failed') {
      results.push({ id, at: clock.now(), small: { isUp, verdict, bytes: 0 } });
    },
    ask: () =>
      readiness({
        asked: { origins, databases },
        pool,
        history: results.map((result) => ({ at: result.at, results: [result] })),
        now: clock.now(),
      }),
  };
}

describe('it is ready', () => {
  it('while nothing is known', () => {
    expect(scene().ask()).toEqual({
      isReady: true,
      text:
        'ready\na.example: not probed, breaker closed\nb.example: not probed, breaker closed\n' +
        'sum.example at s.example: not probed, breaker closed\n',
    });
  });

  it('while one origin that serves every module answers', async () => {
    const { ask, clock, pool, probed } = scene();
    probed('a.example', false);
    probed('b.example', true);
    failTimes(pool, a);
    await clock.advance(5 * 1_000);
    expect(ask().isReady).toBe(true);
    expect(ask().text).toContain('a.example: connection failed, probed 0 min ago, breaker open\n');
  });

  it('after a probe failed and a request succeeded', async () => {
    const { ask, clock, pool, probed } = scene([a]);
    probed('a.example', false);
    expect(ask().isReady).toBe(false);
    await clock.advance(MINUTE);
    succeed(pool, a);
    expect(ask().isReady).toBe(true);
  });

  it('after requests failed and a probe succeeded', async () => {
    const { ask, clock, pool, probed } = scene([a]);
    failTimes(pool, a);
    expect(ask().isReady).toBe(false);
    await clock.advance(10_000);
    probed('a.example', true);
    expect(ask().isReady).toBe(true);
  });

  it('again when the time of the breakers is over: only a request can tell', async () => {
    const { ask, clock, pool } = scene([a]);
    failTimes(pool, a);
    expect(ask().isReady).toBe(false);
    await clock.advance(MINUTE);
    expect(ask()).toMatchObject({
      isReady: true,
      text: expect.stringContaining('breaker half-open'),
    });
  });

  it('after a warning: one failure is no outage', () => {
    const { ask, pool } = scene([a]);
    failTimes(pool, a, 1);
    expect(ask().isReady).toBe(true);
  });

  it('when the last probe is an hour old: the next ones may not run', async () => {
    const { ask, clock, probed } = scene([a]);
    probed('a.example', false);
    await clock.advance(59 * MINUTE);
    expect(ask()).toMatchObject({
      isReady: false,
      text: expect.stringContaining('probed 59 min ago'),
    });
    await clock.advance(MINUTE);
    expect(ask().isReady).toBe(true);
  });

  it('with a large file that does not come through: small ones do', () => {
    const { ask, probed } = scene([a]);
    probed('a.example', true);
    expect(ask().isReady).toBe(true);
  });
});

describe('it is not ready', () => {
  it('when all that serve every module are down, whoever else answers', () => {
    const { ask, pool, probed } = scene([a, b, corp]);
    for (const name of ['a.example', 'b.example']) probed(name, false);
    for (const origin of [a, b]) failTimes(pool, origin);
    succeed(pool, corp);
    const { isReady, text } = ask();
    expect(isReady).toBe(false);
    expect(text.split('\n')[0]).toBe('not ready: no origin of modules can be reached');
    expect(text).toContain('corp.example: not probed, breaker closed');
  });

  it('when the probe failed, and a request did too, but once', async () => {
    const { ask, clock, pool, probed } = scene([a]);
    probed('a.example', false);
    await clock.advance(MINUTE);
    failTimes(pool, a, 1);
    expect(ask().isReady).toBe(false);
  });

  it('when no origin serves every module, and the ones that there are are down', () => {
    const { ask, pool } = scene([corp]);
    expect(ask().isReady).toBe(true);
    failTimes(pool, corp);
    expect(ask().isReady).toBe(false);
  });
});

it('no verdict breaks its line', () => {
  const { ask, probed } = scene([a]);
  probed('a.example', false, 'one\ntwo\u001b[31m');
  expect(ask().text).toContain('a.example: one two [31m, probed 0 min ago, breaker closed\n');
});
