import { originPath } from '../module/origin-path.ts';
import type { ModulePath } from '../module/module-path.ts';
import type { Version } from '../module/version.ts';
import type { RequestContext } from '../mirror/context.ts';
import { askForFile } from '../mirror/ask-for-file.ts';
import { asMismatch, compareHash, type Expectation, type Verdict } from '../mirror/expectation.ts';
import type { MirroredFile } from '../mirror/serve.ts';
import { readBody } from '../mirror/small/read-body.ts';
import type { Fetched, SmallFile } from '../mirror/small/small-file.ts';
import { within } from '../effects/clock.ts';
import { failed, type Result, success } from '../effects/result.ts';
import type { Failure, FailureReason } from '../origins/failure.ts';
import type { Origin } from '../origins/origin.ts';
import type { Checked } from '../store/contract.ts';
import { latestKey, listKey, versionKey } from '../store/key.ts';
import { hashMod } from '../zip/hash/hash-mod.ts';
import {
  type Check,
  checkInfo,
  checkList,
  checkMod,
  MAX_INFO_BYTES,
  MAX_LIST_BYTES,
  MAX_SMALL_FILE_BYTES,
} from './check-answer.ts';
import { formatList, parseList } from './list-body.ts';
import { moduleZip } from './module-zip.ts';
import type { ModuleRequest } from './request.ts';
import { listStored } from './stored-list.ts';
import type { Verification } from './verification.ts';

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';

/** What is left of the time of a request when a look-up of a hash is not waited for any longer. */
const TIME_TO_ACCEPT_MS = 100;

/** The look-up runs still. */
const LATE: Expectation = { kind: 'unknown', failures: [] };

export interface FileOptions {
  readonly context: RequestContext;
  /** The origins that serve the module. */
  readonly origins: readonly Origin[];
  /** Whether the module is private: its origins list versions in any order and form. */
  readonly isPrivate: boolean;
  readonly verification: Verification;
}

/** The file of a request: where it comes from, how it is checked, and how long it is kept. */
export function moduleFile(request: ModuleRequest, options: FileOptions): MirroredFile {
  const { module } = request;
  const { context, isPrivate, origins, verification } = options;
  const small = (source: SmallSource): MirroredFile => ({
    size: 'small',
    file: smallFile(source, options),
  });
  switch (request.kind) {
    case 'list':
      return small({
        key: listKey(module),
        subject: `${module}/@v/list`,
        contentType: TEXT,
        cache: 'mutable',
        check: checkList,
        ...(isPrivate && { rewrite: (bytes) => formatList(parseList(bytes, module)) }),
        limitBytes: MAX_LIST_BYTES,
        composeOffline: () => listStored(context.store, module),
      });
    case 'latest':
      return small({
        key: latestKey(module),
        subject: `${module}/@latest`,
        contentType: JSON_TYPE,
        cache: 'mutable',
        check: checkInfo,
        limitBytes: MAX_INFO_BYTES,
      });
    case 'query':
      return small({
        key: versionKey(module, request.query, 'info'),
        subject: `${module}@${request.query}.info`,
        contentType: JSON_TYPE,
        cache: 'mutable',
        check: checkInfo,
        limitBytes: MAX_INFO_BYTES,
      });
    case 'info':
      return small({
        key: versionKey(module, request.version, 'info'),
        subject: `${module}@${request.version}.info`,
        contentType: JSON_TYPE,
        cache: 'canonicalInfo',
        check: (bytes) => checkInfo(bytes, request.version),
        limitBytes: MAX_INFO_BYTES,
      });
    case 'mod':
      return small({
        key: versionKey(module, request.version, 'mod'),
        subject: `${module}@${request.version}.mod`,
        contentType: TEXT,
        cache: 'immutable',
        check: (bytes) => checkMod(bytes, module),
        limitBytes: MAX_SMALL_FILE_BYTES,
        expect: expectation(request, verification.mods, 'mod'),
      });
    case 'zip': {
      const { version } = request;
      const expect = expectation(request, verification.zips, 'zip');
      const { keepsRules } = verification;
      return { size: 'large', file: moduleZip({ module, version, origins, expect, keepsRules }) };
    }
  }
}

/** The look-up of a file's expected hash; undefined where VERIFY compares nothing. */
function expectation(
  { module, version }: { readonly module: ModulePath; readonly version: Version },
  checksums: Verification['mods'],
  file: 'mod' | 'zip',
): (() => Promise<Expectation>) | undefined {
  if (!checksums) return undefined;
  return async function expectHash() {
    const hashes = await checksums.expect(module, version);
    if (hashes.kind !== 'known') return hashes;
    return { kind: 'known', database: hashes.database, hash: hashes[file] };
  };
}

