import { parseConfig } from '../config/config.ts';
import type { Clock } from '../effects/clock.ts';
import type { TroubleEvent } from '../effects/emit.ts';
import type { Incoming } from '../http/services.ts';
import { createModferry } from '../modferry.ts';
import type { Tiers } from '../store/tiers.ts';
import type { HashPairs } from '../tlog/hash-tile.ts';
import { HASH_LENGTH } from '../tlog/stored-hash.ts';
import { FULL_WIDTH } from '../tlog/tile-path.ts';
import { ANSWERS, PATHS, VARIABLES } from './recording.ts';

/**
 * Answers two recorded requests, so that the first real request of an isolate finds most of the
 * code compiled: V8 compiles a function when it is called first. That was half of the CPU time of a
 * first `.mod`, and the free plan grants a request 10 ms. Start-up has a limit of its own, of a
 * second (https://developers.cloudflare.com/workers/platform/limits). docs/decisions/022.
 *
 * A Worker may call this while it starts, when the platform allows neither timers nor random
 * numbers nor native streams. Rejects when a request fails, and when anything behind it does.
 */
export async function warmUp(hashPairs: HashPairs): Promise<void> {
  for (let tile = 0; tile < HOT; tile += 1) hashPairs(new Uint8Array(FULL_WIDTH * HASH_LENGTH));
  const config = parseConfig({ ...VARIABLES, VERIFY: 'all' });
  if (!config.ok) throw new Error(config.reason.join('; '));
  let requests = 0;
  const troubles: TroubleEvent[] = [];
  const { app } = createModferry(config.value, {
    tiers: tiersThatKeepNothing(),
    sharedStates: { dataCentre: { read: nothing, write: nothing } },
    fetch: async (address) => answer(address),
    openPipe() {
      throw new Error('A recorded file needs no pipe');
    },
    clock: STOPPED,
    random: () => 0,
    newRequestId: () => String((requests += 1)),
    hashPairs,
    sink(event) {
      if (event.event === 'trouble') troubles.push(event);
    },
  });
  for (const path of PATHS) {
    // A body would be a native stream.
    const request = new Request(`https://modferry.invalid${path}`, { method: 'HEAD' });
    const { idle, incoming } = nobody();
    const { status } = await app.fetch(request, { incoming });
    if (status !== 200) throw new Error(`${path} was answered with ${status}`);
    await idle();
  }
  for (const { error, label } of troubles) throw new Error(`${label}: ${String(error)}`);
}

/** So many tiles make V8 optimize the WebAssembly that hashes them. */
const HOT = 8;

const nothing = async () => undefined;

const STOPPED: Clock = {
  now: () => 0,
  steady: () => 0,
  alarm: () => () => undefined,
  sleep: nothing,
};

function tiersThatKeepNothing(): Tiers {
  return {
    near: { label: 'edge', read: nothing, write: nothing, writeMissing: nothing, remove: nothing },
    world: { label: 'kv', read: nothing, write: nothing, remove: nothing },
    durable: {
      label: 'r2',
      read: nothing,
      head: nothing,
      readForSwap: nothing,
      remove: nothing,
      write: async () => true,
      swap: async () => true,
      upload: () => Promise.reject(new Error('A recorded file is not uploaded')),
      async *list() {},
    },
  };
}

/** What a request of nobody comes with, and a promise of the end of all that it started. */
function nobody(): { readonly incoming: Incoming; readonly idle: () => Promise<unknown> } {
  const { signal } = new AbortController();
  const running: Promise<void>[] = [];
  return {
    incoming: {
      region: {},
      signal,
      background: (onFailure) => (label, work) =>
        void running.push(
          work.then(
            () => undefined,
            (error: unknown) => onFailure(label, error),
          ),
        ),
    },
    idle: () => Promise.all(running),
  };
}

function answer(address: string): Response {
  const pieces = ANSWERS.get(address);
  if (!pieces) throw new Error(`There is no recorded answer of ${address}`);
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const body = new ReadableStream({
    type: 'bytes',
    start(controller) {
      for (const piece of pieces) controller.enqueue(new Uint8Array(piece));
      controller.close();
    },
  });
  return new Response(body, { headers: { 'Content-Length': String(length) } });
}
