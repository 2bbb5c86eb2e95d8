import type { ResumeEvent } from '../origins/race/race-entry.ts';
import type { RequestEvent } from './event.ts';
import type { SecurityEvent } from './security-event.ts';

/** Writes one line of JSON. */
export type WriteLine = (line: string) => void;

/** The log of a Worker is its console; Workers Logs index the fields of a JSON line. */
export const writeLine: WriteLine = (line) => {
  // oxlint-disable-next-line no-console -- the only place
  console.log(line);
};

/** The log line of a request. */
export function logRequest(write: WriteLine, event: RequestEvent): void {
  const { source, region, requestId, text, ...rest } = event;
  write(
    JSON.stringify({
      event: 'request',
      request: requestId,
      ...rest,
      tier: source.tier,
      ...(source.origin === undefined ? {} : { origin: source.origin }),
      ...tookOf(source),
      ...region,
      ...(text === undefined ? {} : { text }),
    }),
  );
}

function tookOf({ attempts, breakers, hedged, stale }: RequestEvent['source']): object {
  return {
    ...(attempts === undefined ? {} : { attempts }),
    ...(hedged ? { hedged } : {}),
    ...(breakers ? { breakers } : {}),
    ...(stale ? { stale } : {}),
  };
}

/** The log line of what the operator should know of the configuration. */
export function logNote(write: WriteLine, text: string): void {
  write(JSON.stringify({ event: 'note', text }));
}

/** The log line of what an operator must hear of; alerts look for `"event":"security"`. */
export function logSecurity(write: WriteLine, event: SecurityEvent, requestId: string): void {
  const { kind, ...rest } = event;
  const { hashes, ...facts } = 'hashes' in rest ? rest : { ...rest, hashes: {} };
  write(JSON.stringify({ event: 'security', request: requestId, kind, ...facts, ...hashes }));
}

/** The log line of a body that broke off. */
export function logResume(write: WriteLine, event: ResumeEvent, requestId: string): void {
  write(JSON.stringify({ event: 'resume', request: requestId, ...event }));
}

/**
 * The log line of something that went wrong beside the answer: a tier that failed, a fill that
 * broke off.
 */
export function logTrouble(
  write: WriteLine,
  label: string,
  error: unknown,
  requestId?: string,
): void {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  write(
    JSON.stringify({
      event: 'trouble',
      ...(requestId ? { request: requestId } : {}),
      label,
      message,
    }),
  );
}
