import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { originOf } from '../../test/fakes/effects/fetch.ts';
import { failTimes, fakeHealth, succeed } from '../../test/fakes/effects/health.ts';
import type { Origin } from '../origins/origin.ts';
import type { ProbeResult } from '../origins/probe/probe-history.ts';
import type { Upstream } from '../origins/upstream.ts';
import { readiness, readinessText } from './readiness.ts';

const MINUTE = 60_000;
const a = originOf('a.example');
const b = originOf('b.example');
/** Serves certain modules alone. */
const corp = originOf('corp.example', { modules: [] });

function scene(origins: readonly Origin[] = [a, b]) {
  const clock = fakeClock();
  const health = fakeHealth(clock);
  const results: ProbeResult[] = [];
  const upstreams: readonly Upstream[] = [
    ...origins.map((origin) => ({ id: origin.name, origin, probe: undefined })),
    { id: 's', origin: originOf('s.example'), database: 'sum.example', probe: undefined },
  ];
  return {
    clock,
    health,
    probed(id: string, isUp: boolean, verdict = isUp ? 'ok' : 'connection failed') {
      results.push({ id, at: clock.now(), small: { isUp, verdict, bytes: 0 } });
    },
    ask() {
      const history = results.map((result) => ({ at: result.at, results: [result] }));
      const found = readiness({ upstreams, health, history, now: clock.now() });
      return { isReady: found.isReady, text: readinessText(found) };
    },
  };
}

describe('it is ready', () => {
  it('before the first probe and request', () => {
    expect(scene().ask()).toEqual({
      isReady: true,
      text:
        'ready\na.example: not probed, breaker closed\nb.example: not probed, breaker closed\n' +
        'sum.example at s.example: not probed, breaker closed\n',
    });
  });

  it('while one origin that serves every module answers', async () => {
    const { ask, clock, health, probed } = scene();
    probed('a.example', false);
    probed('b.example', true);
    failTimes(health, a);
    await clock.advance(5 * 1_000);
    expect(ask().isReady).toBe(true);
    expect(ask().text).toContain('a.example: connection failed, probed 0 min ago, breaker open\n');
  });

  it('after a probe failed and a request succeeded', async () => {
    const { ask, clock, health, probed } = scene([a]);
    probed('a.example', false);
    expect(ask().isReady).toBe(false);
    await clock.advance(MINUTE);
    succeed(health, a);
    expect(ask().isReady).toBe(true);
  });

  it('after requests failed and a probe succeeded', async () => {
    const { ask, clock, health, probed } = scene([a]);
    failTimes(health, a);
    expect(ask().isReady).toBe(false);
    await clock.advance(10_000);
    probed('a.example', true);
    expect(ask().isReady).toBe(true);
  });

  it('again when the breakers are half-open, as a request has to try the origins', async () => {
    const { ask, clock, health } = scene([a]);
    failTimes(health, a);
    expect(ask().isReady).toBe(false);
    await clock.advance(MINUTE);
    expect(ask()).toMatchObject({
      isReady: true,
      text: expect.stringContaining('breaker half-open'),
    });
  });

  it('after one failure, which is no outage', () => {
    const { ask, health } = scene([a]);
    failTimes(health, a, 1);
    expect(ask().isReady).toBe(true);
  });

  it('when the last probe failed an hour ago, as the cron may have stopped', async () => {
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

  it('after a probe of a small file succeeded', () => {
    const { ask, probed } = scene([a]);
    probed('a.example', true);
    expect(ask().isReady).toBe(true);
  });
});

describe('it is not ready', () => {
  it('when all origins for every module are down, also while another one answers', () => {
    const { ask, health, probed } = scene([a, b, corp]);
    for (const name of ['a.example', 'b.example']) probed(name, false);
    for (const origin of [a, b]) failTimes(health, origin);
    succeed(health, corp);
    const { isReady, text } = ask();
    expect(isReady).toBe(false);
    expect(text.split('\n')[0]).toBe('not ready: no origin of modules can be reached');
    expect(text).toContain('corp.example: not probed, breaker closed');
  });

  it('when the last probe and one later request failed', async () => {
    const { ask, clock, health, probed } = scene([a]);
    probed('a.example', false);
    await clock.advance(MINUTE);
    failTimes(health, a, 1);
    expect(ask().isReady).toBe(false);
  });

  it('when there are only origins for certain modules, and all of them are down', () => {
    const { ask, health } = scene([corp]);
    expect(ask().isReady).toBe(true);
    failTimes(health, corp);
    expect(ask().isReady).toBe(false);
  });
});

it('no verdict breaks its line', () => {
  const { ask, probed } = scene([a]);
  probed('a.example', false, 'one\ntwo\u001b[31m');
  expect(ask().text).toContain('a.example: one two [31m, probed 0 min ago, breaker closed\n');
});
