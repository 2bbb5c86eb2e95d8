/**
 * Versions, as the go command writes and orders them.
 *
 * There are three sets, each within the one before. The difference decides what may be cached for
 * ever:
 *
 * - A requestable revision is any text that can name one file: `master`, `0123456`, `v01.0.0`, `a
 *   b`. What it stands for changes with every push.
 * - A semantic version is `vMAJOR[.MINOR[.PATCH[-PRERELEASE][+BUILD]]]`. `v1` and `v1.2` are valid,
 *   but they are queries for the newest match. `v1.2.3+meta` is valid too and names whatever commit
 *   carries that tag.
 * - A canonical version is a semantic version with three numbers and no build metadata, except
 *   exactly `+incompatible`: the mark of a v2 or later that has no go.mod. Only these are requested
 *   as `.mod` and `.zip`.
 *
 * The numbers have no upper bound. `v99999999999999999999.0.0` is a version, and as JavaScript
 * numbers it and its neighbour would compare equal. Without leading zeros the longer number is the
 * greater one, and numbers of the same length compare like text.
 */
import { escapeUpperCase, isWindowsDeviceName, unescapeUpperCase } from './escape.ts';

/** A canonical version: `v1.2.3`, `v2.0.0-rc.1`, `v3.0.0+incompatible`, or a pseudo-version. */
export type Version = string & { readonly __brand: 'Version' };

/** Any other revision that can be requested: `master`, `0123456`, `v1.2`, `v1.2.3+meta`. */
export type VersionQuery = string & { readonly __brand: 'VersionQuery' };

const NUMBER = '(?:0|[1-9][0-9]*)';
const PRERELEASE_IDENTIFIER = `(?:${NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`;
const BUILD_IDENTIFIER = '[0-9A-Za-z-]+';

const SEMVER = new RegExp(
  `^v(?<major>${NUMBER})(?:\\.(?<minor>${NUMBER})(?:\\.(?<patch>${NUMBER})` +
    `(?:-(?<prerelease>${PRERELEASE_IDENTIFIER}(?:\\.${PRERELEASE_IDENTIFIER})*))?` +
    `(?:\\+(?<build>${BUILD_IDENTIFIER}(?:\\.${BUILD_IDENTIFIER})*))?)?)?$`,
);

/**
 * `v0.0.0-TIME-REV`, `vX.Y.Z-0.TIME-REV` or `vX.Y.Z-PRE.0.TIME-REV`, where TIME is yyyymmddhhmmss.
 */
