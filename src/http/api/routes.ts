import { Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import type { UnknownPaths } from '../../access/unknown-paths.ts';
import { replyError } from '../errors.ts';
import { gate } from '../gate.ts';
import { explainApi } from './explain.ts';
import { originsApi } from '../origin-status.ts';
import type { HttpEnv } from '../reply.ts';
import type { HttpServices } from '../services.ts';
import { liftTakedown, listTakedowns } from './takedowns.ts';
import { listTokens, makeToken, revokeToken } from './tokens.ts';
import { modulesApi } from './modules.ts';

/** The routes below `/-/api/`. Whatever has no row of its own is for admins. */
export function api(app: Hono<HttpEnv>, services: HttpServices, unknownPaths: UnknownPaths): void {
  const routes = new Hono<HttpEnv>();
  routes.use(
    '/-/api/*',
    methodNotAllowed({
      app: routes,
      onMethodNotAllowed(c, methods) {
        const headers = { Allow: methods.join(', ') };
        const text = `method not allowed: use ${methods.join(' or ')}`;
        return replyError(c, services, { status: 405, text, headers });
      },
    }),
  );
  routes.get('/-/api/origins', gate(services, 'read'), originsApi(services));
  routes.get('/-/api/takedowns', gate(services, 'admin'), listTakedowns(services));
  routes.delete('/-/api/takedowns/*', gate(services, 'admin'), liftTakedown(services));
  routes.get('/-/api/explain/*', explainApi(services, unknownPaths));
  routes.get('/-/api/tokens', gate(services, 'admin'), listTokens(services));
  routes.post('/-/api/tokens', gate(services, 'admin'), makeToken(services));
  routes.delete('/-/api/tokens/:name', gate(services, 'admin'), revokeToken(services));
  modulesApi(routes, services);
  routes.all('/-/api/*', gate(services, 'admin'), (c) =>
    replyError(c, services, { status: 404, text: 'not found: the API has no such path' }),
  );
  app.route('/', routes);
}
