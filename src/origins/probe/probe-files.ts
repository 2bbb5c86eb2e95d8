import type { Asked } from '../upstreams.ts';
import { versionKey } from '../../store/key.ts';

/** A file to probe with. */
export interface ProbeFile {
  /** Path below the origin's base URL, percent-encoded. */
  readonly path: string;
  /** Bytes of it that are read; the rest is cancelled. */
  readonly limit: number;
  /** Whether the bytes begin as those of this file do. */
  readonly isKnown: (bytes: Uint8Array) => boolean;
}

/**
 * A small file says whether somebody answers. The large one is there for the networks that let the
 * first 16 KB of a connection through and freeze the rest: it has to be well above that.
 */
export interface ProbeFiles {
  readonly small: ProbeFile;
  readonly large: ProbeFile;
}

const SMALL_BYTES = 64 * 1024;
const LARGE_BYTES = 128 * 1024;

/** Without its end: a module that every public proxy has, with a zip of some megabytes. */
const WELL_KNOWN = '/golang.org/x/text/@v/v0.3.0';

/**
 * What an origin is probed with; undefined for one that serves certain modules alone, where nothing
 * is known to be there unless its `probe` says so.
 */
export function probeFiles({ origin, database }: Asked): ProbeFiles | undefined {
  if (database !== undefined) return databaseFiles;
  const { modules, probe } = origin;
  if (probe) {
    const path = (end: 'mod' | 'zip') => `/${versionKey(probe.module, probe.version, end)}`;
    return moduleFiles(path('mod'), path('zip'));
  }
  return modules ? undefined : moduleFiles(`${WELL_KNOWN}.mod`, `${WELL_KNOWN}.zip`);
}

function moduleFiles(mod: string, zip: string): ProbeFiles {
  return {
    small: {
      path: mod,
      limit: SMALL_BYTES,
      isKnown: (bytes) => /^\s*module\s/m.test(textOf(bytes)),
    },
    large: { path: zip, limit: LARGE_BYTES, isKnown: isZip },
  };
}

/**
 * The oldest data tile of a log never changes. sum.golang.org's has about 45 KB: less than the zip,
 * and enough. A young database has none yet, and says 404, which is an answer.
 */
const databaseFiles: ProbeFiles = {
  small: {
    path: '/latest',
    limit: SMALL_BYTES,
    isKnown: (bytes) => textOf(bytes).startsWith('go.sum database tree\n'),
  },
  large: {
    path: '/tile/8/data/000',
    limit: LARGE_BYTES,
    isKnown: (bytes) => textOf(bytes).includes(' h1:'),
  },
};

/** A local file header (APPNOTE 4.3.7) starts the file. */
function isZip(bytes: Uint8Array): boolean {
  return [0x50, 0x4b, 0x03, 0x04].every((byte, index) => bytes[index] === byte);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
