import { within } from '../effects/clock.ts';
import { effortOf } from '../origins/race/ask.ts';
import type { Failure, Origin } from '../origins/origin.ts';
import { etagOf } from '../store/etag.ts';
import { discard } from '../store/guard.ts';
import type { StoreKey } from '../store/key.ts';
import type { SelectRange } from '../store/large-files.ts';
import type { Hit } from '../store/layered.ts';
import { askForFile } from './ask-for-file.ts';
import type { Carrier } from './carrier.ts';
import { missing, notCached, unavailable } from './messages.ts';
import { discardZip, openZip, type OpenedZip } from './open-zip.ts';
import type { Found, Outcome, Source } from './outcome.ts';
import { EDGE_SECONDS } from './cache-policy.ts';
import type { Known } from './prove-zip.ts';
import { type Fetched, fetchAndShare, type Flown } from './shared-fetch.ts';
import { foundZip, proveStored } from './stored-zip.ts';
import { STORE_FAILED, streamZip } from './stream-zip.ts';
import type { Expected, Verdict } from './verification.ts';

/**
 * The part of its time that a request waits for another one's fill, which may well take longer than
 * it has.
 */
const PATIENCE = 0.6;

export interface ZipFile {
  readonly subject: string;
  readonly key: StoreKey;
  /** Where the mark of a checked zip is: the `.ziphash` beside it. */
  readonly mark: StoreKey;
  /** Path below an origin's base URL. */
  readonly path: string;
  /** What every entry's name begins with: `example.com/hello@v1.1.0/`. */
  readonly prefix: string;
  /** What its hash must be, where a checksum database has a say. Never rejects. */
  readonly expect?: () => Promise<Expected>;
}

export interface ZipOptions {
  readonly carrier: Carrier;
  readonly cachedOnly: boolean;
  /** Chooses the part of a stored zip that is sent. */
  readonly select?: SelectRange;
}

/** Serves a module zip: from the store, or from the first origin that has it. */
export async function serveZip(
  zip: ZipFile,
  origins: readonly Origin[],
  options: ZipOptions,
): Promise<Outcome> {
  const { carrier, cachedOnly } = options;
  const hit = await findStored(zip, options);
  if (hit && isReady(hit, zip)) return foundZip(hit.file, { tier: hit.tier });
  if (hit) discard(hit.file.body);
  else {
    if (cachedOnly) return notCached(zip.subject);
    const known = await carrier.store.findMissing(zip.key);
    const source: Source = { tier: 'edge', ...(known ? { origin: known.origin } : {}) };
    if (known) return missing(zip.subject, { missing: known, unanimous: true }, source);
  }
  const own = { ...options, isStored: hit !== undefined, flight: undefined };
  // Its "not cached" is no answer for those who may fetch.
  if (cachedOnly) return (await getZip(zip, origins, own)).outcome;
  const waiting = carrier.flights.join(zip.key);
  if (!waiting) {
    return fetchAndShare(zip.key, carrier, (flight) =>
      getZip(zip, origins, { ...options, isStored: hit !== undefined, flight }),
    );
  }
  const shared = await within(carrier.clock, carrier.timeLeft() * PATIENCE, waiting).catch(
    () => undefined,
  );
  if (typeof shared === 'object') return shared;
  const now = shared ? await findStored(zip, options) : undefined;
  if (now && isReady(now, zip)) return foundZip(now.file, { tier: now.tier });
  if (now) discard(now.file.body);
  // The other request still fetches, or could not store it: this one gets its own copy.
  return (await getZip(zip, origins, { ...own, isStored: now !== undefined })).outcome;
}

async function findStored(zip: ZipFile, { carrier, select }: ZipOptions): Promise<Hit | undefined> {
  return carrier.store.large.find(zip.key, {
    ...(select ? { select } : {}),
    ...(zip.expect ? { mark: zip.mark } : {}),
  });
}

/** Whether a stored zip may be served as it is. */
function isReady({ file }: Hit, zip: ZipFile): boolean {
  return !zip.expect || file.checked !== undefined;
}

interface GetOptions extends ZipOptions {
  /** A copy is stored that nobody has checked. */
  readonly isStored: boolean;
  /** Others may wait for this one; undefined where it is for this request alone. */
  readonly flight: Flown | undefined;
  /** Why origins that were asked already are not asked again. */
  readonly earlier?: readonly Failure[];
}

async function getZip(
  zip: ZipFile,
  origins: readonly Origin[],
  options: GetOptions,
): Promise<Fetched> {
  const { carrier, flight, isStored } = options;
  const onProgress = () => flight?.touch();
  const proof =
    isStored && zip.expect
      ? proveStored(zip, await zip.expect(), { ...options, onProgress })
      : undefined;
  const stored = await proof?.catch((error: unknown) => {
    carrier.report('verify', error);
    return unavailable(zip.subject, [STORE_FAILED], { tier: 'r2' });
  });
  if (stored) return { outcome: stored, streamed: Promise.resolve(stored.kind === 'found') };
  if (options.cachedOnly) return { outcome: notCached(zip.subject) };
  return fetchZip(zip, origins, options);
}

