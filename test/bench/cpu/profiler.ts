/**
 * The CPU profiler of one isolate in workerd, over the Chrome DevTools protocol
 * (https://chromedevtools.github.io/devtools-protocol/v8/Profiler). Miniflare's simulators of the
 * cache, R2 and KV run in isolates of their own, so none of their time is in the profile.
 */
import { once } from 'node:events';
import type { Miniflare } from 'miniflare';

const INTERVAL_MICROSECONDS = 100;

export interface Profiler {
  /** The profile of the isolate while `work` runs. */
  profile(work: () => Promise<void>): Promise<CpuProfile>;
  close(): void;
}

/** What a profile says. Times are in milliseconds. */
export interface CpuProfile {
  readonly totalMs: number;
  readonly garbageCollectionMs: number;
  readonly functions: readonly FunctionTime[];
}

export interface FunctionTime {
  readonly name: string;
  /** In the function itself. */
  readonly selfMs: number;
  /** In the function and what it calls. */
  readonly withCalleesMs: number;
}

/** A node of the tree of calls, as the protocol has it. */
export interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

export interface RawProfile {
  readonly nodes: readonly ProfileNode[];
  /** The node of each sample. */
  readonly samples: readonly number[];
  /** Microseconds between one sample and the one before. */
  readonly timeDeltas: readonly number[];
}

/** Connects to the isolate of modferry, which was started with an inspector. */
export async function connectProfiler(miniflare: Miniflare): Promise<Profiler> {
  const socket = new WebSocket(new URL('./core:user:modferry', await miniflare.getInspectorURL()));
  await once(socket, 'open');
  const waiting = new Map<number, (result: unknown) => void>();
  let sent = 0;
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id: number; result: unknown };
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  const send = (method: string, params: object = {}) =>
    new Promise<unknown>((resolve) => {
      waiting.set(++sent, resolve);
      socket.send(JSON.stringify({ id: sent, method, params }));
    });
  await send('Profiler.enable');
  await send('Profiler.setSamplingInterval', { interval: INTERVAL_MICROSECONDS });
  return {
    async profile(work) {
      await send('Profiler.start');
      await work();
      const { profile } = (await send('Profiler.stop')) as { profile: RawProfile };
      return readProfile(profile);
    },
    close: () => socket.close(),
  };
}

/** No CPU is used in it. Garbage collection and native code, `(program)`, count. */
const IDLE = '(idle)';
const GARBAGE_COLLECTION = '(garbage collector)';

/**
 * Counts samples. V8 takes one only while a thread is in the isolate, so the time between two of
 * them may be that of other isolates or of nothing at all: each stands for one step of the sampler.
 */
export function readProfile({ nodes, samples, timeDeltas }: RawProfile): CpuProfile {
  const stepMs = stepOf(timeDeltas) / 1000;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ children = [], id }) => children.map((c) => [c, id])));
  const self = new Map<string, number>();
  const withCallees = new Map<string, number>();
  let counted = 0;
  for (const sample of samples) {
    const own = nameOf(byId.get(sample));
    if (own === IDLE) continue;
    counted++;
    add(self, own);
    const stack = new Set<string>();
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id))
      stack.add(nameOf(byId.get(id)));
    for (const name of stack) add(withCallees, name);
  }
  const functions = [...withCallees].map(([name, count]) => ({
    name,
    selfMs: (self.get(name) ?? 0) * stepMs,
    withCalleesMs: count * stepMs,
  }));
  return {
    totalMs: counted * stepMs,
    garbageCollectionMs: (self.get(GARBAGE_COLLECTION) ?? 0) * stepMs,
    functions,
  };
}

/** The microseconds of one step: the median of the steps without a gap. */
function stepOf(timeDeltas: readonly number[]): number {
  const steps = timeDeltas
    .filter((delta) => delta > 0 && delta < 3 * INTERVAL_MICROSECONDS)
    .toSorted((a, b) => a - b);
  return steps[steps.length >> 1] ?? INTERVAL_MICROSECONDS;
}

function nameOf(node: ProfileNode | undefined): string {
  if (!node) return '(unknown)';
  const { functionName, lineNumber } = node.callFrame;
  const name = functionName || '(anonymous)';
  return lineNumber < 0 ? name : `${name}:${lineNumber + 1}`;
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
