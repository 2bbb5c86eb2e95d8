import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type FakeModule, makeModule, makeVersion, type VersionOptions } from './module.ts';

/** A module with one version whose source lies in `dir`; `options.mod` replaces its go.mod. */
export function moduleFromDirectory(
  path: string,
  version: string,
  dir: string,
  options: VersionOptions = {},
): FakeModule {
  const mod = options.mod === undefined ? {} : { 'go.mod': options.mod };
  return makeModule(path, {
    [version]: makeVersion(path, version, { ...sourceOf(dir), ...mod }, options),
  });
}

/**
 * The files that belong into a module zip, by the omissions of golang.org/x/mod/zip (section 5): no
 * vendor directories, no nested modules, no version control directories, and nothing but regular
 * files.
 */
export function sourceOf(dir: string): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  for (const name of sourceFiles(dir)) files[name] = readFileSync(join(dir, name));
  return files;
}

const SKIPPED = new Set(['vendor', '.git', '.hg', '.svn', '.bzr']);

function* sourceFiles(root: string, below = ''): Generator<string> {
  for (const entry of readdirSync(join(root, below)).toSorted()) {
    const name = below === '' ? entry : `${below}/${entry}`;
    const stat = lstatSync(join(root, name));
    if (stat.isFile()) yield name;
    if (stat.isDirectory() && !SKIPPED.has(entry) && !isModule(join(root, name)))
      yield* sourceFiles(root, name);
  }
}

function isModule(dir: string): boolean {
  return lstatSync(join(dir, 'go.mod'), { throwIfNoEntry: false })?.isFile() === true;
}
