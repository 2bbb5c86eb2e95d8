import type { Origin } from './origin.ts';
import type { ProbeFile, ProbeFiles } from './probe/probe-files.ts';

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

/** The file that an origin is known to have; undefined where none is known. */
export type KnownFileOf = (origin: Pick<Origin, 'name' | 'url'>) => ProbeFile | undefined;

/** The known files of upstreams: the small ones of their probes. */
export function knownFiles(upstreams: readonly Upstream[]): KnownFileOf {
  const files = new Map(upstreams.map(({ origin, probe }) => [keyOf(origin), probe?.small]));
  return (origin) => files.get(keyOf(origin));
}

/** Two origins may have one address, and an address of a database the name of an origin. */
function keyOf({ name, url }: Pick<Origin, 'name' | 'url'>): string {
  return `${name} ${url}`;
}
