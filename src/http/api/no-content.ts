import type { Context } from 'hono';
import { CACHE_CONTROL } from '../../mirror/cache-policy.ts';
import type { Subject } from '../../telemetry/event.ts';
import { type HttpEnv, reply } from '../reply.ts';
import type { HttpServices } from '../services.ts';

/** Answers that something was done about which there is nothing to say: 204. */
export function replyNoContent(
  c: Context<HttpEnv>,
  services: HttpServices,
  subject: Subject,
): Response {
  const headers = {
    'Cache-Control': CACHE_CONTROL.failure,
    'Cache-Status': 'modferry; detail=local',
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': c.get('requestId'),
  };
  const response = new Response(null, { status: 204, headers });
  return reply(c, services, { subject, response });
}
