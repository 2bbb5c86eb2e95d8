import { failed, type Result, success } from '../effects/result.ts';
import { originPath } from '../module/origin-path.ts';
import { asMismatch, compareHash, type Expectation } from '../mirror/expectation.ts';
import type { CheckedEnd, LargeFile } from '../mirror/large/large-file.ts';
import type { ModulePath } from '../module/module-path.ts';
import type { Version } from '../module/version.ts';
import { type FailureReason, wrongContent } from '../origins/failure.ts';
import type { Origin } from '../origins/origin.ts';
import { versionKey } from '../store/key.ts';
import { hashZip } from '../zip/hash/hash-zip.ts';
import { type Directory, looksLikeZipStart, readDirectory } from '../zip/read/directory.ts';
import { loadDirectory } from '../zip/read/load-directory.ts';
import { checkModuleZip } from '../zip/rules/check-module-zip.ts';
import { findNameOutside } from '../zip/rules/check-names.ts';
import { MAX_ZIP_BYTES } from '../zip/rules/sizes.ts';

export interface ModuleZipOptions {
  readonly module: ModulePath;
  readonly version: Version;
  readonly origins: readonly Origin[];
  /** Looks up the expected hash; undefined where nothing is compared. */
  readonly expect: (() => Promise<Expectation>) | undefined;
  /**
   * Whether a zip that the go command would not unpack is refused, even where no hash is compared.
   */
  readonly keepsRules: boolean;
}

/** The zip of a version as a large file. */
export function moduleZip(options: ModuleZipOptions): LargeFile {
  const { module, version, origins, expect, keepsRules } = options;
  const key = versionKey(module, version, 'zip');
  /** The required prefix of every entry name. */
  const prefix = `${module}@${version}/`;
  return {
    key,
    hashKey: versionKey(module, version, 'ziphash'),
    subject: `${module}@${version}.zip`,
    path: originPath(key),
    origins,
    contentType: 'application/zip',
    expect,

    inspect(first, declared) {
      if (declared !== undefined && declared > MAX_ZIP_BYTES) return failed(overLimit(declared));
      return looksLikeZipStart(first)
        ? success(undefined)
        : failed(wrongContent('a body that is no zip'));
    },

    checkEnd(tail, size) {
      if (size > MAX_ZIP_BYTES) return failed(overLimit(size));
      return checkDirectory(readDirectory(tail, size), { size, prefix, keepsRules });
    },

    async checkStored(source) {
      const directory = await loadDirectory(source);
      const checked = checkDirectory(directory, { size: source.size, prefix, keepsRules });
      return checked.ok ? success(undefined) : checked;
    },

    async verify(source, expected) {
      const hashed = await hashZip(source, {
        check: (entries) => checkModuleZip(entries, { prefix, size: source.size }),
      });
      return hashed.kind === 'hashed'
        ? compareHash(expected, hashed.h1)
        : failed(asMismatch(broken(hashed.reason), expected));
    },
  };
}

interface DirectoryRules {
  /** Bytes of the zip. */
  readonly size: number;
  readonly prefix: string;
  readonly keepsRules: boolean;
}

/** Checks the directory at the end of a zip: every name in it must belong to this version. */
function checkDirectory(
  directory: Directory,
  { size, prefix, keepsRules }: DirectoryRules,
): Result<CheckedEnd, FailureReason> {
  if (directory.kind === 'broken') return failed(broken(directory.reason));
  if (directory.kind !== 'complete') return success('needs more');
  const { entries } = directory;
  const outside = findNameOutside(entries, prefix);
  if (outside !== undefined) {
    const text = `a zip with the entry ${JSON.stringify(outside)}, outside of ${prefix}`;
    return failed(wrongContent('a zip of another version', text));
  }
  const problem = keepsRules ? checkModuleZip(entries, { prefix, size }) : undefined;
  if (problem === undefined) return success('complete');
  const summary = 'a zip that the go command does not unpack';
  return failed(wrongContent(summary, `${summary}: ${problem}`));
}

function broken(reason: string): FailureReason {
  return wrongContent('a broken zip', `a broken zip: ${reason}`);
}

function overLimit(size: number): FailureReason {
  return wrongContent("a zip over Go's limit", `a zip of ${size} bytes, over Go's limit`);
}
