import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLocally } from '../../../src/cli/local/local.ts';
import { connectProfiler, type CpuProfile } from './profiler.ts';

export interface ProfiledModferry {
  /** Requests the paths one after the other. Throws unless each answer has `status`, default 200. */
  request(paths: readonly string[], status?: number): Promise<void>;
  /** As `request`, with the CPU profile of all of them, background work included. */
  profile(paths: readonly string[], status?: number): Promise<CpuProfile>;
  /** The CPU profile of a run of the scheduled jobs. */
  profileCron(): Promise<CpuProfile>;
  close(): Promise<void>;
}

/** Work behind an answer, such as a copy for the edge cache, has ended by then. */
const SETTLED_MS = 100;

/** Starts modferry with an empty store and a fresh isolate, which has answered one request. */
export async function startProfiled(
  script: string,
  variables: Readonly<Record<string, string>>,
): Promise<ProfiledModferry> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'modferry-bench-'));
  const { miniflare, url } = await startLocally({
    port: 0,
    inspectorPort: 0,
    stateDirectory,
    variables,
    script,
    onLog: () => undefined,
  });
  const profiler = await connectProfiler(miniflare);
  const request = async (paths: readonly string[], status = 200) => {
    for (const path of paths) {
      const response = await fetch(url.origin + path);
      const body = await response.bytes();
      if (response.status !== status) {
        const text = new TextDecoder().decode(body.subarray(0, 300));
        throw new Error(`${path} was answered with ${response.status} ${text}`);
      }
    }
    await sleep(SETTLED_MS);
  };
  await request(['/healthz']);
  return {
    request,
    profile: (paths, status) => profiler.profile(() => request(paths, status)),
    profileCron: () =>
      profiler.profile(async () => {
        const worker = await miniflare.getWorker();
        await worker.scheduled();
        await sleep(SETTLED_MS);
      }),
    async close() {
      profiler.close();
      await miniflare.dispose();
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
}
