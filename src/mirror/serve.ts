import { discard } from '../bytes/streams.ts';
import type { RequestContext } from './context.ts';
import type { LargeFile } from './large/large-file.ts';
import { fillLarge, serveLarge } from './large/serve-large.ts';
import type { Outcome } from './outcome.ts';
import { serveSmall } from './small/serve-small.ts';
import type { SmallFile } from './small/small-file.ts';

/**
 * A file of any upstream. What it is, where it comes from and how it is checked is its product's.
 */
export type MirroredFile =
  | { readonly size: 'small'; readonly file: SmallFile }
  | { readonly size: 'large'; readonly file: LargeFile };

/** Answers a request with a file: from the store, from an origin, or with the reason why not. */
export function serve({ size, file }: MirroredFile, context: RequestContext): Promise<Outcome> {
  return size === 'small' ? serveSmall(file, context) : serveLarge(file, context);
}

/** Gets a file into the store without a client. The outcome says whether it could be had. */
export async function fill(
  { size, file }: MirroredFile,
  context: RequestContext,
): Promise<Outcome['kind']> {
  const outcome = await (size === 'small' ? serveSmall(file, context) : fillLarge(file, context));
  if (outcome.kind === 'found') discard(outcome.file.body);
  return outcome.kind;
}
