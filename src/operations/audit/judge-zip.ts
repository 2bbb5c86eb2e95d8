import { isH1 } from '../../bytes/h1.ts';
import type { ModulePath } from '../../module/module-path.ts';
import type { Version } from '../../module/version.ts';
import type { Expected } from '../../sumdb/checksums.ts';
import { checkModuleZip } from '../../zip/rules/check-module-zip.ts';
import { hashZip } from '../../zip/hash/hash-zip.ts';
import type { ByteSource } from '../../bytes/byte-source.ts';
import { loggedHash } from './logged-hash.ts';
import { type Judgement, RIGHT, UNCOVERED, wrong } from './verdict.ts';

export interface ZipToJudge {
  readonly source: ByteSource;
  readonly module: ModulePath;
  readonly version: Version;
  /** What the checksum databases have of the version. */
  readonly expected: Expected;
  /** The `.ziphash` beside it, if there is one. */
  readonly mark: Uint8Array | undefined;
  /** Called with the number of bytes of the zip that were read. */
  readonly onBytes: (bytes: number) => void;
}

export interface JudgedZip {
  readonly zip: Judgement;
  readonly mark?: Judgement;
}

const GO = 'the go command, which would not unpack it';
const MARK = 'its .ziphash';

/** Judges a zip together with its mark: the zip is read once, in ranges. */
export async function judgeZip(file: ZipToJudge): Promise<JudgedZip> {
  const { expected, mark, source } = file;
  const marked = mark && parseMark(mark);
  const hashed = await hashZip(source, {
    check: (entries) =>
      checkModuleZip(entries, { prefix: `${file.module}@${file.version}/`, size: source.size }),
    onProgress: file.onBytes,
  });
  const found = hashed.kind === 'hashed' ? hashed.h1 : undefined;
  const zip =
    hashed.kind === 'broken'
      ? brokenZip(hashed.reason, { expected, marked })
      : judgeHash(hashed.h1, { expected, marked });
  return { zip, ...(mark ? { mark: judgeMark(mark, { expected, found }) } : {}) };
}

interface Hashes {
  readonly expected: Expected;
  readonly marked: string | undefined;
}

function brokenZip(reason: string, { expected, marked }: Hashes): Judgement {
  const found = `a broken zip: ${reason}`;
  const logged = loggedHash(expected, 'zip');
  if (logged.kind === 'hash') return wrong({ expected: logged.h1, found, source: logged.database });
  return wrong({
    expected: marked ?? 'a module zip',
    found,
    source: marked === undefined ? GO : MARK,
  });
}

function judgeHash(found: string, { expected, marked }: Hashes): Judgement {
  const logged = loggedHash(expected, 'zip');
  if (logged.kind === 'hash') {
    return logged.h1 === found
      ? RIGHT
      : wrong({ expected: logged.h1, found, source: logged.database });
  }
  if (marked === undefined) return { ...UNCOVERED, ...logged.why };
  if (marked !== found) return wrong({ expected: marked, found, source: MARK });
  return { verdict: 'marked', ...logged.why };
}

/** What a mark is compared with. */
export interface MarkedZip {
  readonly expected: Expected;
  /** The hash of the zip itself, if it has one. */
  readonly found: string | undefined;
}

/** Judges a mark: by the log, else by the zip beside it. */
export function judgeMark(mark: Uint8Array, { expected, found }: MarkedZip): Judgement {
  const marked = parseMark(mark);
  const shown = marked ?? JSON.stringify(new TextDecoder().decode(mark.subarray(0, 80)));
  const logged = loggedHash(expected, 'zip');
  if (logged.kind === 'hash') {
    return marked === logged.h1
      ? RIGHT
      : wrong({ expected: logged.h1, found: shown, source: logged.database });
  }
  if (marked === undefined) {
    return wrong({
      expected: found ?? 'an h1: hash',
      found: shown,
      source: 'the form of a .ziphash',
    });
  }
  // Where a mark and its zip differ and there is no third hash, the zip was found wrong, and the
  // mark is removed with it.
  return marked === found ? { verdict: 'marked', ...logged.why } : { ...UNCOVERED, ...logged.why };
}

/**
 * The hash in a `.ziphash`, as the go command reads it (cmd/go/internal/modfetch, haveZip); white
 * space around it is ignored.
 */
function parseMark(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(bytes).trim();
  return isH1(text) ? text : undefined;
}
