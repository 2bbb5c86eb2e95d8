/**
 * Module paths, and which versions belong to one.
 *
 * A module path is at once an address, a directory name and an import statement, so it has to be
 * plain in all three. Two rules are easily misjudged:
 *
 * - A valid path says nothing about its host. `127.0.0.1/x`, `169.254.169.254/latest` and a bare
 *   `github.com` are valid module paths. Nothing may ever connect to a host that was taken from
 *   one.
 * - The major version is part of the path. From v2 on it ends in `/vN`, and gopkg.in always writes
 *   `.vN`, also for v0 and v1, optionally followed by `-unstable`. A version fits a path when the
 *   majors agree, with three exceptions, which existing go.mod files rely on: a path without suffix
 *   takes any major marked `+incompatible`; `.v1` takes `v0.0.0-` pseudo-versions, which an old
 *   gopkg.in resolver made; and the mark is otherwise ignored, even where it makes no sense (`/v2`
 *   with `v2.0.0+incompatible`).
 */
import { escapeUpperCase, isWindowsDeviceName, unescapeUpperCase } from './escape.ts';
import { semverMajor, type Version } from './version.ts';

/** A path that module.CheckPath accepts, such as `golang.org/x/text` or `gopkg.in/yaml.v3`. */
export type ModulePath = string & { readonly __brand: 'ModulePath' };

/** A path in two parts that make it up again when joined. */
export type SplitPath = {
  readonly prefix: string;
  /** Empty, `/vN` with N of 2 or more, or on gopkg.in `.vN` or `.vN-unstable`. */
  readonly pathMajor: string;
};

/**
 * Returns `path` as a module path, or undefined when it is none. Source: golang.org/x/mod
 * module.CheckPath.
 */
export function parseModulePath(path: string): ModulePath | undefined {
  if (findFault(path) !== undefined) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the brand is given here and nowhere else
  return path as ModulePath;
}

/**
 * Returns the module path that `escaped` stands for, or undefined. Source: golang.org/x/mod
 * module.UnescapePath.
 */
export function unescapeModulePath(escaped: string): ModulePath | undefined {
  const path = unescapeUpperCase(escaped);
  return path === undefined ? undefined : parseModulePath(path);
}

/** Returns `path` as URLs and storage keys spell it. Source: golang.org/x/mod module.EscapePath. */
export function escapeModulePath(path: ModulePath): string {
  return escapeUpperCase(path);
}

/**
 * Returns why `path` is no module path, as the go command words it, or undefined when it is one.
 * Bytes that could steer a terminal are escaped. Source: golang.org/x/mod module.InvalidPathError.
 */
export function describeBadModulePath(path: string): string | undefined {
  const fault = findFault(path);
  return fault === undefined ? undefined : `malformed module path ${quote(path, '"')}: ${fault}`;
}

/**
 * The checks of module.CheckPath in their order. A text that is not well-formed Unicode has no
 * UTF-8 form.
 */
function findFault(path: string): string | undefined {
  if (!path.isWellFormed()) return 'invalid UTF-8';
  if (path === '') return 'empty string';
  if (path.startsWith('-')) return 'leading dash';
  if (path.includes('//')) return 'double slash';
  if (path.endsWith('/')) return 'trailing slash';
  const elements = path.split('/');
  for (const element of elements) {
    const fault = findElementFault(element);
    if (fault !== undefined) return fault;
  }
  return (
    findHostFault(elements[0] ?? '') ?? (splitPathVersion(path) ? undefined : 'invalid version')
  );
}

/**
 * The checks of module.checkElem. Two dots in a row are legal: only an element of nothing but dots
 * is refused. `~` and digits before the first dot would collide with the short names that Windows
 * makes (`PROGRA~1`).
 */
function findElementFault(element: string): string | undefined {
  if (element === '') return 'empty path element';
  if (/^\.+$/.test(element)) return `invalid path element ${quote(element, '"')}`;
  if (element.startsWith('.')) return 'leading dot in path element';
  if (element.endsWith('.')) return 'trailing dot in path element';
  const badCharacter = /[^A-Za-z0-9\-._~]/u.exec(element)?.[0];
  if (badCharacter !== undefined) return `invalid char ${quote(badCharacter, "'")}`;
  const [stem = ''] = element.split('.', 1);
  if (isWindowsDeviceName(stem)) return `"${stem}" disallowed as path element component on Windows`;
  if (/~[0-9]+$/.test(stem)) return 'trailing tilde and digits in path element';
  return undefined;
}

/**
 * The first element has the form of a domain name in lower case. It is a form only; see the top of
 * this file.
 */
function findHostFault(host: string): string | undefined {
  if (!host.includes('.')) return 'missing dot in first path element';
  const badCharacter = /[^a-z0-9\-.]/.exec(host)?.[0];
  return badCharacter === undefined
    ? undefined
    : `invalid char ${quote(badCharacter, "'")} in first path element`;
}

/**
 * Returns the path without its major version suffix, and the suffix. Returns undefined when the
 * last element has the form of a major version but may not be one (`/v1`, `/v02`, `/v2.0`), or
 * lacks one on gopkg.in. Source: golang.org/x/mod module.SplitPathVersion.
 */
export function splitPathVersion(path: string): SplitPath | undefined {
  if (path.startsWith('gopkg.in/')) return splitGopkgIn(path);
  const match = /\/v[0-9.]+$/.exec(path);
  if (match === null) return { prefix: path, pathMajor: '' };
  const pathMajor = match[0];
  if (pathMajor.includes('.') || pathMajor.startsWith('/v0') || pathMajor === '/v1')
    return undefined;
  return { prefix: path.slice(0, match.index), pathMajor };
}

/**
 * Go's own quirks are kept: `.v0` is legal and `.v0-unstable` is not, while `.v-unstable` is a
 * legal path that no version fits. A proxy that was stricter would refuse what the go command asks
 * for.
 */
function splitGopkgIn(path: string): SplitPath | undefined {
  const match = /\.v[0-9]*(?:-unstable)?$/.exec(path);
  if (match === null) return undefined;
  const pathMajor = match[0];
  if (pathMajor === '.v' || (pathMajor.startsWith('.v0') && pathMajor !== '.v0')) return undefined;
  return { prefix: path.slice(0, match.index), pathMajor };
}

/**
 * Reports whether `version` can be a version of the module `path`; the exceptions are at the top of
 * this file. Source: golang.org/x/mod module.Check and module.CheckPathMajor.
 */
export function versionFitsPath(path: ModulePath, version: Version): boolean {
  const pathMajor = splitPathVersion(path)?.pathMajor.replace(/-unstable$/, '');
  if (pathMajor === undefined) return false;
  if (pathMajor === '.v1' && version.startsWith('v0.0.0-')) return true;
  const major = semverMajor(version);
  if (pathMajor === '')
    return major === 'v0' || major === 'v1' || version.endsWith('+incompatible');
  return major === pathMajor.slice(1);
}

/** Quotes like Go's %q, but writes every character outside printable ASCII as `\u{...}`. */
function quote(text: string, mark: '"' | "'"): string {
  const inner = text.replace(/[^ -~]|["'\\]/gu, (character) => {
    if (character === mark || character === '\\') return `\\${character}`;
    if (character === '"' || character === "'") return character;
    return `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
  return `${mark}${inner}${mark}`;
}
