/** A file to probe an upstream with. */
export interface ProbeFile {
  /** Path below the origin's base URL, percent-encoded. */
  readonly path: string;
  /** Whether a body with this start is the file. */
  readonly isExpected: (start: Uint8Array) => boolean;
}

/**
 * The small file shows whether the upstream answers. The large one exists for networks that let the
 * first 16 KB of a connection through and freeze the rest: it has to be much longer.
 */
export interface ProbeFiles {
  readonly small: ProbeFile;
  /** Absent where another upstream at the same host is probed with one. */
  readonly large?: ProbeFile | undefined;
}

/** Whether a body may be a file of a module: filters and login pages answer 200 with a page. */
export function isNoPage(start: Uint8Array): boolean {
  return start[0] !== '<'.charCodeAt(0);
}
