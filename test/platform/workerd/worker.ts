import type { ExecutionContext } from '@cloudflare/workers-types';
import { systemClock as clock } from '../../../src/effects/clock.ts';
import { dataCentreCache } from '../../../src/platform/cloudflare/data-centre.ts';
import type { Variables } from '../../../src/config/variables.ts';
import type { Bindings } from '../../../src/platform/cloudflare/tiers.ts';
import worker from '../../../src/worker.ts';
import { noFaults } from '../faults.ts';
import { Invocation, runInvocation } from '../invocation.ts';
import { FREE } from '../limits.ts';
import { limitedBucket, limitedCache, limitedFetch, limitedNamespace } from '../wrap.ts';
import { WriteLimits } from '../write-limits.ts';
import { FAULTS_PATH, INVOCATIONS_PATH, type SeenInvocation } from './protocol.ts';

// modferry's Worker with the limits of the free plan around its bindings, the Cache API and `fetch`.
// The 30 s of background work are not enforced here: only the platform sees the end of an answer.

type Env = Bindings & Variables;

/** What stands around the Worker; an isolate has one environment. */
interface Platform {
  readonly env: Env;
  readonly seen: SeenInvocation[];
  readonly startInvocation: () => Invocation;
}

const faults = noFaults();
let installed: Platform | undefined;

function platformOf(env: Env): Platform {
  installed ??= install(env);
  return installed;
}

function install(env: Env): Platform {
  const platform = { clock, faults, writes: new WriteLimits(FREE, clock) };
  const fetch = limitedFetch(globalThis.fetch.bind(globalThis));
  const edge = limitedCache(dataCentreCache(caches), platform);
  for (const [name, value] of Object.entries({ fetch, caches: { default: edge } }))
    Object.defineProperty(globalThis, name, { value });
  const { FILES, META } = env;
  return {
    seen: [],
    startInvocation: () => new Invocation(FREE, clock),
    env: {
      ...env,
      ...(FILES && { FILES: limitedBucket(FILES, platform) }),
      ...(META && { META: limitedNamespace(META, platform) }),
    },
  };
}

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const platform = platformOf(env);
    const { pathname } = new URL(request.url);
    if (pathname === INVOCATIONS_PATH) return Response.json(platform.seen);
    if (pathname === FAULTS_PATH) {
      Object.assign(faults, await request.json());
      return new Response();
    }
    const invocation = platform.startInvocation();
    const { method } = request;
    platform.seen.push({
      method,
      path: pathname,
      get counts() {
        return invocation.counts;
      },
      get refused() {
        return invocation.refused;
      },
    });
    return runInvocation(invocation, () => worker.fetch(request, platform.env, context));
  },

  async scheduled(controller: unknown, env: Env, context: ExecutionContext): Promise<void> {
    const platform = platformOf(env);
    return runInvocation(platform.startInvocation(), () =>
      worker.scheduled(controller, platform.env, context),
    );
  },
};
