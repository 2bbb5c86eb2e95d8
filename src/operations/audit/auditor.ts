import { matches, type Patterns } from '../../module/patterns.ts';
import type { ModulePath } from '../../module/module-path.ts';
import type { Checksums, Expected } from '../../mirror/verification.ts';
import type { Version } from '../../module/version.ts';
import { versionKey } from '../../store/key.ts';
import { createChecksums } from '../../sumdb/checksums.ts';
import type { Database } from '../../sumdb/database.ts';
import type { ZipSource } from '../../zip/read/source.ts';
import { type AuditedFile, classify } from './audited-file.ts';
import { judgeInfo, judgeLookup, judgeMod, judgeMutable, judgeTreeHead } from './judge-small.ts';
import { judgeTile } from './judge-tile.ts';
import { judgeMark, judgeZip } from './judge-zip.ts';
import { count, countOther, type Progress } from './progress.ts';
import { type ReadRemote, StoredLog, type StoredLogOptions } from './stored-log.ts';
import type { Survey } from './survey.ts';
import type { AuditedTree, ListedFile } from './tree.ts';
import { type Judgement, type Kind, UNCOVERED, wrong } from './verdict.ts';

/**
 * Of all files but zips: they are read whole. A go.mod may have as much (golang.org/x/mod/zip
 * MaxGoMod).
 */
const MAX_SMALL_BYTES = 16 * 1024 * 1024;

export interface AuditorOptions {
  readonly databases: readonly Database[];
  /** Modules that no database is asked about. */
  readonly unlogged: Patterns;
  /** Asks a database over the network. Absent offline. */
  readonly readRemote?: ReadRemote | undefined;
  readonly survey: Survey;
  /** Told how many bytes of the zip at hand were read. */
  readonly onBytes: (bytes: number) => void;
  /** Called before each part of a zip is read; may throw to end the audit there. */
  readonly onRead: () => void;
}

interface OpenLog {
  readonly options: StoredLogOptions;
  readonly log: StoredLog;
}

/** Judges one file after the other, and writes into `progress` what came of it. */
export class Auditor {
  readonly #tree: AuditedTree;
  readonly #progress: Progress;
  readonly #options: AuditorOptions;
  readonly #logs: ReadonlyMap<string, OpenLog>;
  readonly #checksums: Checksums;
  /** The last answer of the databases: the files of a version follow one another. */
  #asked: { readonly key: string; readonly expected: Expected } | undefined;

  constructor(tree: AuditedTree, progress: Progress, options: AuditorOptions) {
    const { databases, readRemote, survey, unlogged } = options;
    this.#tree = tree;
    this.#progress = progress;
    this.#options = options;
    this.#logs = new Map(
      databases.map((database) => {
        const heads = survey.heads.get(database.name) ?? [];
        const log = { database, tree, heads, readRemote };
        return [database.name, { options: log, log: new StoredLog(log) }];
      }),
    );
    const asked = [...this.#logs].map(([name, { log }]) => ({ name, client: log }));
    this.#checksums = createChecksums(asked, { unlogged });
  }

  /** Judges a file. Rejects when the tree cannot be read; nothing is counted then. */
  async judge({ key, size }: ListedFile): Promise<void> {
    const progress = this.#progress;
    if (key !== progress.judgedMark) {
      progress.judgedMark = undefined;
      const file = classify(key, this.#options.databases);
      if (file.kind === 'ignored' || file.kind === 'unknown') countOther(progress, key, file.kind);
      else if (file.kind === 'zip') await this.#judgeZip(key, file);
      else await this.#judgeSmall({ key, size }, file);
    }
    progress.files += 1;
    progress.bytes += size;
    progress.last = key;
  }

  async #judgeSmall({ key, size }: ListedFile, file: SmallFile): Promise<void> {
    const kind = kindOf(file);
    if (size > MAX_SMALL_BYTES) {
      const judgement = wrong({
        expected: `at most ${MAX_SMALL_BYTES} bytes`,
        found: `${size} bytes`,
        source: 'the size of such files',
      });
      return count(this.#progress, { key, kind, judgement });
    }
    const bytes = await this.#tree.read(key);
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
        return judgeTile(file.tile, bytes, this.#log(file.database).options);
      case 'tree head':
        return judgeTreeHead(bytes, { database: file.database, log: this.#log(file.database).log });
      case 'lookup': {
        // Not even the tiles that would prove it are asked of a database.
        if (matches(this.#options.unlogged, file.module)) return UNCOVERED;
        const { log } = this.#log(file.database);
        return judgeLookup(await log.proveLookup(bytes, file.module, file.version), file.database);
      }
    }
  }

  async #judgeZip(
    key: string,
    { module, version }: Extract<AuditedFile, { kind: 'zip' }>,
  ): Promise<void> {
    const markKey = versionKey(module, version, 'ziphash');
    const source = await this.#tree.open(key);
    if (!source) return;
    const judged = await judgeZip({
      source: interruptible(source, this.#options.onRead),
      module,
      version,
      expected: await this.#expect(module, version),
      mark: await this.#tree.read(markKey),
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

  #log({ name }: Database): OpenLog {
    const log = this.#logs.get(name);
    if (!log) throw new Error(`Cannot find the log of ${name}`);
    return log;
  }
}

type SmallFile = Exclude<AuditedFile, { kind: 'zip' | 'ignored' | 'unknown' }>;

function kindOf({ kind }: SmallFile): Kind {
  if (kind === 'list' || kind === 'latest' || kind === 'query') return 'mutable';
  return kind === 'other log' ? 'lookup' : kind;
}

/** A zip whose reading ends as soon as the audit does. */
function interruptible(source: ZipSource, onRead: () => void): ZipSource {
  const { readInto } = source;
  return {
    size: source.size,
    read(offset, length) {
      onRead();
      return source.read(offset, length);
    },
    ...(readInto && {
      readInto(offset, length, memory) {
        onRead();
        return readInto.call(source, offset, length, memory);
      },
    }),
  };
}
