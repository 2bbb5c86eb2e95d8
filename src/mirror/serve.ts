import { discard } from '../bytes/streams.ts';
import type { RequestContext } from './context.ts';
import type { LargeFile } from './large/large-file.ts';
import { fillLarge, serveLarge } from './large/serve-large.ts';
import type { Outcome } from './outcome.ts';
import { sendHeld } from './send-held.ts';
import { serveSmall } from './small/serve-small.ts';
import type { SmallFile } from './small/small-file.ts';

/**
 * A file of any upstream. What it is, where it comes from and how it is checked is its product's.
 */
export type MirroredFile =
  | { readonly size: 'small'; readonly file: SmallFile }
  | { readonly size: 'large'; readonly file: LargeFile };

/** Answers a request with a file: from the store, from an origin, or with the reason why not. */
export async function serve(
  { size, file }: MirroredFile,
  context: RequestContext,
): Promise<Outcome> {
  const outcome = await (size === 'small' ? serveSmall(file, context) : serveLarge(file, context));
  return sendHeld(outcome, file.key, context);
}

/** Gets a file into the store without a client. The outcome says whether it could be had. */
export async function fill(
  { size, file }: MirroredFile,
  context: RequestContext,
): Promise<Outcome['kind']> {
  const outcome = await (size === 'small' ? serveSmall(file, context) : fillLarge(file, context));
  if (outcome.kind === 'found') {
    discard(outcome.file.body);
    outcome.file.held?.drop();
  }
  return outcome.kind;
}
