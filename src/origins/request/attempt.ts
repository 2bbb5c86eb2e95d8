import { type Clock, within } from '../../effects/clock.ts';
import type { Connection, Connections } from '../../effects/connections.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import { toPlainLine } from '../../bytes/plain-text.ts';
import {
  brokenConnectionByCode,
  type Failure,
  type FailureReason,
  failureReasonOf,
  type NotAsked,
  OriginError,
} from '../failure.ts';
import type { Origin } from '../origin.ts';
import type { Missing } from '../race/answer.ts';
import { AttemptProgress } from './attempt-progress.ts';
import { OriginBody } from './body.ts';
import type { OpenDriver } from './driver.ts';
import type { Question } from './question.ts';
import { type ResumeListener, Resumer } from './resume.ts';
import { validatorOf } from './validator.ts';

/** How much of an error's text is read: a go command shows 648 bytes at most. */
const MAX_ERROR_TEXT_BYTES = 2048;

/**
 * Texts of proxy.golang.org in a 404 that means "not now": its own fetch took too long, or its
 * fetching is switched off. Neither means that the module does not exist (golang/go#57185, #53572).
 */
const NOT_NOW = /fetch timed out|temporarily unavailable/i;

export type Attempt<T> =
  | { readonly kind: 'accepted'; readonly value: T; readonly origin: string }
  | { readonly kind: 'missing'; readonly missing: Missing }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface AttemptEffects {
  readonly openDriver: OpenDriver;
  readonly clock: Clock;
  readonly connections: Connections;
}

/** How a body that breaks off is continued. */
export interface ResumeOptions extends ResumeListener {
  /** Other origins that may have the file, in the order in which they are asked for the rest. */
  readonly others: readonly Origin[];
  /**
   * Whether no other origin can be asked for the file. Then a body is continued also before
   * `accept` has returned. Otherwise the attempt fails, and the next origin starts over.
   */
  readonly isAlone: boolean;
  /** Between 0 and 1. */
  readonly random: () => number;
}

export interface AttemptOptions extends AttemptEffects {
  /** From the moment when a connection is free until `accept` has to have returned. */
  readonly limitMs: number;
  /**
   * When `accept` has to have returned in any case, in milliseconds since the epoch. Default: none,
   * and a connection is waited for as long as `limitMs`.
   */
  readonly deadline?: number | undefined;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
  /** Updated while the attempt runs. Default: a new one. */
  readonly progress?: AttemptProgress | undefined;
  /** Absent: bodies that break off stay broken. */
  readonly resume?: ResumeOptions | undefined;
}

/**
 * Asks one origin once, when a connection is free. Never throws: whatever fails is a failure of
 * that origin. Afterwards nothing is left running, except the body that `accept` returned on
 * purpose.
 */
export async function attempt<T>(
  origin: Origin,
  question: Question<T>,
  options: AttemptOptions,
): Promise<Attempt<T>> {
  const connection = options.connections.take();
  try {
    const because = connection.isFree ? undefined : await untilFree(connection, options);
    if (because) return failedBecause(origin, { kind: 'not asked', because });
    return await attemptOver(connection, origin, { ...options, question });
  } finally {
    connection.release();
  }
}

/** Waits for a connection. Resolves with the reason where it would be free too late. */
async function untilFree(
  connection: Connection,
  { clock, deadline, limitMs, signal }: AttemptOptions,
): Promise<NotAsked | undefined> {
  const waitMs = deadline === undefined ? limitMs : deadline - clock.steady();
  try {
    await within(clock, waitMs, connection.untilFree(signal));
    return undefined;
  } catch {
    return signal?.aborted ? 'the client left' : 'the time was up';
  }
}

