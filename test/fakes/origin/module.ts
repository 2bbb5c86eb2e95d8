import { type Body, isStreamed } from './answer.ts';
import { hashGoMod, hashZip } from '../zip/dirhash.ts';
import type { BigZip } from '../zip/zip-writer.ts';
import { writeZip } from '../zip/zip-writer.ts';

/** The three files of one version, exactly as they are sent. */
export interface FakeVersion {
  readonly info: string;
  readonly mod: string;
  readonly zip: Uint8Array | BigZip;
}

/** A module as an origin serves it. */
export interface FakeModule {
  readonly path: string;
  readonly versions: Readonly<Record<string, FakeVersion>>;
  /** The body of `@v/list`. */
  readonly list: string;
  /** The body of `@latest`; without one the origin answers 404. */
  readonly latest?: string;
  /** The bodies of `<query>.info` for branches, hashes and versions that resolve to another one. */
  readonly queries: Readonly<Record<string, string>>;
}

export interface VersionOptions {
  /** The Time in RFC 3339 form; default `EPOCH`. */
  readonly time?: string;
  /** The git reference in Origin; default `refs/tags/<version>`. */
  readonly ref?: string;
  /** The git commit in Origin; default forty zeros. */
  readonly hash?: string;
  /** The served go.mod; default the one among the files, else the synthetic `module PATH\n`. */
  readonly mod?: string;
}

export const EPOCH = '2024-01-15T10:00:00Z';

/** The body of an `.info` with an Origin, as proxy.golang.org sends it. */
export function infoJSON(path: string, version: string, options: VersionOptions = {}): string {
  const { time = EPOCH, ref = `refs/tags/${version}`, hash = '0'.repeat(40) } = options;
  const Origin = {
    VCS: 'git',
    URL: `https://${path.replace(/\/v\d+$/, '')}`,
    Hash: hash,
    Ref: ref,
  };
  return JSON.stringify({ Version: version, Time: time, Origin });
}

/**
 * Makes the three files of a version from its sources. File names are relative to the root of the
 * module.
 */
export function makeVersion(
  path: string,
  version: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  options: VersionOptions = {},
): FakeVersion {
  const own = files['go.mod'];
  const mod = options.mod ?? (own === undefined ? `module ${path}\n` : Buffer.from(own).toString());
  const entries = Object.entries(files).map(([name, content]) => ({
    name: `${path}@${version}/${name}`,
    content,
  }));
  return { info: infoJSON(path, version, options), mod, zip: writeZip(entries) };
}

export interface ModuleOptions {
  /** Default: every version except pseudo-versions, one per line. */
  readonly list?: string;
  /** Default: the info of the last release in the given order, else of the last version. */
  readonly latest?: string;
  readonly queries?: Readonly<Record<string, string>>;
}

/** Makes a module of versions. */
export function makeModule(
  path: string,
  versions: Readonly<Record<string, FakeVersion>>,
  options: ModuleOptions = {},
): FakeModule {
  const listed = Object.keys(versions).filter((version) => !isPseudoVersion(version));
  const newest =
    listed.findLast((version) => !version.includes('-')) ?? Object.keys(versions).at(-1) ?? '';
  const latest = options.latest ?? versions[newest]?.info;
  return {
    path,
    versions,
    list: options.list ?? listed.map((version) => `${version}\n`).join(''),
    ...(latest === undefined ? {} : { latest }),
    queries: options.queries ?? {},
  };
}

function isPseudoVersion(version: string): boolean {
  return /[-.]\d{14}-[0-9A-Za-z]+(\+|$)/.test(version);
}

/** The files of a version. Throws when the fixture has no such version. */
export function versionOf(module: FakeModule, version: string): FakeVersion {
  const files = module.versions[version];
  if (files === undefined)
    throw new Error(`Cannot find ${version} in the fixture module "${module.path}"`);
  return files;
}

/** The `h1:` hash of the version's zip. */
export function zipHash(files: FakeVersion): string {
  return isBig(files.zip) ? files.zip.h1() : hashZip(files.zip);
}

function isBig(zip: Body): zip is BigZip {
  return isStreamed(zip);
}

/**
 * The two go.sum lines of a version, which are also the text of its record in a checksum database.
 */
export function goSum(path: string, version: string, files: FakeVersion): string {
  return `${path} ${version} ${zipHash(files)}\n${path} ${version}/go.mod ${hashGoMod(files.mod)}\n`;
}

/** The go.sum lines of the modules, one entry per version. */
export function goSums(modules: readonly FakeModule[]): string[] {
  return modules.flatMap(({ path, versions }) =>
    Object.entries(versions).map(([version, files]) => goSum(path, version, files)),
  );
}

/**
 * The escaped form of a module path or version: "!" and the lower-case letter for each upper-case
 * letter.
 */
export function escapeModule(value: string): string {
  return value.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

/**
 * The path of a version's file below an origin, such as `/github.com/!azure/!thing/@v/v1.0.0.zip`.
 */
export function filePath(path: string, version: string, kind: 'info' | 'mod' | 'zip'): string {
  return `/${escapeModule(path)}/@v/${escapeModule(version)}.${kind}`;
}
