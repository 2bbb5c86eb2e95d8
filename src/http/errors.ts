import type { Context } from 'hono';
import { type HttpEnv, reply } from './reply.ts';
import { type LocalResponse, respondFailure, respondJson } from './respond.ts';
import type { HttpServices } from './services.ts';

export interface ErrorAnswer extends Pick<LocalResponse, 'headers'> {
  readonly status: number;
  readonly text: string;
}

const API = '/-/api/';

/**
 * Answers with an error of modferry's own: as JSON below `/-/api/`, else as plain text, which is all
 * that the go command shows.
 */
export function replyError(
  c: Context<HttpEnv>,
  services: HttpServices,
  { status, text, headers }: ErrorAnswer,
): Response {
  const options = { requestId: c.get('requestId'), headers };
  const response = new URL(c.req.url).pathname.startsWith(API)
    ? respondJson(status, { error: text }, options)
    : respondFailure(status, text, options);
  return reply(c, services, { subject: { kind: 'failure' }, response });
}
