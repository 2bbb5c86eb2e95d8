import { originPath } from '../module/origin-path.ts';
import type { Origin } from '../origins/origin.ts';
import type { ProbeFile, ProbeFiles } from '../origins/probe/probe-files.ts';
import type { Upstream } from '../origins/upstream.ts';

const TREE_HEAD: ProbeFile = {
  path: originPath('latest'),
  isExpected: (start) => textOf(start).startsWith('go.sum database tree\n'),
};

/**
 * The oldest data tile of a log never changes. sum.golang.org's has about 45 KB: less than a module
 * zip, and enough to probe with. A young database has none yet and answers 404, which is an answer.
 */
const PROBE_FILES: ProbeFiles = {
  small: TREE_HEAD,
  large: {
    path: originPath('tile/8/data/000'),
    isExpected: (start) => textOf(start).includes(' h1:'),
  },
};

/** A carrier's host is probed with a large file as an origin of modules. */
const CARRIER_PROBE_FILES: ProbeFiles = { small: TREE_HEAD };

/** The addresses of the checksum databases, their carriers too, in their configured order. */
export function databaseUpstreams(
  databases: readonly { readonly name: string; readonly origins: readonly Origin[] }[],
): readonly Upstream[] {
  return databases.flatMap(({ name, origins }) =>
    origins.map((origin, index) => ({
      id: `${name} ${index + 1} ${origin.name}`,
      origin,
      database: name,
      probe: origin.carries === undefined ? PROBE_FILES : CARRIER_PROBE_FILES,
    })),
  );
}

function textOf(start: Uint8Array): string {
  return new TextDecoder().decode(start);
}
