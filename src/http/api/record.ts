import type { Context } from 'hono';
import type { AdminAction } from '../../access/events.ts';
import type { HttpEnv } from '../reply.ts';

/** Records what the holder of a token has done, and to what. */
export function record(c: Context<HttpEnv>, action: AdminAction, subject: string): void {
  const caller = c.get('caller');
  const token = caller.kind === 'holder' ? caller.name : caller.kind;
  c.get('scope').emit({ event: 'admin', token, action, subject });
}
