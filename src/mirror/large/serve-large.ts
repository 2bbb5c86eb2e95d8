import { within } from '../../effects/clock.ts';
import type { Failure } from '../../origins/failure.ts';
import { newEtag } from '../../store/etag.ts';
import { askForFile } from '../ask-for-file.ts';
import { NEAR_SECONDS } from '../cache-policy.ts';
import type { RequestContext } from '../context.ts';
import type { Comparable, Expectation } from '../expectation.ts';
import { missing, notCached, unavailable } from '../messages.ts';
import type { Found, Outcome, Source } from '../outcome.ts';
import { publish } from '../publish.ts';
import { type Delivery, fetchShared } from '../shared-fetch.ts';
import { startFill, STORE_FAILED } from './fill.ts';
import type { Job } from './job.ts';
import type { LargeFile } from './large-file.ts';
import { type BegunAnswer, discardAnswer, openAnswer, type WholeAnswer } from './open-answer.ts';
import {
  findStored,
  found,
  serveVerified,
  type StoredCopy,
  type UnreadyCopy,
  verifyStored,
} from './stored-copy.ts';

/**
 * The part of its time left for which a request waits for the fill of another one. A fill may take
 * longer than that; the rest is for a fetch of its own.
 */
const SHARE_OF_TIME_TO_WAIT = 0.6;

/** Serves a large file: from the store, else from the first origin that has it. */
export function serveLarge(file: LargeFile, context: RequestContext): Promise<Outcome> {
  return answer({ file, context, leader: undefined, hasClient: true });
}

/** Fetches a large file into the store; the body of the outcome is to be discarded. */
export function fillLarge(file: LargeFile, context: RequestContext): Promise<Outcome> {
  return answer({ file, context, leader: undefined, hasClient: false });
}

async function answer(job: Job): Promise<Outcome> {
  const { context, file } = job;
  const copy = await findStored(job);
  if ('outcome' in copy) return copy.outcome;
  if (copy.state === 'absent' && !context.mayFetch) return notCached(file.subject);
  // A request that may not fetch does not lead a flight: its "not cached" is no answer for the
  // others.
  if (!context.mayFetch) return (await obtain(job, copy)).outcome;
  const waiting = context.shared.flights.join(file.key);
  if (!waiting) {
    return fetchShared(file.key, context, (leader) => obtain({ ...job, leader }, copy));
  }
  const limitMs = context.timeLeftMs() * SHARE_OF_TIME_TO_WAIT;
  const shared = await within(context.clock, limitMs, waiting).catch(() => undefined);
  if (typeof shared === 'object') return shared;
  const now: StoredCopy = shared ? await findStored(job) : { state: 'absent' };
  if ('outcome' in now) return now.outcome;
  // The other request still fetches, or could not store the file: this one fetches for itself.
  return (await obtain(job, now)).outcome;
}

/** Verifies the stored copy, or fetches the file where there is none or it is wrong. */
async function obtain(job: Job, copy: UnreadyCopy): Promise<Delivery> {
  const { context, file } = job;
  if (copy.state === 'unchecked' && file.expect) {
    const outcome = await verifyStored(job, await file.expect()).catch((error: unknown) => {
      context.emit({ event: 'trouble', label: 'verify', error });
      const tier = context.store.durableLabel ?? '';
      return unavailable(file.subject, [STORE_FAILED], { from: 'store', tier });
    });
    if (outcome) return { outcome, stored: Promise.resolve(outcome.kind === 'found') };
  }
  return context.mayFetch ? fetchFile(job, []) : { outcome: notCached(file.subject) };
}

