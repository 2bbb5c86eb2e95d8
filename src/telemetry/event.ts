import type { AdminEvent } from '../access/events.ts';
import type { TroubleEvent } from '../effects/emit.ts';
import type { MirrorEvent } from '../mirror/events.ts';
import type { Source } from '../mirror/outcome.ts';
import type { StoreCheckEvent } from '../operations/check-store.ts';
import type { OriginEvent } from '../origins/events.ts';
import type { Region } from '../origins/race/order.ts';
import type { LogEvent } from '../sumdb/events.ts';

/** Every event that modferry emits. */
export type ModferryEvent =
  | RequestEvent
  | NoteEvent
  | TroubleEvent
  | OriginEvent
  | MirrorEvent
  | LogEvent
  | AdminEvent
  | StoreCheckEvent;

/** A request was answered. The event contains no secret and no query string. */
export interface RequestEvent extends Subject {
  readonly event: 'request';
  readonly method: string;
  readonly status: number;
  readonly source: Source;
  /** Content-Length of the answer; undefined where it has none. */
  readonly bytes: number | undefined;
  /** Milliseconds until the answer's headers were ready. */
  readonly ms: number;
  readonly region: Region;
  /** The name of the token that it was sent with. */
  readonly token: string | undefined;
  /** Address of the client; undefined unless LOG_CLIENT_ADDRESS is set. */
  readonly client: string | undefined;
  /** Why there is no file; undefined where there is one. */
  readonly text: string | undefined;
}

/** The subject of a request. */
export interface Subject {
  /** `list`, `info`, `lookup`, `malformed`, `health`, … */
  readonly kind: string;
  readonly module?: string | undefined;
  readonly version?: string | undefined;
  /** The path of a tile. */
  readonly path?: string | undefined;
}

/** A warning about the configuration. */
export interface NoteEvent {
  readonly event: 'note';
  readonly text: string;
}

/** Receives events. `requestId` is absent for an event outside of a request. */
export type Sink = (event: ModferryEvent, requestId?: string) => void;
