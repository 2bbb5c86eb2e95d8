import type { Context, MiddlewareHandler } from 'hono';
import { identify } from '../access/caller.ts';
import { type Need, needsToken, type Refusal, refusalOf } from '../access/gate.ts';
import { replyError } from './errors.ts';
import type { HttpEnv } from './reply.ts';
import type { HttpServices } from './services.ts';

/** Tells who sends a request. Every route behind it knows its caller. */
export function identifyCaller({ clock, tokensOf }: HttpServices): MiddlewareHandler<HttpEnv> {
  return async function identifyTheCaller(c, next) {
    const request = { url: c.req.url, authorization: c.req.header('Authorization') };
    const tokens = tokensOf(c.get('scope').context);
    c.set('caller', await identify(request, tokens, clock.now()));
    await next();
  };
}

/** Lets only those pass who may have what a route serves. */
export function gate(services: HttpServices, need: Need): MiddlewareHandler<HttpEnv> {
  return async function passGate(c, next) {
    const refused = refuse(c, services, need);
    if (!refused) await next();
    return refused;
  };
}

/**
 * The response to a caller who may not have what needs `need`; undefined where it may. Notes whether
 * the answer is for holders of a token alone.
 */
export function refuse(
  c: Context<HttpEnv>,
  services: HttpServices,
  need: Need,
): Response | undefined {
  const { access } = services.config;
  const refusal = refusalOf(c.get('caller'), need, access);
  if (refusal) return replyRefusal(c, services, refusal);
  c.set('isPrivate', needsToken(need, access));
  return undefined;
}

function replyRefusal(c: Context<HttpEnv>, services: HttpServices, refusal: Refusal): Response {
  switch (refusal.kind) {
    case 'unauthenticated': {
      const text = `unauthorized: ${refusal.why}. ${howToLogIn(new URL(c.req.url))}`;
      const headers = { 'WWW-Authenticate': 'Basic realm="modferry"' };
      return replyError(c, services, { status: 401, text, headers });
    }
    case 'forbidden':
      return replyError(c, services, { status: 403, text: `forbidden: ${refusal.why}` });
    case 'unknown': {
      const headers = { 'Retry-After': '5' };
      return replyError(c, services, { status: 503, text: refusal.why, headers });
    }
  }
}

/** A longer host is not repeated: the text has to stay short. */
const MAX_HOST_LENGTH = 100;

function howToLogIn({ host, protocol }: URL): string {
  const shown = host.length > MAX_HOST_LENGTH ? '<host>' : host;
  const text = `Put "machine ${shown} login any password <token>" into ~/.netrc, or write GOPROXY=https://any:<token>@${shown}`;
  return protocol === 'http:'
    ? `${text}. A go command sends it over https alone: TLS_CERT and TLS_KEY`
    : text;
}
