/** The events of this room. Their fields are those of the log lines. */
export type OriginEvent = ResumeEvent | ProbeEvent;

/** A body broke off, and its rest was found or not. */
export interface ResumeEvent {
  readonly event: 'resume';
  /** Path of the file at the origin. */
  readonly path: string;
  /** Name of the origin whose body broke off. */
  readonly origin: string;
  /** Name of the origin that sends the rest. */
  readonly from?: string | undefined;
  /** Bytes that were delivered before. */
  readonly offset: number;
  /** Requests for the rest. */
  readonly tries: number;
  readonly outcome: 'resumed' | 'given up';
}

/** The result of the probe of one upstream. */
export interface ProbeEvent {
  readonly event: 'probe';
  readonly origin: string;
  /** Name of the checksum database whose address it is. */
  readonly database?: string | undefined;
  readonly verdict: string;
  /** Milliseconds until the headers of the small file. */
  readonly headersAfter?: number | undefined;
  /** The verdict on the large file; absent where it was not requested. */
  readonly large?: string | undefined;
  readonly bytes?: number | undefined;
  /** Bytes a second. */
  readonly rate?: number | undefined;
  readonly ms: number;
}
