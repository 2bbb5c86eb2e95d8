import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { memoryShared } from '../../test/fakes/store/shared-state.ts';
import type { TroubleEvent } from '../effects/emit.ts';
import { SharedDocument } from '../effects/shared-document.ts';
import { type CronJob, runCron, type Step, type Task } from './run-cron.ts';
import { type CronState, cronStateKind } from './schedule.ts';

const QUARTER_MS = 900_000;

/** A scheduler with these jobs, and what its jobs were asked to do. */
function scheduler(jobs: readonly Partial<CronJob>[], { isPaidPlan = false } = {}) {
  const clock = fakeClock();
  const states = { dataCentre: memoryShared(clock) };
  const events: TroubleEvent[] = [];
  const emit = (event: TroubleEvent) => void events.push(event);
  const tasks: (Task & { readonly name: string })[] = [];
  const table = jobs.map((job, at): CronJob => {
    const name = job.name ?? `job ${at}`;
    return {
      name,
      everySeconds: 900,
      needsPaidPlan: false,
      minCalls: 10,
      ...job,
      async step(task) {
        tasks.push({ name, ...task });
        return job.step ? job.step(task) : { cursor: undefined, calls: 10 };
      },
    };
  });
  /** One call of the scheduler, in an isolate of its own: the names of the jobs that ran. */
  async function run(): Promise<readonly string[]> {
    const state = new SharedDocument<CronState>(cronStateKind, { states, clock, emit });
    tasks.length = 0;
    await runCron({ jobs: table, state, isPaidPlan, clock, emit });
    return tasks.map(({ name }) => name);
  }
  return { clock, events, run, states, tasks };
}

const taking = (calls: number) => async (): Promise<Step> => ({ cursor: undefined, calls });

describe('a job', () => {
  it('runs when its interval is over, also when the scheduler calls some seconds early', async () => {
    const { clock, run } = scheduler([{ name: 'quarter' }, { name: 'hour', everySeconds: 3_600 }]);
    const ran: (readonly string[])[] = [];
    for (let at = 0; at < 5; at++) {
      ran.push(await run());
      await clock.advance(QUARTER_MS - 5_000);
    }
    expect(ran).toEqual([
      ['quarter', 'hour'],
      ['quarter'],
      ['quarter'],
      ['quarter'],
      ['hour', 'quarter'],
    ]);
    await clock.advance(-QUARTER_MS + 125_000);
    expect(await run()).toEqual([]);
  });

  it('that is not finished goes on at the next run, where it stopped', async () => {
    const cursors = ['b', 'c', undefined, undefined];
    const { clock, run, tasks } = scheduler([
      { everySeconds: 86_400, step: async () => ({ cursor: cursors.shift(), calls: 10 }) },
    ]);
    const asked: unknown[] = [];
    for (let at = 0; at < 4; at++) {
      await run();
      asked.push(...tasks.map(({ cursor }) => cursor ?? 'start'));
      await clock.advance(QUARTER_MS);
    }
    expect(asked).toEqual(['start', 'b', 'c']);
  });

  it('that needs the paid plan runs there alone', async () => {
    const jobs = [{ name: 'free' }, { name: 'paid', needsPaidPlan: true }];
    expect(await scheduler(jobs).run()).toEqual(['free']);
    expect(await scheduler(jobs, { isPaidPlan: true }).run()).toEqual(['free', 'paid']);
  });

  it('that fails is reported and fails the run, and the next one still runs', async () => {
    const error = new Error('broken');
    const { events, run, tasks } = scheduler([
      { name: 'first', step: () => Promise.reject(error) },
      { name: 'second' },
    ]);
    await expect(run()).rejects.toMatchObject({ errors: [error] });
    expect(events).toEqual([{ event: 'trouble', label: 'cron job first', error }]);
    expect(tasks.map(({ name }) => name)).toEqual(['first', 'second']);
  });
});

describe('the external calls of a run', () => {
  it('on the free plan are 40, and what has waited for longest goes first', async () => {
    const { clock, run, tasks } = scheduler([
      { name: 'a', minCalls: 5, step: taking(30) },
      { name: 'b', minCalls: 20, step: taking(20) },
      { name: 'c', minCalls: 10, step: taking(10) },
    ]);
    expect(await run()).toEqual(['a', 'c']);
    expect(tasks.map(({ calls }) => calls)).toEqual([40, 10]);
    await clock.advance(QUARTER_MS);
    expect(await run()).toEqual(['b', 'a']);
    await clock.advance(QUARTER_MS);
    expect(await run()).toEqual(['c', 'a']);
    await clock.advance(QUARTER_MS);
    expect(await run()).toEqual(['b', 'a']);
  });

  it('on the paid plan are enough for all', async () => {
    const jobs = [{ step: taking(400) }, { step: taking(400) }];
    expect(await scheduler(jobs, { isPaidPlan: true }).run()).toHaveLength(2);
  });
});

it('a state that is damaged is reported, and every job starts over', async () => {
  const { clock, events, run, states } = scheduler([{ name: 'a' }]);
  await states.dataCentre.write('cron', '{"version":1,"jobs":', 600);
  expect(await run()).toEqual(['a']);
  expect(events.length).toBeGreaterThan(0);
  expect(events[0]).toMatchObject({ label: 'state of the scheduler' });
  await clock.advance(60_000);
  expect(await run()).toEqual([]);
});
