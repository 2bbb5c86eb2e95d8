import { originPath } from '../module/origin-path.ts';
import type { Origin } from '../origins/origin.ts';
import type { ProbeFiles } from '../origins/probe/probe-files.ts';
import type { Upstream } from '../origins/upstream.ts';
import { versionKey } from '../store/key.ts';
import { looksLikeZipStart } from '../zip/read/directory.ts';

/** Keys without their extension: a module that every public proxy has, whose zip has 7 MB. */
const WELL_KNOWN = 'golang.org/x/text/@v/v0.3.0';

/** The origins of modules, in their configured order. */
export function moduleUpstreams(origins: readonly Origin[]): readonly Upstream[] {
  return origins.map((origin) => ({ id: origin.name, origin, probe: probeFiles(origin) }));
}

/**
 * An origin for certain modules is probed with the version that its `probe` names, and not without
 * one: no other module is known to be there.
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
