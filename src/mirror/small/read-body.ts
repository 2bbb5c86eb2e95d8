import { concatBytes } from '../../bytes/concat.ts';
import { Held } from '../../effects/held.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import { type FailureReason, OriginError } from '../../origins/failure.ts';
import type { OriginBody } from '../../origins/request/body.ts';
import type { RequestContext } from '../context.ts';
import { MAX_UNHELD_BYTES } from '../../store/contract.ts';
import { memoryDeadline } from '../memory-budget.ts';

/** A body in memory. */
export interface HeldBytes {
  readonly bytes: Uint8Array;
  /** The memory that is reserved for them; undefined where they are too few for that. */
  readonly held: Held | undefined;
}

/**
 * Reads a whole body of at most `limitBytes`. More than 256 KiB are only read when there is memory
 * for them: a go.mod may have 16 MiB. Throws `OriginError` when the body is longer than its limit or
 * not as long as declared, and whatever the connection throws.
 */
export async function readBody(
  body: OriginBody,
  limitBytes: number,
  context: Pick<RequestContext, 'clock' | 'shared' | 'timeLeftMs'>,
): Promise<Result<HeldBytes, FailureReason>> {
  const declared = body.declaredBytes;
  const isSmall = Math.min(declared ?? limitBytes, limitBytes) <= MAX_UNHELD_BYTES;
  if (isSmall || (declared ?? 0) > limitBytes) {
    return success({ bytes: await body.all(limitBytes), held: undefined });
  }
  const first = declared === undefined ? await body.start(MAX_UNHELD_BYTES) : new Uint8Array(0);
  if (declared === undefined && first.length < MAX_UNHELD_BYTES) {
    await body.cancel('all of it was read');
    return success({ bytes: first, held: undefined });
  }
  const { held: budget } = context.shared.budgets;
  // Without a declared length the pieces are put together: they are in memory twice at the end.
  const amount = declared ?? 2 * limitBytes;
  const reserved = await budget.takeFirst([{ bytes: amount }], memoryDeadline(context));
  if (!reserved) return failed({ kind: 'no memory' });
  try {
    const bytes =
      declared === undefined ? await readRest(first, body, limitBytes) : await body.all(limitBytes);
    reserved.release();
    const release = budget.take(bytes.length); // never more than was released
    return success({ bytes, held: release && new Held(release) });
  } catch (error) {
    reserved.release();
    throw error;
  }
}

async function readRest(
  first: Uint8Array,
  body: OriginBody,
  limitBytes: number,
): Promise<Uint8Array> {
  const rest = await body.start(limitBytes + 1 - first.length);
  if (first.length + rest.length > limitBytes)
    throw new OriginError({ kind: 'too long', limitBytes });
  await body.cancel('all of it was read');
  return concatBytes([first, rest]);
}
