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
const CHANGE_MS = [300, 2_000] as const;
/** Milliseconds for which one server stays on shift, at least and at most. */
const SHIFT_MS = [8_000, 20_000] as const;
/** Milliseconds for which the next server on shift is healthy before its shift. */
const HANDOVER_MS = 3_000;

export interface Flapping {
  /** How often each fault was switched on, by the name of the fault. */
  readonly flaps: ReadonlyMap<string, number>;
  /** Stops after the current change, with all servers healthy. */
  stop(): Promise<void>;
}

/**
 * Breaks and mends servers at random. One of them, the server on shift, is always healthy. Shifts
 * change, and both servers are healthy during the handover: without it, each server could be broken
 * at the very moment when a request reaches it, and no proxy could answer.
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
    let onShift = random.pick(servers);
    let until = Date.now() + between(SHIFT_MS);
    while (!stopped.signal.aborted) {
      await pause(between(CHANGE_MS));
      const other = random.pick(servers.filter((server) => server !== onShift));
      if (Date.now() > until) {
        await mend(other);
        await pause(HANDOVER_MS);
        onShift = other;
        until = Date.now() + between(SHIFT_MS);
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
