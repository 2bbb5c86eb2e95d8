import { discard } from '../../bytes/streams.ts';
import { within } from '../../effects/clock.ts';
import { Held } from '../../effects/held.ts';
import type { Failure } from '../../origins/failure.ts';
import { newEtag } from '../../store/etag.ts';
import { askForFile } from '../ask-for-file.ts';
import { NEAR_SECONDS } from '../cache-policy.ts';
import type { RequestContext } from '../context.ts';
import type { Comparable, Expectation } from '../expectation.ts';
import { memoryDeadline } from '../memory-budget.ts';
import { missing, notCached, stillChecked, unavailable } from '../messages.ts';
import type { Found, Kept, Outcome, SharedOutcome, Source } from '../outcome.ts';
import { publish } from '../publish.ts';
import { type Delivery, fetchOnce } from '../shared-fetch.ts';
import type { Leader } from '../single-flight.ts';
import { startFill, STORE_FAILED } from './fill.ts';
import type { Job } from './job.ts';
import type { LargeFile } from './large-file.ts';
import { type BegunAnswer, discardAnswer, openAnswer, type WholeAnswer } from './open-answer.ts';
import { findStored, found, serveVerified, type UnreadyCopy, verifyStored } from './stored-copy.ts';

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
  const find = async () => {
    const now = await findStored(job);
    return 'outcome' in now ? now.outcome : undefined;
  };
  const fetch = (leader: Leader<SharedOutcome>) => obtain({ ...job, leader }, copy);
  return fetchOnce({ key: file.key, subject: file.subject, find, fetch }, context);
}

/** Verifies the stored copy, or fetches the file where there is none or it is wrong. */
async function obtain(job: Job, copy: UnreadyCopy): Promise<Delivery> {
  const { context, file } = job;
  if (copy.state === 'unchecked' && file.expect) {
    const verifying = verifyUnchecked(job, await file.expect());
    const outcome = await inTime(job, verifying);
    if (outcome === LATE) {
      const kept = verifying.then(keptAfter);
      void verifying.then((late) => late?.kind === 'found' && discard(late.file.body));
      return { outcome: stillChecked(file.subject), stream: { kept, ended: kept } };
    }
    if (outcome?.kind === 'found') {
      const kept = Promise.resolve(keptAfter(outcome));
      return { outcome, stream: { kept, ended: kept } };
    }
    if (outcome) return { outcome };
  }
  return context.mayFetch ? fetchFile(job, []) : { outcome: notCached(file.subject) };
}

/** As `verifyStored`. Never rejects. */
function verifyUnchecked(job: Job, expected: Expectation): Promise<Outcome | undefined> {
  const { context, file } = job;
  return verifyStored(job, expected).catch((error: unknown) => {
    context.emit({ event: 'trouble', label: 'verify', error });
    const tier = context.store.durableLabel ?? '';
    return unavailable(file.subject, [STORE_FAILED], { from: 'store', tier });
  });
}

/** Whether others can read a copy from the store that was verified for this request. */
function keptAfter(outcome: Outcome | undefined): Kept {
  const isStale = outcome?.source.from === 'store' && outcome.source.isStale;
  return outcome?.kind === 'found' && !isStale ? 'stored' : 'not stored';
}

const LATE = Symbol('late');

/**
 * The result of work on a file of which the client receives nothing before it has ended; `LATE`
 * when the client may wait no longer. The work, which never rejects, goes on.
 */
async function inTime<T>({ context, hasClient }: Job, work: Promise<T>): Promise<T | typeof LATE> {
  if (!hasClient) return work;
  return within(context.clock, context.timeLeftMs(), work).catch(() => LATE);
}

/** Asks the origins, except those of `earlier` failures. */
async function fetchFile(job: Job, earlier: readonly Failure[]): Promise<Delivery> {
  const { context, file } = job;
  const expecting = file.expect?.(); // runs at the same time as the requests to the origins
  const budget = context.shared.budgets.held;
  const hasStore = context.store.durableLabel !== undefined;
  const waitUntil = memoryDeadline(context);
  const asked = await askForFile(
    file,
    {
      path: file.path,
      accept: (body) => openAnswer(body, file, { expecting, budget, hasStore, waitUntil }),
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

function deliverWhole(
  { context, file }: Job,
  { bytes, checked, release }: WholeAnswer,
  source: Source,
): Delivery {
  const etag = newEtag(); // a hash of all bytes would cost milliseconds of CPU a megabyte
  const held = new Held(release);
  const outcome = found(file, { body: bytes, size: bytes.length, etag, checked, held }, { source });
  const stored = { bytes, etag, checked: checked === 'uncovered' ? undefined : checked };
  const hashFile = stored.checked && {
    key: file.hashKey,
    file: { bytes: new TextEncoder().encode(stored.checked), etag },
    mode: 'replace' as const,
  };
  const settled = publish(
    [...(hashFile ? [hashFile] : []), { key: file.key, file: stored, mode: 'create' }],
    context.store,
  ).finally(held.use());
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
  const { end, kept } = fill.filling;
  const stream = { kept, ended: end };
  if (fill.state === 'streaming') {
    const byExpectation = expected?.kind === 'uncovered' ? 'uncovered' : 'immutable';
    const cache = known && !fill.isVerified ? 'failure' : byExpectation;
    return { outcome: found(file, fill.file, { source, cache }), stream };
  }
  const ended = await inTime(job, end);
  if (ended === LATE) return { outcome: stillChecked(file.subject), stream };
  if (!ended.ok) return { refused: ended.reason };
  const outcome = await findFilled(job, ended.value, expected);
  return outcome ? { outcome: { ...outcome, source }, stream } : { refused: STORE_FAILED };
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