const PSEUDO_VERSION =
  /^v[0-9]+\.(?:0\.0-|[0-9]+\.[0-9]+-(?:[^+]*\.)?0\.)[0-9]{14}-[A-Za-z0-9]+(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/** The ASCII part of what module.fileNameOK allows, without `!`. */
const FILE_NAME = /^[A-Za-z0-9#$%&()+,\-.=@[\]^_{}~ ]+$/;

type Semver = {
  readonly major: string;
  readonly minor: string;
  readonly patch: string;
  /** Without the leading `-`; empty when the version is a release. */
  readonly prerelease: string;
  /** Without the leading `+`. */
  readonly build: string;
};

function parseSemver(text: string): Semver | undefined {
  const groups = SEMVER.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { major = '', minor = '0', patch = '0', prerelease = '', build = '' } = groups;
  return { major, minor, patch, prerelease, build };
}

/**
 * Reports whether `text` is a semantic version, in short or full form. Source: golang.org/x/mod
 * semver.IsValid.
 */
export function isSemver(text: string): boolean {
  return SEMVER.test(text);
}

/**
 * Returns the canonical form of `text`: missing numbers are 0 and build metadata is dropped unless
 * it is `+incompatible`. Returns undefined when `text` is not a semantic version. Source:
 * golang.org/x/mod module.CanonicalVersion.
 */
export function canonicalVersion(text: string): Version | undefined {
  const semver = parseSemver(text);
  if (semver === undefined) return undefined;
  const { major, minor, patch, prerelease, build } = semver;
  const suffix = prerelease === '' ? '' : `-${prerelease}`;
  const mark = build === 'incompatible' ? '+incompatible' : '';
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the brand is given here and nowhere else
  return `v${major}.${minor}.${patch}${suffix}${mark}` as Version;
}

/** Returns `text` as a version if it is already canonical, else undefined. */
export function parseVersion(text: string): Version | undefined {
  const version = canonicalVersion(text);
  return version === text ? version : undefined;
}

/**
 * Returns `text` as a query if it can be requested and is not a canonical version, else undefined.
 * Source: golang.org/x/mod module.EscapeVersion.
 */
export function parseVersionQuery(text: string): VersionQuery | undefined {
  if (!isRequestable(text) || parseVersion(text) !== undefined) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the brand is given here and nowhere else
  return text as VersionQuery;
}

/**
 * Reports whether `text` names a commit without a tag. Source: golang.org/x/mod
 * module.IsPseudoVersion.
 */
export function isPseudoVersion(text: string): boolean {
  return isSemver(text) && PSEUDO_VERSION.test(text);
}

/**
 * Returns the first number of a version with its `v`, like `v2`. Source: golang.org/x/mod
 * semver.Major.
 */
export function semverMajor(version: Version): string {
  return version.slice(0, version.indexOf('.'));
}

/**
 * Returns a negative number, 0 or a positive number as `a` precedes, equals or follows `b`. Build
 * metadata does not count. Text that is not a semantic version precedes every version and equals
 * all other such text. Source: golang.org/x/mod semver.Compare.
 */
export function compareVersions(a: string, b: string): number {
  return compareParsed(parseSemver(a), parseSemver(b));
}

/** Versions in ascending order; equal ones stay as they are. Each is parsed once. */
export function toSortedVersions(versions: readonly Version[]): readonly Version[] {
  return versions
    .map((version) => ({ version, parsed: parseSemver(version) }))
    .toSorted((a, b) => compareParsed(a.parsed, b.parsed))
    .map(({ version }) => version);
}

function compareParsed(left: Semver | undefined, right: Semver | undefined): number {
  if (left === undefined || right === undefined)
    return Number(left !== undefined) - Number(right !== undefined);
  return (
    compareNumbers(left.major, right.major) ||
    compareNumbers(left.minor, right.minor) ||
    compareNumbers(left.patch, right.patch) ||
    comparePrereleases(left.prerelease, right.prerelease)
  );
}

/**
 * Semantic Versioning 2.0.0, item 11: a release follows its prereleases, and more identifiers
 * follow fewer.
 */
function comparePrereleases(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '') return 1;
  if (b === '') return -1;
  const left = a.split('.');
  const right = b.split('.');
  for (const [index, identifier] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const order = compareIdentifiers(identifier, other);
    if (order !== 0) return order;
  }
  return -1;
}

/** Numbers precede words; numbers compare as numbers and words in ASCII order. */
function compareIdentifiers(a: string, b: string): number {
  const numeric = isNumeric(a);
  if (numeric !== isNumeric(b)) return numeric ? -1 : 1;
  return numeric ? compareNumbers(a, b) : compareText(a, b);
}

function compareNumbers(a: string, b: string): number {
  return Math.sign(a.length - b.length) || compareText(a, b);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function isNumeric(identifier: string): boolean {
  return /^[0-9]+$/.test(identifier);
}

/**
 * Reports whether the go command would ask a proxy for `text`: one element that every file system
 * takes as a file name. The check for a trailing dot covers names of dots alone.
 */
function isRequestable(text: string): boolean {
  return FILE_NAME.test(text) && !text.endsWith('.') && !isWindowsDeviceName(text);
}

/**
 * Returns the revision that the path element `escaped` stands for, or undefined when no request is
 * spelled like that. Source: golang.org/x/mod module.UnescapeVersion.
 */
export function unescapeVersionElement(escaped: string): string | undefined {
  const text = unescapeUpperCase(escaped);
  return text !== undefined && isRequestable(text) ? text : undefined;
}

/**
 * Returns the path element of a version or query. Both are legal there, so that it cannot fail.
 * Source: golang.org/x/mod module.EscapeVersion.
 */
export function escapeVersion(version: Version | VersionQuery): string {
  return escapeUpperCase(version);
}