async function fetchZip(
  zip: ZipFile,
  origins: readonly Origin[],
  options: GetOptions,
): Promise<Fetched> {
  const { carrier, earlier = [] } = options;
  const expected = zip.expect?.(); // both are asked at once
  const rules = carrier.verification.zipRules;
  const answer = await askForFile(zip, origins, {
    carrier,
    path: zip.path,
    isZip: true,
    isSettled: ({ name }) => earlier.some(({ origin }) => origin === name),
    resume: zip.expect ? 'by-digest' : 'by-validator', // the proof takes the digest, too
    discard: discardZip,
    accept: (body) => openZip(body, { prefix: zip.prefix, rules, expected }, carrier.budgets.held),
  });
  const effort = effortOf(answer);
  if (answer.kind === 'accepted') {
    const source: Source = { tier: 'origin', origin: answer.origin, ...effort };
    const delivered = await deliver(zip, answer.value, {
      ...options,
      source,
      expected: await expected,
    });
    if (!('refused' in delivered)) return delivered;
    const failures = [...earlier, delivered.refused];
    const isTheirs = delivered.refused !== STORE_FAILED;
    const isOneLeft = origins.some(({ name }) => failures.every(({ origin }) => origin !== name));
    return isTheirs && isOneLeft
      ? fetchZip(zip, origins, { ...options, earlier: failures })
      : { outcome: unavailable(zip.subject, failures, source) };
  }
  if (answer.kind === 'missing' && earlier.length === 0) {
    if (answer.unanimous)
      carrier.store.keepMissing(zip.key, answer.missing, EDGE_SECONDS.negative ?? 0);
    return {
      outcome: missing(zip.subject, answer, {
        tier: 'origin',
        origin: answer.missing.origin,
        ...effort,
      }),
    };
  }
  const failures = [...earlier, ...(answer.kind === 'missing' ? [] : answer.failures)];
  return { outcome: unavailable(zip.subject, failures, { tier: 'origin', ...effort }) };
}

/** Answers with a zip that an origin has. `refused` says why that is not the answer after all. */
async function deliver(
  zip: ZipFile,
  opened: OpenedZip,
  options: GetOptions & { readonly source: Source; readonly expected: Expected | undefined },
): Promise<Fetched | { readonly refused: Failure }> {
  const { carrier, expected, flight, source } = options;
  if (opened.kind === 'whole') {
    const { bytes, release, verdict } = opened;
    if (verdict?.kind === 'unknown') {
      release?.();
      return { outcome: unavailable(zip.subject, verdict.failures, source) };
    }
    const outcome = await foundWhole(bytes, verdict, source);
    const kept = flight
      ? keepWhole(zip, bytes, { carrier, file: outcome.file })
      : Promise.resolve();
    return { outcome, settled: kept.finally(() => release?.()) };
  }
  if (expected?.kind === 'unknown') {
    await opened.body.cancel('it cannot be checked');
    return { outcome: unavailable(zip.subject, expected.failures, source) };
  }
  const known: Known | undefined = expected?.kind === 'known' ? expected : undefined;
  const streamed = await streamZip(zip, opened, {
    ...options,
    origin: source.origin ?? '',
    // A copy of one's own has to be proven too, and is stored for that; one that nothing proves is
    // only passed on.
    store: flight !== undefined || known !== undefined,
    ...(known ? { known } : {}),
  });
  if (streamed.kind === 'refused') return { refused: streamed.failure };
  if (streamed.kind === 'stored') {
    const hit = await findStored(zip, options);
    const isProven = hit && (hit.file.checked !== undefined || hit.file.etag === streamed.etag);
    if (isProven)
      return { outcome: foundZip(hit.file, source, 'immutable'), streamed: Promise.resolve(true) };
    if (hit) discard(hit.file.body);
    return { refused: STORE_FAILED };
  }
  const uncovered = expected?.kind === 'uncovered' ? 'uncovered' : 'immutable';
  const cache = streamed.isProven || !known ? uncovered : 'failure';
  return { outcome: foundZip(streamed.file, source, cache), streamed: streamed.stored };
}

async function foundWhole(
  bytes: Uint8Array,
  verdict: Exclude<Verdict, { kind: 'unknown' }> | undefined,
  source: Source,
): Promise<Found> {
  const checked = verdict?.kind === 'checked' ? verdict.checked : undefined;
  const file = {
    body: bytes,
    size: bytes.length,
    etag: await etagOf(bytes),
    ...(checked ? { checked } : {}),
  };
  return foundZip(file, source, checked === 'uncovered' ? 'uncovered' : 'immutable');
}

async function keepWhole(
  zip: ZipFile,
  bytes: Uint8Array,
  { carrier, file }: { readonly carrier: Carrier; readonly file: Found['file'] },
): Promise<void> {
  const { store } = carrier;
  const { checked, etag } = file;
  if (checked === 'uncovered')
    return store.keepUncovered(zip.key, { bytes, etag }, EDGE_SECONDS.uncovered);
  await store.keep(zip.key, { bytes, etag, ...(checked ? { checked } : {}) }, { kv: false });
  if (checked) await store.large.mark(zip.mark, checked, etag);
}