/** A small file, and the checks of its content. */
interface SmallSource extends Pick<
  SmallFile,
  'key' | 'subject' | 'contentType' | 'cache' | 'composeOffline'
> {
  readonly check: Check;
  /** Makes the file of a body that passed. Default: it is the body. */
  readonly rewrite?: ((body: Uint8Array) => Uint8Array) | undefined;
  /** A longer answer is a failure of its origin. */
  readonly limitBytes: number;
  /** Looks up the expected hash; undefined where nothing is compared. */
  readonly expect?: (() => Promise<Expectation>) | undefined;
}

function smallFile(
  source: SmallSource,
  { context, origins }: Pick<FileOptions, 'context' | 'origins'>,
): SmallFile {
  const { key, subject, contentType, cache, composeOffline, expect } = source;
  return {
    key,
    subject,
    contentType,
    cache,
    inWorldTier: cache !== 'mutable',
    ...(composeOffline && { composeOffline }),
    ...(expect && { verify: async (bytes: Uint8Array) => verdictOf(bytes, await expect()) }),
    fetch: () => fetchSmall(source, { context, origins }),
  };
}

/** Compares a stored go.mod that was never checked with its expected hash. */
function verdictOf(bytes: Uint8Array, expected: Expectation): Verdict {
  if (expected.kind === 'unknown') return expected;
  const compared = compareHash(expected, hashMod(bytes));
  return compared.ok
    ? { kind: 'checked', checked: compared.value }
    : { kind: 'wrong', hashes: compared.reason.hashes };
}

async function fetchSmall(
  { check, expect, key, limitBytes, rewrite, subject }: SmallSource,
  { context, origins }: Pick<FileOptions, 'context' | 'origins'>,
): Promise<Fetched> {
  const expecting = expect?.(); // runs at the same time as the requests to the origins
  const answer = await askForFile(
    { key, subject, origins },
    {
      path: originPath(key),
      async accept(body) {
        const read = await readBody(body, limitBytes, context);
        if (!read.ok) return read;
        const { bytes: received, held } = read.value;
        const expected = expecting && (await inTime(expecting, context));
        const checked = checkContent(received, check, expected);
        const bytes = checked.ok && rewrite ? rewrite(received) : received;
        if (checked.ok) return success({ bytes, held, checked: checked.value, expected });
        held?.drop();
        return checked;
      },
      discard: ({ held }) => held?.drop(),
    },
    context,
  );
  if (answer.kind !== 'accepted') return answer;
  const { effort, origin } = answer;
  const { bytes, held } = answer.value;
  let { checked, expected } = answer.value;
  function failedBecause(failures: readonly Failure[]): Fetched {
    held?.drop();
    return { kind: 'failed', failures, effort };
  }
  if (expected === LATE) {
    expected = await expecting;
    const now = checkContent(bytes, check, expected);
    if (!now.ok) return failedBecause([{ origin, reason: now.reason }]);
    checked = now.value;
  }
  if (expected?.kind === 'unknown') return failedBecause(expected.failures);
  return { kind: 'found', bytes, held, checked, source: { from: 'origin', origin, effort } };
}

/**
 * The expected hash, or `LATE` shortly before the time of the request is up: the origin has given its
 * file by then, and a database that does not answer is no failure of the origin's.
 */
function inTime(
  expecting: Promise<Expectation>,
  { clock, timeLeftMs }: Pick<RequestContext, 'clock' | 'timeLeftMs'>,
): Promise<Expectation> {
  const limitMs = Math.max(timeLeftMs() - TIME_TO_ACCEPT_MS, 0);
  return within(clock, limitMs, expecting).catch(() => LATE);
}

function checkContent(
  bytes: Uint8Array,
  check: Check,
  expected: Expectation | undefined,
): Result<Checked | undefined, FailureReason> {
  // What the log has the hash of is right, whatever it looks like.
  const compared = expected?.kind === 'known' ? compareHash(expected, hashMod(bytes)) : undefined;
  if (compared?.ok) return compared;
  const content = check(bytes);
  if (!content.ok) return failed(asMismatch(content.reason, expected));
  return compared ?? success(expected?.kind === 'uncovered' ? 'uncovered' : undefined);
}
