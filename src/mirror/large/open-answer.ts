import { bytesSource } from '../../bytes/byte-source.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import type { FailureReason } from '../../origins/failure.ts';
import type { OriginBody } from '../../origins/request/body.ts';
import { type Checked, UPLOAD_PART_BYTES } from '../../store/contract.ts';
import { asMismatch, type Expectation } from '../expectation.ts';
import type { Budget, Release, Wanted } from '../memory-budget.ts';
import type { LargeFile } from './large-file.ts';
import { CHUNK_BYTES, RING_CHUNKS, SMALL_RING_CHUNKS } from './ring.ts';

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
  /** Releases the memory of the bytes. */
  readonly release: Release;
}

/**
 * The body is too large to be held, or there is no memory for it: its first bytes, and the unread
 * rest.
 */
export interface BegunAnswer {
  readonly state: 'begun';
  readonly first: Uint8Array<ArrayBuffer>;
  readonly body: OriginBody;
  /** The capacity of the ring that memory is reserved for, in chunks. */
  readonly chunks: number;
  /** Releases the memory of the stream, with that of its upload. */
  readonly release: Release;
}

export interface OpenEffects {
  /** The expected hash; undefined where nothing is compared. */
  readonly expecting: Promise<Expectation> | undefined;
  readonly budget: Budget;
  /** Until when to wait for memory, in milliseconds since the epoch. */
  readonly waitUntil: number;
  /** Whether a stream is stored. */
  readonly hasStore: boolean;
}

/** What an answer may hold in memory: all of it, or what a stream needs. */
interface Amount extends Wanted {
  readonly chunks: number | 'whole';
}

const MIB = 1024 * 1024;

/**
 * What streams leave of the budget: a slow one holds its ring for minutes. The first ones get large
 * rings, the others small ones, and some memory always remains for files that are held whole.
 */
const LEFT_BY_LARGE_RINGS = 20 * MIB;
const LEFT_BY_STREAMS = 8 * MIB;

/**
 * Reads the body of an answer: whole if it is small and there is memory, else its start. Its memory
 * is reserved before anything is read. Rejects when the body cannot be read.
 */
export async function openAnswer(
  body: OriginBody,
  file: LargeFile,
  effects: OpenEffects,
): Promise<Result<OpenedAnswer, FailureReason>> {
  const { budget, expecting, waitUntil } = effects;
  const declared = body.declaredBytes;
  const amounts = amountsFor(declared, effects);
  const reserved = await budget.takeFirst(amounts, waitUntil);
  const chunks = amounts.find(({ bytes }) => bytes === reserved?.bytes)?.chunks;
  if (!reserved || chunks === undefined) return failed({ kind: 'no memory' });
  const { release } = reserved;
  const limit = declared === undefined ? MAX_UNDECLARED_BYTES : CHUNK_BYTES;
  const wanted = chunks === 'whole' ? reserved.bytes : limit;
  try {
    const first = await body.start(wanted);
    const inspected = file.inspect(first, declared);
    if (inspected.ok && chunks !== 'whole' && first.length === wanted)
      return success({ state: 'begun', first, body, chunks, release });
    if (inspected.ok) body.checkLength(first.length);
    const expected = await expecting;
    const checked = inspected.ok ? await checkWhole(first, file, expected) : inspected;
    if (!checked.ok) {
      release();
      return failed(asMismatch(checked.reason, expected));
    }
    await body.cancel('the body was read whole');
    release();
    const whole = budget.take(first.length); // never more than was released
    return success({
      state: 'whole',
      bytes: first,
      checked: checked.value,
      release: whole ?? release,
    });
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * The amounts of memory with which an answer can be given, the best one first. Without a store only
 * the ring shows the end of the file, so it is never the small one.
 */
function amountsFor(declared: number | undefined, { hasStore }: OpenEffects): readonly Amount[] {
  const besides = declared === undefined ? MAX_UNDECLARED_BYTES : 0;
  const upload = declared === undefined && hasStore ? UPLOAD_PART_BYTES : 0;
  const isWhole = declared !== undefined && declared <= MAX_WHOLE_BYTES;
  const stream = (chunks: number): Amount => ({
    bytes: chunks * CHUNK_BYTES + besides + upload,
    chunks,
    leaving: isWhole
      ? 0
      : hasStore && chunks === RING_CHUNKS
        ? LEFT_BY_LARGE_RINGS
        : LEFT_BY_STREAMS,
  });
  const streams = [RING_CHUNKS, ...(hasStore ? [SMALL_RING_CHUNKS] : [])].map(stream);
  if (!isWhole) return streams;
  const whole: Amount = { bytes: declared, chunks: 'whole' };
  return [whole, ...streams.filter(({ bytes }) => bytes < declared)];
}

/** Releases the memory of an opened answer, or cancels its body. */
export function discardAnswer(opened: OpenedAnswer): void {
  opened.release();
  if (opened.state === 'begun') void opened.body.cancel('the answer is not needed');
}

async function checkWhole(
  bytes: Uint8Array,
  file: LargeFile,
  expected: Expectation | undefined,
): Promise<Result<Checked | undefined, FailureReason>> {
  const ended = file.checkEnd(bytes, bytes.length);
  if (!ended.ok) return ended;
  if (!expected || expected.kind === 'unknown') return success(undefined);
  return file.verify(bytesSource(bytes), expected);
}
