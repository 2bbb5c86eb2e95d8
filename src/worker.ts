import type { ExecutionContext, KVNamespace, R2Bucket, ScheduledController } from '@cloudflare/workers-types';
import { systemClock } from './clock.ts';
import { parseConfig, type Variables } from './config.ts';
import { probe } from './cron/probe.ts';
import { createApp } from './http/app.ts';
import type { Services } from './http/exchange.ts';
import { backgroundOf } from './platform/background.ts';
import { dataCentreCache, edgeCache } from './platform/edge-cache.ts';
import { kvStore } from './platform/kv.ts';
import { openPipe } from './platform/pipe.ts';
import { r2Store } from './platform/r2.ts';
import { regionOf } from './platform/region.ts';
import { Flights } from './store/flights.ts';
import { writeLine } from './telemetry/log.ts';

/** Every binding may be absent: without R2 and KV the proxy still proxies. */
interface Env extends Variables {
  readonly FILES?: R2Bucket;
  readonly META?: KVNamespace;
}

type Isolate = { readonly services: Services; readonly app: ReturnType<typeof createApp> };

/** What outlives a request. The runtime gives one environment to an isolate. */
const isolates = new WeakMap<Env, Isolate>();

function isolateOf(env: Env): Isolate {
  const known = isolates.get(env);
  if (known) return known;
  const parsed = parseConfig(env);
  if (parsed.kind === 'invalid') throw new Error(`Invalid configuration: ${parsed.problems.join('; ')}`);
  const services: Services = {
    config: parsed.config,
    tiers: {
      edge: edgeCache(dataCentreCache(caches), systemClock),
      ...(env.META ? { kv: kvStore(env.META) } : {}),
      ...(env.FILES ? { r2: r2Store(env.FILES) } : {}),
    },
    flights: new Flights(systemClock),
    clock: systemClock,
    fetch: (url, init) => fetch(url, init),
    random: Math.random,
    openPipe,
    writeLog: writeLine,
  };
  const isolate = { services, app: createApp(services) };
  isolates.set(env, isolate);
  return isolate;
}

export default {
  fetch(request: Request, env: Env, context: ExecutionContext): Response | Promise<Response> {
    const { app } = isolateOf(env);
    return app.fetch(request, {
      incoming: { region: regionOf(request), background: (report) => backgroundOf(context, report) },
    });
  },

  async scheduled(_controller: ScheduledController, env: Env): Promise<void> {
    await probe(isolateOf(env).services);
  },
};
