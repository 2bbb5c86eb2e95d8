import type { Context } from 'hono';
import type { Caller } from '../access/caller.ts';
import { LOCAL, type Outcome, reasonOf } from '../mirror/outcome.ts';
import type { Subject } from '../telemetry/event.ts';
import { respond } from './respond.ts';
import type { HttpServices, Incoming, RequestScope } from './services.ts';

/** The types of Hono's context. */
export interface HttpEnv {
  Variables: {
    requestId: string;
    scope: RequestScope;
    caller: Caller;
    /** Whether the answer is for holders of a token alone. */
    isPrivate: boolean;
  };
  Bindings: { incoming: Incoming };
}

/** Renders the outcome of a request, and emits the request event. */
export function replyOutcome(
  c: Context<HttpEnv>,
  services: HttpServices,
  { subject, outcome }: { readonly subject: Subject; readonly outcome: Outcome },
): Response {
  const { requestId, startedAt, trace } = c.get('scope');
  const response = respond(outcome, {
    requestId,
    trace,
    ms: services.clock.steady() - startedAt,
    ifNoneMatch: c.req.header('If-None-Match'),
    withoutBody: c.req.raw.method === 'HEAD',
    isPrivate: c.get('isPrivate'),
  });
  return reply(c, services, { subject, response, outcome });
}

interface Answer {
  readonly subject: Subject;
  readonly response: Response;
  /** Absent where the response was made without one. */
  readonly outcome?: Outcome;
}

/** Emits the request event of a finished response, and returns the response. */
export function reply(
  c: Context<HttpEnv>,
  { clock, config }: HttpServices,
  answer: Answer,
): Response {
  const { subject, response, outcome } = answer;
  const { emit, region, startedAt } = c.get('scope');
  const caller: Caller | undefined = c.get('caller'); // open routes do not look at it
  const length = response.headers.get('Content-Length');
  emit({
    event: 'request',
    method: c.req.raw.method,
    ...subject,
    status: response.status,
    source: outcome?.source ?? LOCAL,
    bytes: length === null ? undefined : Number(length),
    ms: clock.steady() - startedAt,
    region,
    token: caller?.kind === 'holder' ? caller.name : undefined,
    client: config.logClientAddress ? c.req.header('CF-Connecting-IP') : undefined,
    text: outcome && reasonOf(outcome),
  });
  return response;
}
