import { Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import type { Need } from '../access/gate.ts';
import { UnknownPaths } from '../access/unknown-paths.ts';
import { namedModule } from '../goproxy/request.ts';
import { api } from './api/routes.ts';
import { checksums } from './checksums.ts';
import { replyError } from './errors.ts';
import { gate, identifyCaller, refuse } from './gate.ts';
import { homePage } from './pages/home.ts';
import { modules } from './modules.ts';
import { ready } from './origin-status.ts';
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
  app.get('/healthz', async (c) => {
    await services.atStart(c.get('scope').context);
    const response = respondLocally(200, 'ok\n', { requestId: c.get('requestId') });
    return reply(c, services, { subject: { kind: 'health' }, response });
  });
  app.get('/robots.txt', (c) => {
    const text = 'User-agent: *\nDisallow: /\n';
    const response = respondLocally(200, text, { requestId: c.get('requestId') });
    return reply(c, services, { subject: { kind: 'robots' }, response });
  });

  app.use(async function start(c, next) {
    void services.atStart(c.get('scope').context);
    await next();
  });
  app.use(identifyCaller(services));
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed(c, methods) {
        // The API has methods of its own.
        const { pathname } = new URL(c.req.url);
        if (pathname.startsWith('/-/api/')) return c.res;
        const refused = refuse(c, services, needOf(pathname, services));
        if (refused) return refused;
        const headers = { Allow: methods.join(', ') };
        const text = `method not allowed: use ${methods.join(' or ')}`;
        return replyError(c, services, { status: 405, text, headers });
      },
    }),
  );
  // The router decodes what a path has as %-escapes. Those of the API are written plainly, so that
  // every part of it reads the same.
  app.use('/-/api/*', async function refuseEscaped(c, next) {
    if (new URL(c.req.url).pathname.startsWith('/-/api/')) return next();
    return replyError(c, services, { status: 404, text: 'not found: write /-/api/ as it is' });
  });
  const unknownPaths = new UnknownPaths(services.clock);
  app.get('/readyz', gate(services, 'public'), ready(services));
  app.get('/', gate(services, 'public'), (c) => {
    const page = homePage(services.config, new URL(c.req.url).origin);
    const response = respondLocally(200, page, { requestId: c.get('requestId') });
    return reply(c, services, { subject: { kind: 'home' }, response });
  });
  for (const path of ['/sumdb', '/sumdb/*']) {
    for (const prefix of ['', '/cached-only', '/cooldown/:age', '/cooldown/:age/cached-only'])
      app.get(prefix + path, gate(services, 'public'), checksums(services));
  }
  api(app, services, unknownPaths);
  // Figures are for holders of a token, also where this version has none.
  app.get('/metrics', gate(services, 'read'), modules(services, unknownPaths));
  app.get('/-/status', gate(services, 'read'), modules(services, unknownPaths));
  app.get('*', modules(services, unknownPaths));

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

/** What a path needs whose method is not allowed. */
function needOf(pathname: string, { isPrivate }: HttpServices): Need {
  if (pathname === '/healthz' || pathname === '/robots.txt') return 'nothing';
  return isPrivate(namedModule(pathname)) ? 'private' : 'public';
}
