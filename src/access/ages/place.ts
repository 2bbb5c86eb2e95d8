import { failed, type Result, success } from '../../effects/result.ts';
import type { ModulePath } from '../../module/module-path.ts';
import { escapeModulePath } from '../../module/module-path.ts';
import type { OwnDocumentKind } from '../../store/own-document.ts';
import type { Age } from '../policy/age.ts';

/** What the age of a version counts from. It never changes, but for what was not known of it. */
export interface Place {
  /** Name of the database whose log has the version. */
  readonly database: string;
  /** The number of its record there. */
  readonly record: number;
  /** When a tree with the record was first observed, in milliseconds since the epoch. */
  readonly observedAt: number;
  /**
   * Of a record that every observation has: the Time of its `.info`, `unread` as long as that could
   * not be read. Undefined for every other record.
   */
  readonly infoAt: number | 'unread' | undefined;
}

/** Whether the `.info` has a say, and was not read yet. */
export function needsInfo(place: Place, minAgeMs: number, now: number): boolean {
  return place.infoAt === 'unread' && now < place.observedAt + minAgeMs;
}

/**
 * The age of the version with this place.
 *
 * Let S be the largest tree that was observed at least `minAgeMs` ago. The record is below S if and
 * only if the first tree that has it was observed so long ago. A record that the very first
 * observation has is old by the Time of its `.info` too, until that observation makes it old anyway.
 */
export function ageOf(place: Place, minAgeMs: number, now: number): Age {
  const { infoAt, observedAt } = place;
  const since = typeof infoAt === 'number' ? Math.min(observedAt, infoAt) : observedAt;
  const from = since + minAgeMs;
  return now >= from ? { kind: 'old' } : { kind: 'young', from };
}

/** What two isolates know of a version. */
export function mergedPlace(one: Place, other: Place): Place {
  if (one.database !== other.database || one.record !== other.record) return other;
  return {
    ...one,
    observedAt: Math.min(one.observedAt, other.observedAt),
    infoAt: mergedInfo(one.infoAt, other.infoAt),
  };
}

/** Where one isolate knows an observation without the record, the `.info` has no say. */
function mergedInfo(one: Place['infoAt'], other: Place['infoAt']): Place['infoAt'] {
  if (one === undefined || other === undefined) return undefined;
  return one === 'unread' ? other : one;
}

const VERSION = 1;

/** The document with the places of a module's versions. Each is parsed when it is asked for. */
export interface PlacesDocument {
  readonly version: typeof VERSION;
  readonly places: Readonly<Record<string, unknown>>;
}

export function placesKind(module: ModulePath): OwnDocumentKind<PlacesDocument> {
  return {
    name: `ages/${escapeModulePath(module)}.json`,
    empty: { version: VERSION, places: {} },
    parse: parseDocument,
  };
}

function parseDocument(json: unknown): Result<PlacesDocument> {
  return isRecord(json) && json['version'] === VERSION && isRecord(json['places'])
    ? success({ version: VERSION, places: json['places'] })
    : failed('It is damaged, or from a newer release of modferry');
}

function isRecord(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** A place as the document has it: short, as a module may have a thousand of them. */
export function formatPlace({ database, infoAt, observedAt, record }: Place): unknown {
  const place = [database, record, observedAt];
  return infoAt === undefined ? place : [...place, infoAt];
}

/** Undefined for what is no place: the version is looked up again. */
export function parsePlace(json: unknown): Place | undefined {
  if (!Array.isArray(json)) return undefined;
  const [database, record, observedAt, infoAt]: unknown[] = json;
  if (typeof database !== 'string' || !isNumber(record) || !isNumber(observedAt)) return undefined;
  if (infoAt !== undefined && infoAt !== 'unread' && !isNumber(infoAt)) return undefined;
  return { database, record, observedAt, infoAt };
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}
