import { Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import { checksums } from './checksums.ts';
import { homePage } from './home.ts';
import { modules } from './modules.ts';
import { originsApi, ready } from './origin-status.ts';
import { type HttpEnv, reply } from './reply.ts';
import { respondFailure, respondLocally } from './respond.ts';
import type { HttpServices } from './services.ts';

/**
 * Builds the HTTP application. The order of the routes matters: every path without a route of its
 * own is a module path.
 */
export function createApp(services: HttpServices): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();

  // Without a header name the id is always generated: a client cannot choose it.
  const { newRequestId = () => crypto.randomUUID() } = services;
  app.use(requestId({ headerName: '', generator: newRequestId }));
  app.use(async function openScope(c, next) {
    c.set('scope', services.open(c.env.incoming, c.get('requestId')));
    await next();
  });
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed(c, methods) {
        const allow = methods.join(', ');
        const text = 'method not allowed: a module proxy is read with GET and HEAD';
        const response = respondFailure(405, text, { requestId: c.get('requestId'), allow });
        return reply(c, services, { subject: { kind: 'failure' }, response });
      },
    }),
  );

  app.get('/healthz', (c) => {
    const response = respondLocally(200, 'ok\n', { requestId: c.get('requestId') });
    return reply(c, services, { subject: { kind: 'health' }, response });
  });
  app.get('/readyz', ready(services));
  app.get('/-/api/origins', originsApi(services));
  app.get('/', (c) => {
    const page = homePage(services.config, new URL(c.req.url).origin);
    const response = respondLocally(200, page, { requestId: c.get('requestId') });
    return reply(c, services, { subject: { kind: 'home' }, response });
  });
  for (const path of ['/sumdb', '/sumdb/*', '/cached-only/sumdb/*']) {
    app.get(path, checksums(services));
  }
  app.get('*', modules(services));

  app.onError((error, c) => {
    const id = c.get('requestId');
    services.sink({ event: 'trouble', label: 'request', error }, id);
    const text = 'modferry failed on this request: see its log';
    const response = respondFailure(500, text, { requestId: id });
    // Without a scope the request could not even be opened.
    const isOpen: boolean = c.get('scope') !== undefined;
    return isOpen ? reply(c, services, { subject: { kind: 'failure' }, response }) : response;
  });
  return app;
}
