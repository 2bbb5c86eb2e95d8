import type { Handler } from 'hono';
import { originReport } from '../status/origin-report.ts';
import { readiness, type Standing } from '../status/readiness.ts';
import type { Services, Variables } from './exchange.ts';
import { respondLocally } from './respond.ts';

/**
 * `/readyz`: whether modules can be had, as far as is known. For load balancers, and for whoever
 * asks why not.
 */
export function ready(services: Services): Handler<Variables> {
  return async function handleReady(c) {
    const exchange = c.get('exchange');
    exchange.subject = { kind: 'readiness' };
    const { isReady, text } = readiness(await standing(services));
    return respondLocally(isReady ? 200 : 503, text, exchange);
  };
}

/** `/-/api/origins`: what is known of each origin. */
export function originsApi(services: Services): Handler<Variables> {
  return async function handleOrigins(c) {
    const exchange = c.get('exchange');
    exchange.subject = { kind: 'origins' };
    const report = originReport(await standing(services));
    return respondLocally(200, `${JSON.stringify(report)}\n`, {
      ...exchange,
      contentType: 'application/json',
    });
  };
}

async function standing({ clock, config, pool, probes }: Services): Promise<Standing> {
  return { asked: config, pool, history: await probes.read(), now: clock.now() };
}
