import { failed, type Result, success } from '../../effects/result.ts';
import type { FailureReason } from '../../origins/failure.ts';
import type { OriginBody } from '../../origins/request/body.ts';
import type { Checked } from '../../store/contract.ts';
import { asMismatch, type Expectation } from '../expectation.ts';
import type { Budget, Release } from '../memory-budget.ts';
import type { FileSource, LargeFile } from './large-file.ts';
import { CHUNK_BYTES } from './ring.ts';

/**
 * Up to here a file is checked whole before its first byte is sent, so that a bad one costs the
 * client nothing.
 */
const MAX_WHOLE_BYTES = 8 * 1024 * 1024;

/** How much of a body of undeclared length is held before it is streamed. */
const MAX_UNDECLARED_BYTES = 1024 * 1024;

/** An origin's answer whose start was read. */
export type OpenedAnswer = WholeAnswer | BegunAnswer;

/** All of it is in memory, and was compared with what is known of the file. */
export interface WholeAnswer {
  readonly state: 'whole';
  readonly bytes: Uint8Array;
  readonly checked: Checked | undefined;
  /** Gives the memory back. */
  readonly release: Release | undefined;
}

/**
 * It is too large to be held, or there is no memory for it: its first bytes, and the rest to come.
 */
export interface BegunAnswer {
  readonly state: 'begun';
  readonly first: Uint8Array<ArrayBuffer>;
  readonly body: OriginBody;
}

/**
 * Reads the body of an answer: whole if it is small enough, else its start. Rejects when the body
 * cannot be read.
 */
export async function openAnswer(
  body: OriginBody,
  file: LargeFile,
  {
    expecting,
    budget,
  }: { readonly expecting: Promise<Expectation> | undefined; readonly budget: Budget },
): Promise<Result<OpenedAnswer, FailureReason>> {
  const declared = body.declaredBytes;
  const isSmall = declared !== undefined && declared <= MAX_WHOLE_BYTES;
  const release = isSmall ? budget.take(declared) : undefined;
  const limit = declared === undefined ? MAX_UNDECLARED_BYTES : CHUNK_BYTES;
  const wanted = isSmall && release ? declared : limit;
  try {
    const first = await body.start(wanted);
    const inspected = file.inspect(first, declared);
    const isBegun = !release && first.length === wanted;
    if (inspected.ok && isBegun) return success({ state: 'begun', first, body });
    if (inspected.ok) body.checkLength(first.length);
    const expected = await expecting;
    const checked = inspected.ok ? await checkWhole(first, file, expected) : inspected;
    if (!checked.ok) {
      release?.();
      return failed(asMismatch(checked.reason, expected));
    }
    await body.cancel('all of it was read');
    return success({ state: 'whole', bytes: first, checked: checked.value, release });
  } catch (error) {
    release?.();
    throw error;
  }
}

/** Gives back what an opened answer holds. */
export function discardAnswer(opened: OpenedAnswer): void {
  if (opened.state === 'whole') opened.release?.();
  else void opened.body.cancel('it is not needed');
}

async function checkWhole(
  bytes: Uint8Array,
  file: LargeFile,
  expected: Expectation | undefined,
): Promise<Result<Checked | undefined, FailureReason>> {
  const ended = file.checkEnd(bytes, bytes.length);
  if (!ended.ok) return ended;
  if (!expected || expected.kind === 'unknown') return success(undefined);
  return file.verify(inMemory(bytes), expected, () => undefined);
}

/** A file in memory; what is read are views of it. */
function inMemory(bytes: Uint8Array): FileSource {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}
