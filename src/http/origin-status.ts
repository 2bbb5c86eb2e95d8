import type { Handler } from 'hono';
import { refusalOf } from '../access/gate.ts';
import { isPrivateOrigin } from '../origins/origin.ts';
import { originReport } from '../status/origin-report.ts';
import { jobsText } from '../status/job-report.ts';
import { nearTestText } from '../status/near-test.ts';
import { readiness, readinessText } from '../status/readiness.ts';
import { type HttpEnv, reply } from './reply.ts';
import { respondJson, respondLocally } from './respond.ts';
import type { HttpServices } from './services.ts';

/**
 * `/readyz`: 200 when modferry can serve modules, according to the last observations, else 503. It
 * names private origins to those alone who may read private modules.
 */
export function ready(services: HttpServices): Handler<HttpEnv> {
  return async function handleReady(c) {
    const [status, jobs, nearTest] = await Promise.all([
      services.status(c.get('scope').connections),
      services.jobs(),
      services.testNear(),
    ]);
    const isInsider = !refusalOf(c.get('caller'), 'private', services.config.access);
    const state = readiness(status);
    const shown = state.upstreams.filter(
      ({ upstream }) => isInsider || !isPrivateOrigin(upstream.origin),
    );
    const text =
      readinessText({ ...state, upstreams: shown }) +
      jobsText(jobs, status.now) +
      (nearTest ? `${nearTestText(nearTest)}\n` : '');
    const response = respondLocally(state.isReady ? 200 : 503, text, {
      requestId: c.get('requestId'),
    });
    return reply(c, services, { subject: { kind: 'readiness' }, response });
  };
}

/** `/-/api/origins`: the health of each origin, as JSON. */
export function originsApi(services: HttpServices): Handler<HttpEnv> {
  return async function handleOrigins(c) {
    const report = originReport(await services.status(c.get('scope').connections));
    const response = respondJson(200, report, { requestId: c.get('requestId') });
    return reply(c, services, { subject: { kind: 'origins' }, response });
  };
}
