import { type Clock, TimeoutError, within } from '../../effects/clock.ts';
import type { Missing } from '../../store/contract.ts';
import { OriginBody } from './body.ts';
import { BadAnswer, type Failure, Mismatch, type Origin } from '../origin.ts';
import { type RangeHeaders, type ResumeEvents, resumer } from './resume.ts';
import { validatorOf } from './validator.ts';
import { Vitals } from './attempt-progress.ts';

/**
 * proxy.golang.org answers many zips with one redirect to its storage; five are more than anybody
 * needs.
 */
const MAX_REDIRECTS = 5;

/** How much of an error's text is read: a go command shows 648 bytes at most. */
const MAX_ERROR_TEXT = 2048;

/**
 * Texts with which proxy.golang.org says 404 and means "not now": its own fetch took too long, or
 * it was told not to fetch. Neither says that the module does not exist (golang/go#57185, #53572).
 */
const NOT_AN_ANSWER = /fetch timed out|temporarily unavailable/i;

export interface Question<T> {
  /** Path below the origin's base URL, percent-encoded, with its leading slash. */
  readonly path: string;
  /**
   * Whether 400 says, as it does at older module proxies, that there is no such file. Default true.
   */
  readonly is400Missing?: boolean;
  /** Whether the answer is a zip, whose body may be long. */
  readonly isZip?: boolean;
  /**
   * How a body of declared length is continued when it breaks off: with the rest that a validator
   * proves to be of the same file, or also with the rest that a digest of what came proves to be.
   * The digest costs 0.8 ms of CPU a MiB (measured in workerd), more than there is where nothing
   * else needs it. Absent: not at all.
   */
  readonly resume?: 'by-validator' | 'by-digest';
  /**
   * Whether something older may be given in an outage: then who is known to fail is not waited for
   * as long.
   */
  readonly hasSpare?: boolean;
  /** Whether an origin is not to be asked before any of its mirrors. */
  readonly isLast?: (origin: Origin) => boolean;
  /** Whether an origin has had its say already. */
  readonly isSettled?: (origin: Origin) => boolean;
  /**
   * Reads the body of a 200 and returns what it holds. Throws `BadAnswer` when it cannot be what
   * was asked for.
   */
  accept(body: OriginBody): Promise<T>;
  /** Gives back what `accept` returned when it came too late to be of use. */
  discard?(value: T): void;
}

export type Attempt<T> =
  | { readonly kind: 'accepted'; readonly value: T; readonly origin: string }
  | { readonly kind: 'missing'; readonly missing: Missing }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface AttemptEffects {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
}

/** How a body that breaks off is continued. */
export interface Resuming extends ResumeEvents {
  /** Who else may have the same file, in the order in which they are asked for the rest. */
  readonly others: readonly Origin[];
  /**
   * Whether nobody else can be asked for the file: then also a body is continued that `accept` has
   * not let through yet. Otherwise that one fails, and the next origin begins anew.
   */
  readonly isAlone: boolean;
  /** Between 0 and 1. */
  readonly random: () => number;
}

export interface AttemptOptions extends AttemptEffects {
  /** Milliseconds until `accept` has to have returned. */
  readonly ms: number;
  /** Ends the attempt. */
  readonly signal?: AbortSignal;
  /** Is kept up to date, so that others see how it goes. */
  readonly vitals?: Vitals;
  /** Absent: bodies that break off stay broken. */
  readonly resuming?: Resuming;
}

/**
 * Asks one origin once, for at most `ms` milliseconds until `accept` has returned. Never throws:
 * whatever goes wrong is a failure of that origin. Afterwards nothing is left running, except the
 * body that `accept` handed out on purpose.
 */
