import { failed, type Result, success } from '../../effects/result.ts';
import type { OwnDocumentKind } from '../../store/own-document.ts';
import type { Observation, Observations } from './observations.ts';

const VERSION = 1;

/** The document with the observations of a database's log, each as `[size, time]`. */
export interface LogDocument {
  readonly version: typeof VERSION;
  readonly observations: readonly (readonly [size: number, at: number])[];
}

/** The document of the database with this name, which may contain slashes. */
export function logDocumentKind(database: string): OwnDocumentKind<LogDocument> {
  return {
    name: `log/${encodeURIComponent(database)}.json`,
    empty: documentOf([]),
    parse: parseDocument,
  };
}

export function documentOf(observations: Observations): LogDocument {
  return { version: VERSION, observations: observations.map(({ at, size }) => [size, at]) };
}

export function observationsOf({ observations }: LogDocument): Observations {
  return observations.map(([size, at]) => ({ size, at }));
}

/** A document that cannot be read counts as unknown: as an empty one it would make versions old. */
function parseDocument(json: unknown): Result<LogDocument> {
  const parsed =
    isRecord(json) && json['version'] === VERSION && Array.isArray(json['observations'])
      ? json['observations'].map(parseObservation)
      : undefined;
  const observations = parsed?.flatMap((one) => one ?? []);
  return observations && observations.length === parsed?.length
    ? success(documentOf(observations))
    : failed('It is damaged, or from a newer release of modferry');
}

function parseObservation(json: unknown): Observation | undefined {
  if (!Array.isArray(json) || json.length !== 2) return undefined;
  const [size, at]: unknown[] = json;
  return Number.isSafeInteger(size) && Number.isFinite(at)
    ? { size: Number(size), at: Number(at) }
    : undefined;
}

function isRecord(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null;
}
