import type { ExecutionContext } from '@cloudflare/workers-types';
import { runCron } from './cron/run.ts';
import { respondFailure } from './http/respond.ts';
import { type Env, type Isolate, isolateOf } from './modferry.ts';
import { backgroundOf } from './platform/cloudflare/background.ts';
import { regionOf } from './platform/cloudflare/region.ts';
import { logTrouble, writeLine } from './telemetry/log.ts';

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const { signal } = request;
    const incoming = { region: regionOf(request), background: backgroundOf(context), signal };
    let isolate: Isolate;
    try {
      isolate = isolateOf(env);
    } catch (error) {
      logTrouble(writeLine, 'start', error);
      const text = 'modferry is not configured correctly: its log lists the problems';
      return respondFailure(500, text, { requestId: crypto.randomUUID() });
    }
    return isolate.app.fetch(request, { incoming });
  },

  async scheduled(_controller: unknown, env: Env): Promise<void> {
    await runCron(isolateOf(env).services);
  },
};
