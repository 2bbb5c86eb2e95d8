import { originPath } from '../module/origin-path.ts';
import type { Origin } from '../origins/origin.ts';
import type { ProbeFiles } from '../origins/probe/probe-files.ts';
import type { Upstream } from '../origins/upstream.ts';
import { versionKey } from '../store/key.ts';
import { looksLikeZipStart } from '../zip/read/directory.ts';

/** Key without its extension: a module that every public proxy has, with a zip of 7 MB. */
const WELL_KNOWN = 'golang.org/x/text/@v/v0.3.0';

/** The module origins and their probe files, in the configured order. */
export function moduleUpstreams(origins: readonly Origin[]): readonly Upstream[] {
  return origins.map((origin) => ({ id: origin.name, origin, probe: probeFiles(origin) }));
}

/**
 * The files that an origin is probed with. An origin that serves only certain modules is probed
 * with its configured `probe`, or not at all: it need not have any other module.
 */
function probeFiles({ modules, probe }: Origin): ProbeFiles | undefined {
  if (probe) {
    const { module, version } = probe;
    return moduleFiles(versionKey(module, version, 'mod'), versionKey(module, version, 'zip'));
  }
  return modules ? undefined : moduleFiles(`${WELL_KNOWN}.mod`, `${WELL_KNOWN}.zip`);
}

function moduleFiles(mod: string, zip: string): ProbeFiles {
  return {
    small: { path: originPath(mod), isExpected: hasModuleLine },
    large: { path: originPath(zip), isExpected: looksLikeZipStart },
  };
}

function hasModuleLine(start: Uint8Array): boolean {
  return /^\s*module\s/m.test(new TextDecoder().decode(start));
}
