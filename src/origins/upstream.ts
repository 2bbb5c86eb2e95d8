import type { Origin } from './origin.ts';
import type { ProbeFiles } from './probe/probe-files.ts';

/** One address that modferry asks: an origin of modules, or an address of a checksum database. */
export interface Upstream {
  /** Its name in the history of probes: unique, and without its address. */
  readonly id: string;
  readonly origin: Origin;
  /** Name of the checksum database. */
  readonly database?: string | undefined;
  /** What it is probed with; undefined where no file is known to be there. */
  readonly probe: ProbeFiles | undefined;
}
