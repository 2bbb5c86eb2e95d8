import { expect, it } from 'vitest';
import { openHttpDriver } from '../../test/fakes/effects/ask.ts';
import { type FakeClock, fakeClock } from '../../test/fakes/effects/clock.ts';
import { type FakeFetch, fakeFetch, originOf } from '../../test/fakes/effects/fetch.ts';
import { fakeHealth } from '../../test/fakes/effects/health.ts';
import { memoryShared } from '../../test/fakes/store/shared-state.ts';
import type { TroubleEvent } from '../effects/emit.ts';
import type { ProbeEvent } from '../origins/events.ts';
import { HealthSharing } from '../origins/health/share.ts';
import { ProbeLog } from '../origins/probe/probe-log.ts';
import { type CronEffects, runCron } from './jobs.ts';

const origin = originOf('a.example');
const file = { path: '/x', isExpected: () => true };
const upstreams = [{ id: 'a', origin, probe: { small: file, large: file } }];

/** An isolate that shares `dataCentre` with others. */
function isolate(
  fetch: FakeFetch,
  clock: FakeClock = fakeClock(),
  dataCentre = memoryShared(clock),
) {
  const events: (ProbeEvent | TroubleEvent)[] = [];
  const emit = (event: ProbeEvent | TroubleEvent) => void events.push(event);
  const health = fakeHealth(clock);
  const states = { dataCentre };
  const effects: CronEffects = {
    upstreams,
    health,
    clock,
    openDriver: openHttpDriver({ fetch, clock }),
    limitMs: 25_000,
    emit,
    sharing: new HealthSharing({ health, urls: [origin.url], states, clock, emit }),
    probeLog: new ProbeLog({ states, clock, emit }),
  };
  return { effects, events, dataCentre, clock };
}

it('a probe is emitted, added to the history, and shared with other isolates', async () => {
  const { clock, dataCentre, effects, events } = isolate(fakeFetch({}));
  await runCron(effects);
  expect(events).toMatchObject([{ event: 'probe', verdict: 'connection failed' }]);
  const other = isolate(fakeFetch({}), clock, dataCentre).effects;
  expect((await other.probeLog.read()).length).toBe(1);
  await other.sharing.read();
  expect(other.health.of(origin).reach.failures).toBe(1);
});

it('a probe continues the count of failures that other isolates recorded', async () => {
  const clock = fakeClock();
  const dataCentre = memoryShared(clock);
  const states: string[] = [];
  for (let at = 0; at < 3; at++) {
    const { effects } = isolate(fakeFetch({}), clock, dataCentre);
    await runCron(effects);
    states.push(effects.health.state(origin, 'reach'));
    await clock.advance(60_000);
  }
  expect(states).toEqual(['closed', 'closed', 'open']);
});

it('a job that fails is emitted and fails the run, and the next one still runs', async () => {
  const { effects, events } = isolate(fakeFetch({}));
  const error = new Error('broken');
  let ran = 0;
  const run = runCron(effects, [
    { name: 'first', run: () => Promise.reject(error) },
    { name: 'second', run: async () => void (ran += 1) },
  ]);
  await expect(run).rejects.toMatchObject({ errors: [error] });
  expect(events).toEqual([{ event: 'trouble', label: 'cron job first', error }]);
  expect(ran).toBe(1);
});
