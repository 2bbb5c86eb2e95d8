import type { TroubleEvent } from '../effects/emit.ts';
import type { MirrorEvent } from '../mirror/events.ts';
import type { Source } from '../mirror/outcome.ts';
import type { OriginEvent } from '../origins/events.ts';
import type { Region } from '../origins/race/order.ts';
import type { LogEvent } from '../sumdb/events.ts';

/** Everything that modferry emits. The log is one sink; counters and alerts are others to come. */
export type ModferryEvent =
  | RequestEvent
  | NoteEvent
  | TroubleEvent
  | OriginEvent
  | MirrorEvent
  | LogEvent;

/** A request was answered. No secret and no query string is in here. */
export interface RequestEvent extends Subject {
  readonly event: 'request';
  readonly method: string;
  readonly status: number;
  readonly source: Source;
  /** Length of the answer's body as declared; absent where it was not known beforehand. */
  readonly bytes: number | undefined;
  /** Milliseconds until the answer's headers were ready. */
  readonly ms: number;
  readonly region: Region;
  /** Address of the client, where the operator switched that on. */
  readonly client: string | undefined;
  /** Why there is no file. */
  readonly text: string | undefined;
}

/** What a request was about. */
export interface Subject {
  /** `list`, `info`, `lookup`, `malformed`, `health`, … */
  readonly kind: string;
  readonly module?: string | undefined;
  readonly version?: string | undefined;
  /** The path of a tile. */
  readonly path?: string | undefined;
}

/** Something that the operator should know of the configuration. */
export interface NoteEvent {
  readonly event: 'note';
  readonly text: string;
}

/** A sink of events; `requestId` is that of the request in which the event happened. */
export type Sink = (event: ModferryEvent, requestId?: string) => void;