/** Asks the origins, except those of `earlier` failures. */
async function fetchFile(job: Job, earlier: readonly Failure[]): Promise<Delivery> {
  const { context, file } = job;
  const expecting = file.expect?.(); // runs at the same time as the requests to the origins
  const budget = context.shared.budgets.held;
  const asked = await askForFile(
    file,
    {
      path: file.path,
      accept: (body) => openAnswer(body, file, { expecting, budget }),
      discard: discardAnswer,
      policy: {
        lane: 'bulk',
        skip: ({ name }) => earlier.some(({ origin }) => origin === name),
        resume: file.expect ? 'by-digest' : 'by-validator', // the comparison needs the digest too
      },
    },
    context,
  );
  const { effort } = asked;
  if (asked.kind === 'accepted') {
    const source: Source = { from: 'origin', origin: asked.origin, effort };
    const expected = await expecting;
    const delivered = await deliver(job, asked.value, { origin: asked.origin, source, expected });
    if (!('refused' in delivered)) return delivered;
    const failures = [...earlier, delivered.refused];
    const isOriginToBlame = delivered.refused.reason.kind !== 'store';
    const isAnyLeft = file.origins.some(({ name }) =>
      failures.every(({ origin }) => origin !== name),
    );
    return isOriginToBlame && isAnyLeft
      ? fetchFile(job, failures)
      : { outcome: unavailable(file.subject, failures, source) };
  }
  if (asked.kind === 'missing' && earlier.length === 0) {
    const { isUnanimous } = asked;
    if (isUnanimous) context.store.keepMissing(file.key, asked.missing, NEAR_SECONDS.negative);
    const source: Source = { from: 'origin', origin: asked.missing.origin, effort };
    return { outcome: missing(file.subject, asked.missing, { isUnanimous, source }) };
  }
  const failures = [...earlier, ...(asked.kind === 'missing' ? [] : asked.failures)];
  return { outcome: unavailable(file.subject, failures, { from: 'origin', effort }) };
}

/** The origin of a file, and its expected hash. */
interface Provenance {
  /** The name of the origin. */
  readonly origin: string;
  readonly source: Source;
  readonly expected: Expectation | undefined;
}

/** Delivers an opened answer. `refused` has the reason why it cannot be delivered. */
async function deliver(
  job: Job,
  opened: WholeAnswer | BegunAnswer,
  from: Provenance,
): Promise<Delivery | { readonly refused: Failure }> {
  const { expected, source } = from;
  if (expected?.kind === 'unknown') {
    discardAnswer(opened);
    return { outcome: unavailable(job.file.subject, expected.failures, source) };
  }
  return opened.state === 'whole'
    ? deliverWhole(job, opened, source)
    : deliverStream(job, opened, { ...from, expected });
}

async function deliverWhole(
  { context, file, leader }: Job,
  { bytes, checked, release }: WholeAnswer,
  source: Source,
): Promise<Delivery> {
  const etag = newEtag(); // a hash of all bytes would cost milliseconds of CPU a megabyte
  const outcome = found(file, { body: bytes, size: bytes.length, etag, checked }, { source });
  const stored = { bytes, etag, checked: checked === 'uncovered' ? undefined : checked };
  if (!leader) {
    release?.();
    return { outcome };
  }
  const hashFile = stored.checked && {
    key: file.hashKey,
    file: { bytes: new TextEncoder().encode(stored.checked), etag },
    mode: 'replace' as const,
  };
  const settled = publish(
    [...(hashFile ? [hashFile] : []), { key: file.key, file: stored, mode: 'create' }],
    context.store,
  ).finally(() => release?.());
  const nearSeconds = checked === 'uncovered' ? NEAR_SECONDS.uncovered : undefined;
  context.store.keepNear(file.key, { bytes, etag, checked }, nearSeconds);
  return { outcome, settled: settled.then(() => undefined) };
}

async function deliverStream(
  job: Job,
  begun: BegunAnswer,
  from: Provenance & { readonly expected: Comparable | undefined },
): Promise<Delivery | { readonly refused: Failure }> {
  const { file } = job;
  const { expected, origin, source } = from;
  const known = expected?.kind === 'known' ? expected : undefined;
  const fill = await startFill(job, begun, { origin, known });
  if (fill.state === 'not started') return { refused: STORE_FAILED };
  if (fill.state === 'streaming') {
    const byExpectation = expected?.kind === 'uncovered' ? 'uncovered' : 'immutable';
    const cache = known && !fill.isVerified ? 'failure' : byExpectation;
    return { outcome: found(file, fill.file, { source, cache }), stored: fill.stored };
  }
  const end = await fill.end;
  if (!end.ok) return { refused: end.reason };
  const outcome = await findFilled(job, end.value, expected);
  if (!outcome) return { refused: STORE_FAILED };
  return { outcome: { ...outcome, source }, stored: Promise.resolve(true) };
}

/** The copy that a fill has stored just now; undefined when it is gone, or the store fails. */
async function findFilled(
  job: Job,
  etag: string,
  expected: Comparable | undefined,
): Promise<Found | undefined> {
  if (expected) return serveVerified(job, etag, expected);
  const copy = await findStored(job);
  return copy.state === 'ready' ? copy.outcome : undefined;
}
