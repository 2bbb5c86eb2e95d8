import { Hono, type Context } from 'hono';
import { checksums } from './checksums.ts';
import { exchanges, type Services, type Variables } from './exchange.ts';
import { homePage } from './home.ts';
import { modules } from './modules.ts';
import { respondFailure, respondLocally } from './respond.ts';
import { originsApi, ready } from './standing.ts';

const METHODS = ['GET', 'HEAD'];

/** The HTTP face of modferry. Order matters: what is not a path of its own is a module path. */
export function createApp(services: Services): Hono<Variables> {
  const app = new Hono<Variables>();

  app.use(exchanges(services));
  app.use(async function readOnly(c, next) {
    if (METHODS.includes(c.req.raw.method)) return next();
    return fail(
      c,
      405,
      'method not allowed: a module proxy is read with GET and HEAD',
      METHODS.join(', '),
    );
  });

  app.get('/healthz', (c) => local(c, 'health', 'ok\n'));
  app.get('/readyz', ready(services));
  app.get('/-/api/origins', originsApi(services));
  app.get('/', (c) => local(c, 'home', homePage(services.config, new URL(c.req.url).origin)));
  for (const path of ['/sumdb', '/sumdb/*', '/cached-only/sumdb/*'])
    app.get(path, checksums(services));
  app.get('*', modules(services));

  app.onError((error, c) => {
    c.get('exchange').carrier.report('request', error);
    return fail(c, 500, 'modferry failed on this request: its log says more');
  });
  return app;
}

function local(c: Context<Variables>, kind: string, text: string): Response {
  const exchange = c.get('exchange');
  exchange.subject = { kind };
  return respondLocally(200, text, exchange);
}

function fail(c: Context<Variables>, status: number, text: string, allow?: string): Response {
  const exchange = c.get('exchange');
  exchange.subject = { kind: 'failure' };
  const { requestId } = exchange;
  return respondFailure(status, text, { requestId, ...(allow ? { allow } : {}) });
}
