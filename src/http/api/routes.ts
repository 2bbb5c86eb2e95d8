import type { Hono } from 'hono';
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
export function api(app: Hono<HttpEnv>, services: HttpServices): void {
  app.get('/-/api/origins', gate(services, 'read'), originsApi(services));
  app.get('/-/api/takedowns', gate(services, 'admin'), listTakedowns(services));
  app.delete('/-/api/takedowns/*', gate(services, 'admin'), liftTakedown(services));
  app.get('/-/api/explain/*', explainApi(services));
  app.get('/-/api/tokens', gate(services, 'admin'), listTokens(services));
  app.post('/-/api/tokens', gate(services, 'admin'), makeToken(services));
  app.delete('/-/api/tokens/:name', gate(services, 'admin'), revokeToken(services));
  modulesApi(app, services);
  app.all('/-/api/*', gate(services, 'admin'), (c) =>
    replyError(c, services, { status: 404, text: 'not found: the API has no such path' }),
  );
}
