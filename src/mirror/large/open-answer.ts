import { bytesSource } from '../../bytes/byte-source.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import type { FailureReason } from '../../origins/failure.ts';
import type { OriginBody } from '../../origins/request/body.ts';
import type { Checked } from '../../store/contract.ts';
import { asMismatch, type Expectation } from '../expectation.ts';
import type { Budget, Release } from '../memory-budget.ts';
import type { LargeFile } from './large-file.ts';
import { CHUNK_BYTES } from './ring.ts';

/**
 * A file of at most this size is checked whole before its first byte is sent, so that the client
 * never receives a part of a wrong one.
 */
const MAX_WHOLE_BYTES = 8 * 1024 * 1024;

/** How much of a body of undeclared length is read before it is streamed. */
const MAX_UNDECLARED_BYTES = 1024 * 1024;

/** An origin's answer after its first bytes were read. */
export type OpenedAnswer = WholeAnswer | BegunAnswer;

/** The whole body is in memory. It was checked, and compared where its expected hash is known. */
export interface WholeAnswer {
  readonly state: 'whole';
  readonly bytes: Uint8Array;
  readonly checked: Checked | undefined;
  /** Releases the reserved memory; undefined where none was reserved. */
  readonly release: Release | undefined;
}

/**
 * The body is too large to be held, or there is no memory for it: its first bytes, and the unread
 * rest.
 */
export interface BegunAnswer {
  readonly state: 'begun';
  readonly first: Uint8Array<ArrayBuffer>;
  readonly body: OriginBody;
}

interface OpenEffects {
  /** The expected hash; undefined where nothing is compared. */
  readonly expecting: Promise<Expectation> | undefined;
  readonly budget: Budget;
}

/**
 * Reads the body of an answer: whole if it is small and there is memory, else its start. Rejects
 * when the body cannot be read.
 */
export async function openAnswer(
  body: OriginBody,
  file: LargeFile,
  effects: OpenEffects,
): Promise<Result<OpenedAnswer, FailureReason>> {
  const { budget, expecting } = effects;
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
    await body.cancel('the body was read whole');
    return success({ state: 'whole', bytes: first, checked: checked.value, release });
  } catch (error) {
    release?.();
    throw error;
  }
}

/** Releases the memory of an opened answer, or cancels its body. */
export function discardAnswer(opened: OpenedAnswer): void {
  if (opened.state === 'whole') opened.release?.();
  else void opened.body.cancel('the answer is not needed');
}

async function checkWhole(
  bytes: Uint8Array,
  file: LargeFile,
  expected: Expectation | undefined,
): Promise<Result<Checked | undefined, FailureReason>> {
  const ended = file.checkEnd(bytes, bytes.length);
  if (!ended.ok) return ended;
  if (!expected || expected.kind === 'unknown') return success(undefined);
  return file.verify(bytesSource(bytes), expected, () => undefined);
}
