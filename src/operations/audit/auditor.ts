import { MAX_SMALL_FILE_BYTES } from '../../goproxy/check-answer.ts';
import { matches, type Patterns } from '../../module/patterns.ts';
import type { ModulePath } from '../../module/module-path.ts';
import type { Version } from '../../module/version.ts';
import type { ListedFile } from '../../store/contract.ts';
import { listedKey, type StoreKey, versionKey } from '../../store/key.ts';
import type { RangedFile } from '../../store/ranged-file.ts';
import { openRanged, readWhole, type StoredTree } from '../../store/stored-tree.ts';
import { type Checksums, createChecksums, type Expected } from '../../sumdb/checksums.ts';
import type { Database } from '../../sumdb/database.ts';
import type { Ask } from '../../sumdb/log/remote-reader.ts';
import type { ByteSource } from '../../bytes/byte-source.ts';
import { type AuditedFile, classify } from './audited-file.ts';
import { judgeInfo, judgeLookup, judgeMod, judgeMutable, judgeTreeHead } from './judge-small.ts';
import { judgeTile } from './judge-tile.ts';
import { judgeMark, judgeZip } from './judge-zip.ts';
import { count, countOther, type Progress } from './progress.ts';
import { StoredLog } from './stored-log.ts';
import type { Survey } from './survey.ts';
import { type Judgement, type Kind, UNCOVERED, wrong } from './verdict.ts';

/** The checksum databases that files are compared with. */
export interface DatabaseAccess {
  readonly databases: readonly Database[];
  /** Modules that no database is asked about. */
  readonly withoutChecksums: Patterns;
  /** Asks databases over the network. Absent offline. */
  readonly ask?: Ask | undefined;
}

export interface AuditorOptions extends DatabaseAccess {
  readonly survey: Survey;
  /** Called with the number of bytes of the current zip that were read. */
  readonly onBytes: (bytes: number) => void;
  /** Called before each part of a zip is read; may throw to end the audit there. */
  readonly onRead: () => void;
}

/** Judges one file after the other, and writes the results into `progress`. */
export class Auditor {
  readonly #tree: StoredTree;
  readonly #progress: Progress;
  readonly #options: AuditorOptions;
  readonly #logs: ReadonlyMap<string, StoredLog>;
  readonly #checksums: Checksums;
  /** The last answer of the databases: the files of a version follow one another. */
  #asked: { readonly key: string; readonly expected: Expected } | undefined;

  constructor(tree: StoredTree, progress: Progress, options: AuditorOptions) {
    const { ask, databases, survey, withoutChecksums } = options;
    this.#tree = tree;
    this.#progress = progress;
    this.#options = options;
    this.#logs = new Map(
      databases.map((database) => {
        const heads = survey.heads.get(database.name) ?? [];
        return [database.name, new StoredLog({ database, tree, heads, ask })];
      }),
    );
    this.#checksums = createChecksums([...this.#logs.values()], { withoutChecksums });
  }

  /** Judges a file. Rejects when the tree cannot be read; nothing is counted then. */
  async judge({ key, size }: ListedFile): Promise<void> {
    const progress = this.#progress;
    if (key !== progress.judgedMark) {
      progress.judgedMark = undefined;
      const file = classify(key, this.#options.databases);
      if (file.kind === 'ignored' || file.kind === 'unknown') countOther(progress, key, file.kind);
      else if (file.kind === 'zip') await this.#judgeZip(listedKey(key), file);
      else await this.#judgeSmall({ key: listedKey(key), size }, file);
    }
    progress.files += 1;
    progress.bytes += size;
    progress.last = key;
  }

  /** Files other than zips are read whole: the largest of them is a go.mod. */
  async #judgeSmall({ key, size }: SmallEntry, file: SmallFile): Promise<void> {
    const kind = kindOf(file);
    if (size > MAX_SMALL_FILE_BYTES) {
      const judgement = wrong({
        expected: `at most ${MAX_SMALL_FILE_BYTES} bytes`,
        found: `${size} bytes`,
        source: 'the size of such files',
      });
      return count(this.#progress, { key, kind, judgement });
    }
    const bytes = await readWhole(this.#tree, key);
    if (bytes) count(this.#progress, { key, kind, judgement: await this.#judgeBytes(bytes, file) });
  }

  async #judgeBytes(bytes: Uint8Array, file: SmallFile): Promise<Judgement> {
    switch (file.kind) {
      case 'mod':
        return judgeMod(bytes, await this.#expect(file.module, file.version));
      case 'info':
        return judgeInfo(bytes, file.version);
      case 'ziphash': // with no zip beside it
        return judgeMark(bytes, {
          expected: await this.#expect(file.module, file.version),
          found: undefined,
        });
      case 'list':
      case 'latest':
      case 'query':
        return judgeMutable(bytes, file.kind);
      case 'other log':
        return { verdict: 'uncovered', unasked: 'SUMDBS does not name its checksum database' };
      case 'tile':
        return judgeTile(file.tile, bytes, this.#log(file.database));
      case 'tree head':
        return judgeTreeHead(bytes, this.#log(file.database));
      case 'lookup': {
        // Not even the tiles that would prove it are asked of a database.
        if (matches(this.#options.withoutChecksums, file.module)) return UNCOVERED;
        const log = this.#log(file.database);
        return judgeLookup(await log.proveLookup(bytes, file.module, file.version), log);
      }
      default:
        return file satisfies never;
    }
  }

  async #judgeZip(key: StoreKey, { module, version }: ZipFile): Promise<void> {
    const markKey = versionKey(module, version, 'ziphash');
    const source = await openRanged(this.#tree, key);
    if (!source) return;
    const judged = await judgeZip({
      source: interruptible(source, this.#options.onRead),
      module,
      version,
      expected: await this.#expect(module, version),
      mark: await readWhole(this.#tree, markKey),
      onBytes: this.#options.onBytes,
    });
    count(this.#progress, { key, kind: 'zip', judgement: judged.zip, removes: [key, markKey] });
    if (!judged.mark) return;
    count(this.#progress, { key: markKey, kind: 'ziphash', judgement: judged.mark });
    this.#progress.judgedMark = markKey;
  }

  async #expect(module: ModulePath, version: Version): Promise<Expected> {
    const key = `${module}@${version}`;
    if (this.#asked?.key !== key) {
      this.#asked = { key, expected: await this.#checksums.expect(module, version) };
    }
    return this.#asked.expected;
  }

  #log({ name }: Database): StoredLog {
    const log = this.#logs.get(name);
    if (!log) throw new Error(`Cannot find the log of ${name}`);
    return log;
  }
}

/** A listed file whose key is known to be one. */
interface SmallEntry {
  readonly key: StoreKey;
  readonly size: number;
}

type ZipFile = Extract<AuditedFile, { kind: 'zip' }>;

type SmallFile = Exclude<AuditedFile, { kind: 'zip' | 'ignored' | 'unknown' }>;

function kindOf({ kind }: SmallFile): Kind {
  if (kind === 'list' || kind === 'latest' || kind === 'query') return 'mutable';
  return kind === 'other log' ? 'lookup' : kind;
}

/** A zip whose reading ends as soon as the audit does. */
function interruptible(source: RangedFile, onRead: () => void): ByteSource {
  return {
    size: source.size,
    read(offset, length) {
      onRead();
      return source.read(offset, length);
    },
    readInto(offset, length, memory) {
      onRead();
      return source.readInto(offset, length, memory);
    },
  };
}
