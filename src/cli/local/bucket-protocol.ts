/**
 * What the commands ask of the Worker that hands out the bucket of the local run
 * (bucket-worker.ts), as JSON in the body of a POST.
 */
import * as v from 'valibot';
import { parseChecked, type StoredFile } from '../../store/contract.ts';
import { listedKey } from '../../store/key.ts';

const Range = v.object({ offset: v.number(), length: v.number() });

const Key = v.pipe(v.string(), v.transform(listedKey));

export const BucketQuestion = v.variant('ask', [
  v.object({
    ask: v.literal('list'),
    prefix: v.string(),
    after: v.optional(v.string()),
    cursor: v.optional(v.string()),
  }),
  v.object({
    ask: v.literal('read'),
    key: Key,
    range: v.optional(Range),
  }),
  v.object({ ask: v.literal('head'), key: Key }),
  v.object({ ask: v.literal('remove'), keys: v.array(Key) }),
]);

export type BucketQuestion = v.InferOutput<typeof BucketQuestion>;

/** The answer to `list`: as many keys as the bucket gives at once; no cursor with the last ones. */
export const BucketPage = v.object({
  files: v.array(v.object({ key: v.string(), size: v.number() })),
  cursor: v.optional(v.string()),
});

export type BucketPage = v.InferOutput<typeof BucketPage>;

/** The header of an answer to `read` and `head`: the facts of the file, as JSON. */
export const FACTS_HEADER = 'X-Modferry-Facts';

const Facts = v.object({
  size: v.number(),
  etag: v.string(),
  checked: v.pipe(v.optional(v.string()), v.transform(parseChecked)),
  range: v.optional(Range),
});

/** Parses that header. */
export function parseFacts(header: string | null): Omit<StoredFile, 'body'> {
  return v.parse(Facts, JSON.parse(header ?? 'null'));
}
