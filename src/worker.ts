import type { ExecutionContext } from '@cloudflare/workers-types';
import sha256Pairs from './bytes/sha256-pairs/sha256-pairs.wasm';
import { sha256PairsBy } from './bytes/sha256-pairs/sha256-pairs.ts';
import { parseConfig } from './config/config.ts';
import type { Variables } from './config/variables.ts';
import { respondFailure } from './http/respond.ts';
import { createModferry, type Modferry } from './modferry.ts';
import { backgroundOf } from './platform/cloudflare/background.ts';
import { regionOf } from './platform/cloudflare/region.ts';
import { cloudflareRuntime } from './platform/cloudflare/runtime.ts';
import type { Bindings } from './platform/cloudflare/tiers.ts';
import { logSink } from './telemetry/log.ts';
import { warmUp } from './warm-up/warm-up.ts';

type Env = Bindings & Variables;

/** The log of a Worker is its console. Workers Logs indexes the fields of a JSON line. */
// oxlint-disable-next-line no-console -- the only place
const sink = logSink((line) => console.log(line));

const hashPairs = sha256PairsBy(sha256Pairs);

/** The error of the warm-up, if it failed. An isolate starts nevertheless. */
const warmUpError = warmUp(hashPairs).then(
  () => undefined,
  (error: unknown) => error,
);

/** Logs it. What a Worker logs while it starts reaches nobody. */
async function reportWarmUp(): Promise<void> {
  const error = await warmUpError;
  if (error !== undefined) sink({ event: 'trouble', label: 'warm up', error });
}

interface Isolate {
  readonly modferry: Modferry;
  /** The host name of its first request; undefined as long as only the scheduler has called. */
  host?: string | undefined;
}

/** By environment: an isolate has one, and modferry is built once for it. */
const isolates = new WeakMap<Env, Isolate>();

/** modferry, built at the first call. Throws an error that lists all problems of the configuration. */
function modferryOf(env: Env, host?: string): Modferry {
  const isolate = isolates.get(env) ?? startIsolate(env);
  isolate.host ??= host;
  return isolate.modferry;
}

function startIsolate(env: Env): Isolate {
  const config = parseConfig(env);
  if (!config.ok) throw new Error(`Invalid configuration: ${config.reason.join('; ')}`);
  const { cacheHost, warnings } = config.value;
  const runtime = {
    ...cloudflareRuntime(env, () => cacheHost ?? isolates.get(env)?.host),
    hashPairs,
    sink,
  };
  const isolate = { modferry: createModferry(config.value, runtime) };
  isolates.set(env, isolate);
  for (const text of warnings) sink({ event: 'note', text });
  void reportWarmUp();
  return isolate;
}

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const { signal } = request;
    const incoming = {
      host: new URL(request.url).host,
      region: regionOf(request),
      background: backgroundOf(context),
      signal,
    };
    let modferry: Modferry;
    try {
      modferry = modferryOf(env, new URL(request.url).hostname);
    } catch (error) {
      sink({ event: 'trouble', label: 'start', error });
      const text = 'modferry is not configured correctly: its log lists the problems';
      return respondFailure(500, text, { requestId: crypto.randomUUID() });
    }
    return modferry.app.fetch(request, { incoming });
  },

  async scheduled(_controller: unknown, env: Env, context: ExecutionContext): Promise<void> {
    const { signal } = new AbortController(); // nobody leaves
    const incoming = { region: {}, background: backgroundOf(context), signal };
    await modferryOf(env).runCron(incoming, crypto.randomUUID());
  },
};
