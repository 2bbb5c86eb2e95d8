import type { RequestContext } from '../context.ts';
import type { SharedOutcome } from '../outcome.ts';
import type { Leader } from '../single-flight.ts';
import type { LargeFile } from './large-file.ts';

/** One large file on its way to one request, or into the store. */
export interface Job {
  readonly file: LargeFile;
  readonly context: RequestContext;
  /**
   * Of the requests that wait for this file to be stored; undefined when the file is for this
   * request alone.
   */
  readonly leader: Leader<SharedOutcome> | undefined;
  /** Whether a client gets the file; otherwise it goes into the store alone. */
  readonly hasClient: boolean;
}
