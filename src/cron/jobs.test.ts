import { expect, it } from 'vitest';
import { openHttpDriver } from '../../test/fakes/effects/ask.ts';
import { type FakeClock, fakeClock } from '../../test/fakes/effects/clock.ts';
import { type FakeFetch, fakeFetch, originOf } from '../../test/fakes/effects/fetch.ts';
import { fakeHealth } from '../../test/fakes/effects/health.ts';
import { memoryShared } from '../../test/fakes/store/shared-state.ts';
import { Connections } from '../effects/connections.ts';
import type { TroubleEvent } from '../effects/emit.ts';
import type { ProbeEvent } from '../origins/events.ts';
import { HealthSharing } from '../origins/health/share.ts';
import { ProbeLog } from '../origins/probe/probe-log.ts';
import { cronJobs, type JobEffects, jobReports, JOBS } from './jobs.ts';

const origin = originOf('a.example');
const file = { path: '/x', isExpected: () => true };
const upstreamOf = (id: string) => ({ id, origin, probe: { small: file, large: file } });

/** The jobs of an isolate that shares `dataCentre` with others. */
function isolate(
  fetch: FakeFetch,
  {
    clock = fakeClock(),
    dataCentre,
    ...rest
  }: Partial<JobEffects> & {
    readonly clock?: FakeClock;
    readonly dataCentre?: ReturnType<typeof memoryShared>;
    readonly ids?: readonly string[];
  } = {},
) {
  const events: (ProbeEvent | TroubleEvent)[] = [];
  const emit = (event: ProbeEvent | TroubleEvent) => void events.push(event);
  const health = fakeHealth(clock);
  const shared = dataCentre ?? memoryShared(clock);
  const states = { dataCentre: shared };
  const probes = {
    upstreams: (rest.ids ?? ['a']).map(upstreamOf),
    health,
    clock,
    connections: new Connections(),
    openDriver: openHttpDriver({ fetch, clock }),
    limitMs: 25_000,
    emit,
    sharing: new HealthSharing({ health, urls: [origin.url], states, clock, emit }),
    probeLog: new ProbeLog({ states, clock, emit }),
  };
  const jobs = cronJobs({ probes, readHeads: new Map(), ...rest });
  const job = (name: string) => {
    const found = jobs.find((one) => one.name === name);
    if (!found) throw new Error(`no job ${name}`);
    return found;
  };
  return { ...probes, dataCentre: shared, events, job, jobs };
}

const START = { cursor: undefined, calls: 40 };

it('a probe is emitted, added to the history, and shared with other isolates', async () => {
  const { clock, dataCentre, events, job } = isolate(fakeFetch({}));
  expect(await job('probe').step(START)).toEqual({ cursor: undefined, calls: 8 });
  expect(events).toMatchObject([{ event: 'probe', verdict: 'connection failed' }]);
  const other = isolate(fakeFetch({}), { clock, dataCentre });
  expect((await other.probeLog.read()).length).toBe(1);
  await other.sharing.read(new Connections());
  expect(other.health.of(origin).reach.failures).toBe(1);
});

it('a probe continues the count of failures that other isolates recorded', async () => {
  const clock = fakeClock();
  const dataCentre = memoryShared(clock);
  const states: string[] = [];
  for (let at = 0; at < 3; at++) {
    const { health, job } = isolate(fakeFetch({}), { clock, dataCentre });
    await job('probe').step(START);
    states.push(health.state(origin, 'reach'));
    await clock.advance(60_000);
  }
  expect(states).toEqual(['closed', 'closed', 'open']);
});

it('as many upstreams are probed as there are calls for, and the rest at the next run', async () => {
  const ids = Array.from({ length: 12 }, (_, n) => `upstream ${n}`);
  const { events, job } = isolate(fakeFetch({}), { ids });
  const first = await job('probe').step(START);
  expect([first, events.length]).toEqual([{ cursor: 'upstream 9', calls: 40 }, 9]);
  const second = await job('probe').step({ cursor: first.cursor, calls: 40 });
  expect([second, events.length]).toEqual([{ cursor: undefined, calls: 16 }, 12]);
});

it('a cursor of an upstream that is configured no more starts over', async () => {
  const { events, job } = isolate(fakeFetch({}), { ids: ['a', 'b'] });
  await job('probe').step({ cursor: 'gone', calls: 40 });
  expect(events).toHaveLength(2);
});

it('the heads of the logs are read one after the other', async () => {
  const read: string[] = [];
  const names = ['a', 'b', 'c', 'd'];
  const readHeads = new Map(names.map((name) => [name, async () => read.push(name)]));
  const { job } = isolate(fakeFetch({}), { readHeads });
  expect(await job('log heads').step(START)).toEqual({ cursor: 'd', calls: 36 });
  expect(await job('log heads').step({ ...START, cursor: 'd' })).toEqual({
    cursor: undefined,
    calls: 12,
  });
  expect(read).toEqual(names);
});

it('the store is checked where there is one, within the calls', async () => {
  expect(isolate(fakeFetch({})).jobs.map(({ name }) => name)).toEqual(['probe', 'log heads']);
  const asked: unknown[] = [];
  const { job } = isolate(fakeFetch({}), {
    async checkStore(...args) {
      asked.push(args);
      return { cursor: 'key', files: 2 };
    },
  });
  expect(await job('store check').step({ cursor: 'before', calls: 100 })).toEqual({
    cursor: 'key',
    calls: 24,
  });
  expect(asked).toEqual([['before', 8]]);
});

it('stored versions are asked for with a third of the calls, and one with the fewest', async () => {
  const asked: unknown[] = [];
  const { job } = isolate(fakeFetch({}), {
    async checkTakedowns(...args) {
      asked.push(args);
      return { cursor: 'key', versions: 2 };
    },
  });
  const step = (calls: number) => job('takedown check').step({ cursor: 'before', calls });
  expect(await step(40)).toEqual({ cursor: 'key', calls: 8 });
  await step(4);
  await step(1_000);
  expect(asked).toEqual([
    ['before', 3],
    ['before', 1],
    ['before', 83],
  ]);
});

it('every job fits into a run of the free plan, or needs the paid one', () => {
  for (const { minCalls, needsPaidPlan } of Object.values(JOBS)) {
    expect(minCalls <= 40 || needsPaidPlan).toBe(true);
  }
  expect(jobReports({ probe: { startedAt: 1, ranAt: 2 } }, false)).toEqual([
    { name: 'probe', isAllowed: true, ranAt: 2, cursor: undefined },
    { name: 'log heads', isAllowed: true, ranAt: undefined, cursor: undefined },
    { name: 'takedown check', isAllowed: true, ranAt: undefined, cursor: undefined },
    { name: 'store check', isAllowed: false, ranAt: undefined, cursor: undefined },
  ]);
});
