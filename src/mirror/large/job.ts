import type { RequestContext } from '../context.ts';
import type { SharedOutcome } from '../outcome.ts';
import type { Leader } from '../single-flight.ts';
import type { LargeFile } from './large-file.ts';

/** The work on one large file, for one request or for the store only. */
export interface Job {
  readonly file: LargeFile;
  readonly context: RequestContext;
  /**
   * The leader of the flight, when other requests can wait for the stored file; undefined when the
   * file is for this request only.
   */
  readonly leader: Leader<SharedOutcome> | undefined;
  /** Whether a client receives the file; if not, it goes to the store only. */
  readonly hasClient: boolean;
}
