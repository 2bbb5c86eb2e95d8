import type { Emit, TroubleEvent } from '../effects/emit.ts';
import type { RequestContext } from '../mirror/context.ts';
import type { MirrorEvent } from '../mirror/events.ts';
import type { LogEvent } from './events.ts';

/** The context of a request in which checksum databases may be asked. */
export interface LogContext extends RequestContext {
  readonly emit: Emit<LogEvent | MirrorEvent | TroubleEvent>;
}
