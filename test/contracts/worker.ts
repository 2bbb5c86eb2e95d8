import type { KVNamespace, R2Bucket } from '@cloudflare/workers-types';
import { DataCentreEntries, dataCentreCache } from '../../src/platform/cloudflare/data-centre.ts';
import { edgeCache } from '../../src/platform/cloudflare/edge-cache.ts';
import { kvStore } from '../../src/platform/cloudflare/kv.ts';
import { r2Store } from '../../src/platform/cloudflare/r2.ts';
import { edgeSharedState, kvSharedState } from '../../src/platform/cloudflare/shared-state.ts';
import { fakeClock } from '../fakes/effects/clock.ts';
import { cacheClaims, edgeClaims } from './cache-claims.ts';
import { durableClaims } from './durable-claims.ts';
import { sharedClaims } from './shared-claims.ts';

interface Env {
  readonly FILES: R2Bucket;
  readonly META: KVNamespace;
}

/**
 * Runs one claim on the adapter of a binding, where its streams are real: `/<suite>/<number of the
 * claim>`.
 */
async function run(suite: string | undefined, at: number, env: Env): Promise<void> {
  const clock = fakeClock(Date.now());
  const entries = new DataCentreEntries(dataCentreCache(caches), {
    clock,
    host: () => 'modferry.example',
  });
  const edge = edgeCache(entries);
  const pass = async (seconds: number) => clock.advance(seconds * 1000);
  if (suite === 'r2') return durableClaims[at]?.check(r2Store(env.FILES));
  if (suite === 'kv') return cacheClaims[at]?.check(kvStore(env.META));
  if (suite === 'edge') return cacheClaims[at]?.check(edge);
  if (suite === 'edge clock') return edgeClaims[at]?.check({ store: edge, pass });
  if (suite === 'edge shared')
    return sharedClaims[at]?.check({
      state: edgeSharedState(entries),
      pass,
    });
  if (suite === 'kv shared')
    return sharedClaims[at]?.check({ state: kvSharedState(env.META, clock), pass });
  throw new Error(`no such suite: ${suite}`);
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, suite, at] = decodeURIComponent(new URL(request.url).pathname).split('/');
    try {
      await run(suite, Number(at), env);
      return new Response('ok');
    } catch (error) {
      return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  },
};
