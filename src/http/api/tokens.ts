import type { Handler } from 'hono';
import { isTokenName } from '../../access/token.ts';
import { MAX_TOKENS, type NotMade } from '../../access/tokens/stored-tokens.ts';
import { type ErrorAnswer, replyError } from '../errors.ts';
import { type HttpEnv, reply } from '../reply.ts';
import { respondJson } from '../respond.ts';
import type { HttpServices } from '../services.ts';
import { jsonBody } from './json-body.ts';
import { newTokenSchema } from './new-token.ts';
import { replyNoContent } from './no-content.ts';
import { record } from './record.ts';

const SUBJECT = { kind: 'tokens' };

const UNAVAILABLE: ErrorAnswer = {
  status: 503,
  text: 'the tokens cannot be read and written just now: try again, and look into the log',
  headers: { 'Retry-After': '5' },
};

/** `GET /-/api/tokens`: all tokens, without their texts. */
export function listTokens(services: HttpServices): Handler<HttpEnv> {
  return async function handleList(c) {
    const tokens = await services.tokensOf(c.get('scope').context).list();
    if (!tokens) return replyError(c, services, UNAVAILABLE);
    const response = respondJson(200, tokens, { requestId: c.get('requestId') });
    return reply(c, services, { subject: SUBJECT, response });
  };
}

/** `POST /-/api/tokens`: makes a token, and shows its text this once. */
export function makeToken(services: HttpServices): Handler<HttpEnv> {
  return async function handleMake(c) {
    const body = await jsonBody(c, newTokenSchema(services.clock.now()));
    if (!body.ok) return replyError(c, services, body.reason);
    const { name, scope, expires, modules } = body.value;
    const token = { name, scope, expires, modules };
    const made = await services.tokensOf(c.get('scope').context).make(token);
    if (made.kind !== 'made') return replyError(c, services, notMade(made.kind, name));
    record(c, 'make-token', name);
    const shown = { ...token, token: made.text };
    const response = respondJson(201, shown, { requestId: c.get('requestId') });
    return reply(c, services, { subject: SUBJECT, response });
  };
}

function notMade(why: NotMade, name: string): ErrorAnswer {
  switch (why) {
    case 'configured':
      return { status: 409, text: `TOKENS has a token "${name}": choose another name` };
    case 'taken':
      return {
        status: 409,
        text: `there is a token "${name}": choose another name, or revoke it first`,
      };
    case 'too many':
      return { status: 409, text: `there are ${MAX_TOKENS} tokens: revoke some first` };
    case 'unkept':
      return {
        status: 503,
        text: 'tokens cannot be kept without a bucket: bind one in wrangler.toml, or write the token into TOKENS',
      };
    case 'unavailable':
      return UNAVAILABLE;
  }
}

/** `DELETE /-/api/tokens/<name>`: revokes a token that was made by the API. */
export function revokeToken(services: HttpServices): Handler<HttpEnv> {
  return async function handleRevoke(c) {
    const name = c.req.param('name') ?? '';
    const tokens = services.tokensOf(c.get('scope').context);
    switch (isTokenName(name) ? await tokens.revoke(name) : 'none') {
      case 'revoked':
        record(c, 'revoke-token', name);
        return replyNoContent(c, services, SUBJECT);
      case 'none':
        return replyError(c, services, { status: 404, text: 'there is no token of this name' });
      case 'configured': {
        const text = `"${name}" is one of TOKENS: take it out there`;
        return replyError(c, services, { status: 409, text });
      }
      case 'unavailable':
        return replyError(c, services, UNAVAILABLE);
    }
  };
}
