import { type Clock, TimeoutError, within } from '../clock.ts';
import type { Missing } from '../store/contract.ts';
import { OriginBody } from './body.ts';
import { BadAnswer, type Failure, Mismatch, type Origin } from './origin.ts';

/** proxy.golang.org answers many zips with one redirect to its storage; five are more than anybody needs. */
const MAX_REDIRECTS = 5;

/** How much of an error's text is read: a go command shows 648 bytes at most. */
const MAX_ERROR_TEXT = 2048;

/**
 * Texts with which proxy.golang.org says 404 and means "not now": its own fetch took too long, or it was told not to
 * fetch. Neither says that the module does not exist (golang/go#57185, #53572).
 */
const NOT_AN_ANSWER = /fetch timed out|temporarily unavailable/i;

export interface Question<T> {
  /** Path below the origin's base URL, percent-encoded, with its leading slash. */
  readonly path: string;
  /** Whether 400 says, as it does at older module proxies, that there is no such file. Default true. */
  readonly is400Missing?: boolean;
  /** Reads the body of a 200 and returns what it holds. Throws `BadAnswer` when it cannot be what was asked for. */
  accept(body: OriginBody): Promise<T>;
}

export type Attempt<T> =
  | { readonly kind: 'accepted'; readonly value: T; readonly origin: string }
  | { readonly kind: 'missing'; readonly missing: Missing }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface AttemptEffects {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
}

/**
 * Asks one origin once, for at most `ms` milliseconds until `accept` has returned. Never throws: whatever goes wrong is
 * a failure of that origin. Afterwards nothing is left running, except the body that `accept` handed out on purpose.
 */
export async function attempt<T>(
  origin: Origin,
  question: Question<T>,
  { fetch, clock, ms }: AttemptEffects & { readonly ms: number },
): Promise<Attempt<T>> {
  const connection = new AbortController();
  try {
    const work = ask(origin, question, { fetch, clock, signal: connection.signal });
    const result = await within(clock, ms, work);
    if (result.kind !== 'accepted') connection.abort();
    return result;
  } catch (error) {
    connection.abort(error);
    return { kind: 'failed', failure: { origin: origin.name, ...explain(error) } };
  }
}

async function ask<T>(
  origin: Origin,
  question: Question<T>,
  { fetch, clock, signal }: AttemptEffects & { readonly signal: AbortSignal },
): Promise<Attempt<T>> {
  const { response, redirected } = await follow(origin, question.path, { fetch, clock, signal });
  const body = new OriginBody(response, { clock, stall: origin.limits.stall });
  if (response.status === 200) {
    return { kind: 'accepted', value: await question.accept(body), origin: origin.name };
  }
  const said = new TextDecoder().decode(await body.start(MAX_ERROR_TEXT)).trim();
  const text = said.startsWith('<') ? '' : said; // a page says nothing to who reads it in a terminal
  return judge(origin, response, { text, is400Missing: (question.is400Missing ?? true) && !redirected });
}

/**
 * What a status other than 200 means. 404 and 410 are answers, and so is 400, which older proxies give for a module or
 * version that cannot exist (golang/go#33303), unless it comes from where they redirect to: an object storage says 400 to
 * a signed address that has expired. 401 and 403 are no answers: they are this origin's quarrel with modferry, and passed
 * on they would break the go command for a module that exists elsewhere.
 */
function judge(
  origin: Origin,
  response: Response,
  { text, is400Missing }: { readonly text: string; readonly is400Missing: boolean },
): Attempt<never> {
  const { status } = response;
  const isAnswer = status === 404 || status === 410 || (status === 400 && is400Missing);
  if (isAnswer && !NOT_AN_ANSWER.test(text)) {
    return { kind: 'missing', missing: { status: status === 410 ? 410 : 404, text, origin: origin.name } };
  }
  const retryAfter = retryAfterSeconds(response.headers.get('Retry-After'));
  return {
    kind: 'failed',
    failure: {
      origin: origin.name,
      cause: isAnswer ? 'timeout' : status === 429 || status === 503 ? 'overloaded' : 'status',
      text: isAnswer ? text : `status ${status}`,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    },
  };
}

/**
 * Fetches with redirects followed here and not by the platform, which would carry the Authorization header to whatever
 * host the redirect names. The request is built from scratch: nothing that the client sent goes along. The platform's
 * own cache is passed by: it would keep a redirect to a signed address beyond the address's life, and 404s of zips.
 */
async function follow(
  origin: Origin,
  path: string,
  { fetch, clock, signal }: AttemptEffects & { readonly signal: AbortSignal },
): Promise<{ readonly response: Response; readonly redirected: boolean }> {
  let url = origin.url + path;
  for (let redirects = 0; ; redirects++) {
    const headers = new Headers({ 'Accept-Encoding': 'identity', 'User-Agent': 'modferry' });
    if (redirects === 0 && origin.authorization) headers.set('Authorization', origin.authorization);
    const asked = fetch(url, { headers, redirect: 'manual', cache: 'no-store', signal });
    const response = await within(clock, origin.limits.headers, asked);
    const location = response.headers.get('Location');
    if (response.status < 300 || response.status > 399 || location === null) {
      return { response, redirected: redirects > 0 };
    }
    await response.body?.cancel();
    if (redirects === MAX_REDIRECTS) throw new BadAnswer(`more than ${MAX_REDIRECTS} redirects`);
    url = redirectTarget(location, url);
  }
}

function redirectTarget(location: string, base: string): string {
  const target = URL.parse(location, base);
  if (!target || !/^https?:$/.test(target.protocol))
    throw new BadAnswer('a redirect to no http or https address');
  if (target.protocol === 'http:' && base.startsWith('https:'))
    throw new BadAnswer('a redirect from https to http');
  return target.href;
}

/** RFC 9110 10.2.3: seconds, or a date, which is ignored here like anything that is no number. */
function retryAfterSeconds(value: string | null): number | undefined {
  return value !== null && /^\d{1,6}$/.test(value) ? Number(value) : undefined;
}

function explain(error: unknown): Omit<Failure, 'origin'> {
  if (error instanceof TimeoutError)
    return { cause: 'timeout', text: `no answer within ${Math.round(error.ms / 100) / 10} s` };
  if (error instanceof Mismatch) return { cause: 'mismatch', text: error.message, hashes: error.hashes };
  if (error instanceof BadAnswer) return { cause: 'answer', text: error.message };
  // The platform's own messages name no cause that could be relied on, and at times internal references.
  return { cause: 'unreachable', text: 'connection failed' };
}
