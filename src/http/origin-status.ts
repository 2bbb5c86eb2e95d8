import type { Handler } from 'hono';
import { originReport } from '../status/origin-report.ts';
import { readiness, readinessText } from '../status/readiness.ts';
import { type HttpEnv, reply } from './reply.ts';
import { respondLocally } from './respond.ts';
import type { HttpServices } from './services.ts';

/** `/readyz`: whether modules can be had, as far as is known, for load balancers and for people. */
export function ready(services: HttpServices): Handler<HttpEnv> {
  return async function handleReady(c) {
    const known = readiness(await services.status());
    const response = respondLocally(known.isReady ? 200 : 503, readinessText(known), {
      requestId: c.get('requestId'),
    });
    return reply(c, services, { subject: { kind: 'readiness' }, response });
  };
}

/** `/-/api/origins`: what is known of each origin. */
export function originsApi(services: HttpServices): Handler<HttpEnv> {
  return async function handleOrigins(c) {
    const report = originReport(await services.status());
    const response = respondLocally(200, `${JSON.stringify(report)}\n`, {
      requestId: c.get('requestId'),
      contentType: 'application/json',
    });
    return reply(c, services, { subject: { kind: 'origins' }, response });
  };
}
