import type {
  CacheStore,
  DurableStore,
  NearStore,
  NegativeEntry,
  StoredFile,
  FileToStore,
} from './contract.ts';

/** The tiers of a deployment. Each of them may be absent. */
export interface Tiers {
  readonly near?: NearStore | undefined;
  readonly world?: CacheStore | undefined;
  readonly durable?: DurableStore | undefined;
}

/** A stored file, and the label of the tier that had it. */
export interface Hit {
  readonly file: StoredFile;
  readonly tier: string;
}

/** A negative entry, and the label of the tier that had it. */
export interface NegativeHit {
  readonly missing: NegativeEntry;
  readonly tier: string;
}

/** A stored file in memory, and the label of the tier that had it. */
export interface WholeHit {
  readonly file: FileToStore;
  readonly tier: string;
}
