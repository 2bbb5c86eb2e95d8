import type { Connections } from '../effects/connections.ts';
import type { Background } from '../effects/background.ts';
import type { Clock } from '../effects/clock.ts';
import type { Emit } from '../effects/emit.ts';
import type { Trace } from '../effects/trace.ts';
import type { Config } from '../config/config.ts';
import type { ModuleRequest } from '../goproxy/request.ts';
import type { Explain } from '../access/policy/explain.ts';
import type { Tokens } from '../access/tokens/stored-tokens.ts';
import type { PolicyContext } from '../access/policy/context.ts';
import type { RequestContext, Resolver } from '../mirror/context.ts';
import type { LogContext } from '../sumdb/log-context.ts';
import type { Region } from '../origins/race/order.ts';
import type { JobReport } from '../status/job-report.ts';
import type { NearTest } from '../status/near-test.ts';
import type { OriginStatus } from '../status/origin-status.ts';
import type { ChecksumRequest } from '../sumdb/request.ts';
import type { ModferryEvent, Sink } from '../telemetry/event.ts';

/** The services that the HTTP layer needs. They live as long as the isolate. */
export interface HttpServices {
  readonly config: Pick<Config, 'access' | 'databases' | 'logClientAddress' | 'origins'>;
  readonly clock: Pick<Clock, 'now' | 'steady'>;
  /** Whether a module, or whatever a path names as one, is for holders of a token for private ones. */
  readonly isPrivate: (module: string) => boolean;
  /** The tokens, as a request looks them up and changes them. */
  readonly tokensOf: (context: RequestContext) => Tokens;
  readonly resolveModule: Resolver<ModuleRequest, PolicyContext>;
  readonly explain: Explain;
  readonly resolveChecksums: Resolver<ChecksumRequest, LogContext>;
  /** Reads the health of the origins, over a connection of the request. */
  readonly status: (connections: Connections) => Promise<OriginStatus>;
  /** The jobs of the scheduler. */
  readonly jobs: () => Promise<readonly JobReport[]>;
  /** Tests the near tier; undefined where there is none. Never rejects. */
  readonly testNear: () => Promise<NearTest | undefined>;
  /** Takes the events that belong to no open request. */
  readonly sink: Sink;
  /** Default: a random UUID. */
  readonly newRequestId?: (() => string) | undefined;
  /** What an isolate does once beside its first requests. Never rejects. */
  readonly atStart: (context: LogContext) => Promise<void>;
  /** Opens the effects of one request. */
  readonly open: (incoming: Incoming, requestId: string) => RequestScope;
}

/** What the platform provides for one request. */
export interface Incoming {
  /** The host (and port) by which the request reached modferry; undefined for a command. */
  readonly host?: string | undefined;
  readonly region: Region;
  /**
   * Aborted when the client disconnects before it has an answer, where the platform reports that.
   */
  readonly signal: AbortSignal;
  /**
   * Makes the function that starts background work. `onFailure` is called with the label and the
   * error of work that rejects.
   */
  readonly background: (onFailure: (label: string, error: unknown) => void) => Background;
}

/** The state of one request while it is answered. */
export interface RequestScope {
  readonly requestId: string;
  /** When the request arrived, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly region: Region;
  readonly trace: Trace;
  readonly context: LogContext;
  readonly connections: Connections;
  /** Emits an event of this request. */
  readonly emit: Emit<ModferryEvent>;
}
