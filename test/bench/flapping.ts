import { setTimeout as sleep } from 'node:timers/promises';
import {
  breakServer,
  mendServer,
  PASSING_FAULTS,
  type PassingFault,
} from '../fakes/origin/bad-origins.ts';
import type { FakeServer } from '../fakes/origin/fake-server.ts';
import type { SeededRandom } from '../fakes/effects/seeded-random.ts';

/** Milliseconds between two changes, at least and at most. */
const CHANGE = [300, 2_000] as const;
/** Milliseconds for which one origin stays well, at least and at most. */
const WATCH = [8_000, 20_000] as const;
/** Milliseconds for which the one that stays well next is well already. */
const HANDOVER = 3_000;

export interface Flapping {
  /** How often each fault was switched on, by its name. */
  readonly flaps: ReadonlyMap<string, number>;
  /** Ends it when the change that is being made is done, with all servers well. */
  stop(): Promise<void>;
}

/**
 * Breaks and mends servers at random. One of them is always well: the one on watch. It is another
 * one after a while, and both are well at the handover: if all that is promised were that some
 * server is well at any moment, each could be down in the very moment when a request comes to it,
 * and no proxy could help that.
 */
export function startFlapping(servers: readonly FakeServer[], random: SeededRandom): Flapping {
  const flaps = new Map<string, number>();
  const broken = new Map<FakeServer, PassingFault>();
  const stopped = new AbortController();
  const pause = (ms: number) =>
    sleep(ms, undefined, { signal: stopped.signal }).catch(() => undefined);
  const between = ([least, most]: readonly [number, number]) => least + random.below(most - least);
  const mend = async (server: FakeServer) => {
    const fault = broken.get(server);
    if (fault === undefined) return;
    await mendServer(server, fault);
    broken.delete(server);
  };

  async function run(): Promise<void> {
    let watch = random.pick(servers);
    let until = Date.now() + between(WATCH);
    while (!stopped.signal.aborted) {
      await pause(between(CHANGE));
      const other = random.pick(servers.filter((server) => server !== watch));
      if (Date.now() > until) {
        await mend(other);
        await pause(HANDOVER);
        watch = other;
        until = Date.now() + between(WATCH);
      } else if (broken.has(other)) {
        await mend(other);
      } else {
        const fault = random.pick(PASSING_FAULTS);
        await breakServer(other, fault);
        broken.set(other, fault);
        flaps.set(fault.name, (flaps.get(fault.name) ?? 0) + 1);
      }
    }
    for (const server of servers) await mend(server);
  }

  const running = run();
  return {
    flaps,
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