async function attemptOver<T>(
  free: Connection,
  origin: Origin,
  options: AttemptOptions & { readonly question: Question<T> },
): Promise<Attempt<T>> {
  const { clock, question, signal, progress = new AttemptProgress(clock) } = options;
  const limitMs = Math.min(options.limitMs, (options.deadline ?? Infinity) - clock.steady());
  progress.connected();
  const connection = new AbortController();
  const work = request(origin, question, { ...options, free, signal: connection.signal, progress });
  const end = Promise.withResolvers<never>();
  const abort = () => end.reject(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const result = await Promise.race([within(clock, limitMs, work), end.promise]);
    if (result.kind !== 'accepted') connection.abort();
    return result;
  } catch (error) {
    connection.abort(error);
    const discardLate = (late: Attempt<T>) => {
      if (late.kind === 'accepted') question.discard?.(late.value);
    };
    void work.then(discardLate, () => undefined);
    return failedBecause(origin, failureReasonOf(error));
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** An attempt that runs. */
interface Running extends AttemptEffects {
  /** The connection that it has until the headers have arrived. */
  readonly free: Connection;
  readonly signal: AbortSignal;
  readonly progress: AttemptProgress;
  readonly resume?: ResumeOptions | undefined;
}

async function request<T>(
  origin: Origin,
  question: Question<T>,
  running: Running,
): Promise<Attempt<T>> {
  const { clock, connections, progress, resume } = running;
  const response = await open(origin, question.path, running);
  progress.headersArrived();
  const body = new OriginBody(response, { clock, stallMs: origin.limits.stallMs, progress });
  if (response.status === 200) {
    const continueBody = () => makeResumable(body, response, { origin, question, running });
    if (resume?.isAlone) continueBody();
    const content = await question.accept(body);
    if (!content.ok) return failedBecause(origin, refusedBecause(content.reason, connections));
    if (!resume?.isAlone) continueBody();
    return { kind: 'accepted', value: content.value, origin: origin.name };
  }
  const start = await body.start(MAX_ERROR_TEXT_BYTES);
  const text = new TextDecoder().decode(start).trim();
  const verdict = judge(response, text, question.policy?.areRefusalsAnswers ?? true);
  if (verdict.ok) {
    const { value: status } = verdict;
    return { kind: 'missing', missing: { status, text, origin: origin.name } };
  }
  const isOverloaded = verdict.reason.kind === 'overloaded';
  const retryAfterSeconds = isOverloaded ? parseRetryAfter(response.headers) : undefined;
  return failedBecause(origin, verdict.reason, retryAfterSeconds);
}

/**
 * Why an answer is not accepted. When the platform has refused a call of this request, the check
 * may have failed for that alone: a wrong hash is still one.
 */
function refusedBecause(reason: FailureReason, { isRefused }: Connections): FailureReason {
  return isRefused && reason.kind !== 'mismatch' ? { kind: 'limit' } : reason;
}

async function open(
  origin: Origin,
  path: string,
  { free, openDriver, progress, signal }: Running,
): Promise<Response> {
  try {
    return await openDriver(origin)(path, { headers: {}, signal });
  } catch (error) {
    // The headers of this answer had arrived when the driver refused its status.
    if (error instanceof OriginError && error.reason.kind === 'status') progress.headersArrived();
    throw error;
  } finally {
    free.release();
  }
}

/**
 * Lets a body be continued when it breaks off, where the question demands that and something can
 * prove which bytes are its rest.
 */
function makeResumable(
  body: OriginBody,
  { headers }: Response,
  requested: {
    readonly origin: Origin;
    readonly question: Pick<Question<unknown>, 'path' | 'policy'>;
    readonly running: Running;
  },
): void {
  const { origin, question, running } = requested;
  const { progress, resume, signal } = running;
  const proof = question.policy?.resume;
  const validator = validatorOf(headers);
  const { declaredBytes: size } = body;
  const isProvable = proof === 'by-digest' || validator !== undefined;
  if (!proof || !isProvable || !resume || size === undefined) return;
  // An aborted attempt breaks its connection, and its body must not be continued.
  signal.addEventListener('abort', () => void body.cancel(signal.reason), { once: true });
  const { others, random } = resume;
  const { path } = question;
  const resumer = new Resumer(
    { path, origin, others, size, validator, progress, listener: resume },
    { ...running, random },
  );
  body.continueWith((broken) => resumer.findRest(broken), { keepsDigest: proof === 'by-digest' });
}

/**
 * The meaning of a status other than 200: that the origin has no such file or does not give it, or
 * a failure. `text` is the start of the body.
 *
 * 404 and 410 are answers. So is 400, which older proxies give for a module or version that cannot
 * exist (golang/go#33303), and 403, with which the policy of a proxy refuses one path. 401 is a
 * failure: it concerns modferry's own access to this origin. A page is never an answer of a module
 * proxy: filters, login pages and object storages write those.
 */
function judge(
  { headers, status }: Response,
  text: string,
  areRefusalsAnswers: boolean,
): Result<Missing['status'], FailureReason> {
  const how = brokenConnectionByCode(text);
  if (how && status >= 520 && status <= 530) return failed({ kind: 'unreachable', how });
  const isPage = text.startsWith('<') || PAGE_TYPE.test(headers.get('Content-Type') ?? '');
  const answer = isPage ? undefined : answerOf(status, areRefusalsAnswers);
  if (answer) return NOT_NOW.test(text) ? failed({ kind: 'not now', text }) : success(answer);
  const words = isPage ? 'a page instead of an answer' : wordsOf(headers, text);
  const isOverloaded = status === 429 || status === 503;
  return failed({ kind: isOverloaded ? 'overloaded' : 'status', status, words });
}

const PAGE_TYPE = /^(text\/html|application\/xhtml\+xml|text\/xml|application\/xml)\b/i;

function answerOf(status: number, areRefusalsAnswers: boolean): Missing['status'] | undefined {
  if (status === 404 || status === 410) return status;
  if (!areRefusalsAnswers) return undefined;
  if (status === 400) return 404;
  return status === 403 ? 403 : undefined;
}

/** The most characters of an origin's own words in an error text. */
const MAX_WORDS = 200;

/** The first line of a plain text, fit for an error text. */
function wordsOf(headers: Headers, text: string): string | undefined {
  if (!/^text\/plain\b/i.test(headers.get('Content-Type') ?? '')) return undefined;
  const [line = ''] = text.split(/[\r\n]/, 1);
  return toPlainLine(line).slice(0, MAX_WORDS) || undefined;
}

/** RFC 9110 10.2.3: seconds, or a date, which is compared with the origin's own clock (6.6.1). */
function parseRetryAfter(headers: Headers): number | undefined {
  const value = headers.get('Retry-After') ?? '';
  if (/^\d{1,6}$/.test(value)) return Number(value);
  const seconds = (Date.parse(value) - Date.parse(headers.get('Date') ?? '')) / 1000;
  return seconds > 0 ? Math.round(seconds) : undefined;
}

function failedBecause(
  { name }: Origin,
  reason: FailureReason,
  retryAfterSeconds?: number,
): Attempt<never> {
  return { kind: 'failed', failure: { origin: name, reason, retryAfterSeconds } };
}
