import type { Hono } from 'hono';
import { replyError } from '../errors.ts';
import { gate } from '../gate.ts';
import { originsApi } from '../origin-status.ts';
import type { HttpEnv } from '../reply.ts';
import type { HttpServices } from '../services.ts';
import { modulesApi } from './modules.ts';

/** The routes below `/-/api/`. Whatever has no row of its own is for admins. */
export function api(app: Hono<HttpEnv>, services: HttpServices): void {
  app.get('/-/api/origins', gate(services, 'read'), originsApi(services));
  modulesApi(app, services);
  app.all('/-/api/*', gate(services, 'admin'), (c) =>
    replyError(c, services, { status: 404, text: 'not found: the API has no such path' }),
  );
}
