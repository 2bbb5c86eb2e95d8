import type {
  DurableStore,
  FileToStore,
  NearStore,
  NegativeEntry,
  StoredFile,
  WorldStore,
} from './contract.ts';

/** The tiers of a deployment. Each of them may be absent. */
export interface Tiers {
  readonly near?: NearStore | undefined;
  readonly world?: WorldStore | undefined;
  readonly durable?: DurableStore | undefined;
}

/** A stored file, and the label of the tier that had it. */
export interface Hit {
  readonly kind: 'file';
  readonly file: StoredFile;
  readonly tier: string;
}

/** A negative entry, and the label of the tier that had it. */
export interface NegativeHit {
  readonly kind: 'missing';
  readonly missing: NegativeEntry;
  /** When the origin was asked, in milliseconds since the epoch. */
  readonly asOf: number;
  readonly tier: string;
}

/** A stored file in memory, and the label of the tier that had it. */
export interface WholeHit {
  readonly file: FileToStore;
  readonly tier: string;
}