export async function attempt<T>(
  origin: Origin,
  question: Question<T>,
  { fetch, clock, ms, resuming, signal, vitals = new Vitals(clock) }: AttemptOptions,
): Promise<Attempt<T>> {
  const connection = new AbortController();
  const work = ask(origin, question, { fetch, clock, resuming, signal: connection.signal, vitals });
  const end = Promise.withResolvers<never>();
  const giveUp = () => end.reject(signal?.reason);
  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    const result = await Promise.race([within(clock, ms, work), end.promise]);
    if (result.kind !== 'accepted') connection.abort();
    return result;
  } catch (error) {
    connection.abort(error);
    const isLate = (late: Attempt<T>) => late.kind === 'accepted' && question.discard?.(late.value);
    void work.then(isLate, () => undefined);
    return { kind: 'failed', failure: failureOf(origin, error) };
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

interface Connection extends AttemptEffects {
  readonly signal: AbortSignal;
  readonly vitals: Vitals;
  readonly resuming: Resuming | undefined;
}

async function ask<T>(
  origin: Origin,
  question: Question<T>,
  connection: Connection,
): Promise<Attempt<T>> {
  const { clock, resuming, vitals } = connection;
  const { response, redirected } = await follow(origin, question.path, connection);
  vitals.headersCame();
  const body = new OriginBody(response, { clock, stall: origin.limits.stallMs, vitals });
  if (response.status === 200) {
    const resume = () => makeResumable(body, response, { origin, question, connection });
    if (resuming?.isAlone) resume();
    const value = await question.accept(body);
    if (!resuming?.isAlone) resume();
    return { kind: 'accepted', value, origin: origin.name };
  }
  const said = new TextDecoder().decode(await body.start(MAX_ERROR_TEXT)).trim();
  const text = said.startsWith('<') ? '' : said; // a page says nothing to who reads it in a terminal
  return judge(origin, response, {
    text,
    is400Missing: (question.is400Missing ?? true) && !redirected,
  });
}

/**
 * Has a body continued when it breaks off, where the question asks for that and something can prove
 * what its rest is.
 */
function makeResumable(
  body: OriginBody,
  { headers }: Response,
  asked: {
    readonly origin: Origin;
    readonly question: Pick<Question<unknown>, 'path' | 'resume'>;
    readonly connection: Connection;
  },
): void {
  const { origin, question, connection } = asked;
  const { resuming, signal } = connection;
  const validator = validatorOf(headers);
  const { declared: size } = body;
  const isProvable = question.resume === 'by-digest' || validator !== undefined;
  if (!question.resume || !isProvable || !resuming || size === undefined) return;
  // Given up: the connection that breaks then is none that broke off.
  signal.addEventListener('abort', () => void body.cancel(signal.reason), { once: true });
  const resume = resumer({
    ...connection,
    ...resuming,
    origin,
    size,
    validator,
    async ask(other, range, signal) {
      const { response } = await follow(other, question.path, { ...connection, range, signal });
      return response;
    },
  });
  body.resumeWith(resume, { keepsDigest: question.resume === 'by-digest' });
}

/**
 * What a status other than 200 means. 404 and 410 are answers, and so is 400, which older proxies
 * give for a module or version that cannot exist (golang/go#33303), unless it comes from where they
 * redirect to: an object storage says 400 to a signed address that has expired. 401 and 403 are no
 * answers: they are this origin's quarrel with modferry, and passed on they would break the go
 * command for a module that exists elsewhere.
 */
function judge(
  origin: Origin,
  response: Response,
  { text, is400Missing }: { readonly text: string; readonly is400Missing: boolean },
): Attempt<never> {
  const { status } = response;
  const isAnswer = status === 404 || status === 410 || (status === 400 && is400Missing);
  if (isAnswer && !NOT_AN_ANSWER.test(text)) {
    return {
      kind: 'missing',
      missing: { status: status === 410 ? 410 : 404, text, origin: origin.name },
    };
  }
  const isOverloaded = status === 429 || status === 503;
  const retryAfter = isOverloaded ? retryAfterSeconds(response.headers) : undefined;
  return {
    kind: 'failed',
    failure: {
      origin: origin.name,
      cause: isAnswer ? 'timeout' : isOverloaded ? 'overloaded' : 'status',
      text: isAnswer ? text : `status ${status}`,
      ...(isAnswer ? { isBlameless: true } : {}),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    },
  };
}

/**
 * Fetches with redirects followed here and not by the platform, which would carry the Authorization
 * header to whatever host the redirect names. The request is built from scratch: nothing that the
 * client sent goes along. The platform's own cache is passed by: it would keep a redirect to a
 * signed address beyond the address's life, and 404s of zips.
 */
async function follow(
  origin: Origin,
  path: string,
  { fetch, clock, range = {}, signal }: Connection & { readonly range?: RangeHeaders },
): Promise<{ readonly response: Response; readonly redirected: boolean }> {
  let url = origin.url + path;
  for (let redirects = 0; ; redirects++) {
    const headers = new Headers({
      ...range,
      'Accept-Encoding': 'identity',
      'User-Agent': 'modferry',
    });
    if (redirects === 0 && origin.authorization) headers.set('Authorization', origin.authorization);
    const asked = fetch(url, { headers, redirect: 'manual', cache: 'no-store', signal });
    const response = await within(clock, origin.limits.headersMs, asked);
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

/** RFC 9110 10.2.3: seconds, or a date, which is compared with the origin's own clock (6.6.1). */
function retryAfterSeconds(headers: Headers): number | undefined {
  const value = headers.get('Retry-After') ?? '';
  if (/^\d{1,6}$/.test(value)) return Number(value);
  const seconds = (Date.parse(value) - Date.parse(headers.get('Date') ?? '')) / 1000;
  return seconds > 0 ? Math.round(seconds) : undefined;
}

/** What an origin's error comes to. */
export function failureOf({ name }: Origin, error: unknown): Failure {
  return { origin: name, ...explain(error) };
}

function explain(error: unknown): Omit<Failure, 'origin'> {
  if (error instanceof TimeoutError)
    return { cause: 'timeout', text: `no answer within ${Math.round(error.ms / 100) / 10} s` };
  if (error instanceof Mismatch)
    return { cause: 'mismatch', text: error.message, hashes: error.hashes };
  if (error instanceof BadAnswer) return { cause: 'answer', text: error.message };
  // The platform's own messages name no cause that could be relied on, and at times internal
  // references.
  return { cause: 'unreachable', text: 'connection failed' };
}
