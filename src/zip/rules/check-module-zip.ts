import { startsWith } from './check-names.ts';
import { trackCollisions } from './collisions.ts';
import { describeEntry } from '../read/describe-name.ts';
import { type Entry, isDirectoryName } from '../read/directory-header.ts';
import { findPathProblem } from './file-path.ts';
import { findOversizedFile, findOversizedZip } from './sizes.ts';

export interface ModuleZip {
  /** What every entry's name begins with: `example.com/hello@v1.1.0/`, upper case not escaped. */
  readonly prefix: string;
  /** Bytes of the zip file. */
  readonly size: number;
}

/**
 * Returns the first reason why the go command would not unpack a module zip with these entries, or
 * undefined if it would. Content is not read; `hashZip` does that. Source:
 * golang.org/x/mod/zip checkZip and Unzip.
 */
export function checkModuleZip(entries: readonly Entry[], zip: ModuleZip): string | undefined {
  const files = entries.filter(({ name }) => !isDirectoryName(name));
  const oversized = findOversizedZip(files, zip.size);
  if (oversized !== undefined) return oversized;
  const findProblem = checkEntries(zip.prefix);
  for (const entry of entries) {
    const problem = findProblem(entry);
    if (problem !== undefined) return `${describeEntry(entry)} ${problem}`;
  }
  return undefined;
}

/** Returns a function that takes the entries one by one, and returns what is wrong with each. */
function checkEntries(prefix: string): (entry: Entry) => string | undefined {
  const start = new TextEncoder().encode(prefix);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const findCollision = trackCollisions();
  return (entry) => {
    const { name } = entry;
    if (!startsWith(name, start)) return `is outside of ${prefix}`;
    if (name.length === start.length) return undefined; // the root itself, which Go skips
    const isDirectory = isDirectoryName(name);
    const path = decode(decoder, name.subarray(start.length, isDirectory ? -1 : undefined));
    if (path === undefined) return 'has a name that is not UTF-8';
    const problem = findPathProblem(path) ?? findCollision(path, isDirectory);
    return (
      problem ??
      (isDirectory ? undefined : (findStrayGoMod(path) ?? findOversizedFile(path, entry)))
    );
  };
}

function decode(decoder: TextDecoder, name: Uint8Array): string | undefined {
  try {
    return decoder.decode(name);
  } catch {
    return undefined;
  }
}

/**
 * A go.mod elsewhere would be the root of another module. The comparison is that of
 * strings.EqualFold: no letter outside of ASCII equals one of these.
 */
function findStrayGoMod(path: string): string | undefined {
  if (path === 'go.mod' || !/(?:^|\/)go\.mod$/i.test(path)) return undefined;
  return path.includes('/')
    ? 'is a go.mod below the root of the module'
    : 'is a go.mod in upper case';
}
