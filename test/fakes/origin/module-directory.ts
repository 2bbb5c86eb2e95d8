import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type FakeModule, makeModule, makeVersion, type VersionOptions } from './module.ts';

/** A module with one version, made from the source in `dir`. `options.mod` replaces its go.mod. */
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
 * The files of `dir` that belong into a module zip, by the rules of golang.org/x/mod/zip: regular
 * files outside of vendor directories, nested modules and version control directories.
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
