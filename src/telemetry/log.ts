import type { Source } from '../mirror/outcome.ts';
import type { Effort } from '../origins/race/answer.ts';
import type { ModferryEvent, RequestEvent, Sink } from './event.ts';

/** The sink that writes each event as one line of JSON. */
export function logSink(writeLine: (line: string) => void): Sink {
  return (event, requestId) => writeLine(JSON.stringify(lineOf(event, requestId)));
}

/** The fields of a log line. Operators query these names: renaming one breaks their alerts. */
function lineOf(event: ModferryEvent, request: string | undefined): object {
  switch (event.event) {
    case 'request':
      return requestLine(event, request);
    case 'trouble': {
      const { label, error } = event;
      return { event: 'trouble', request, label, message: messageOf(error) };
    }
    case 'security': {
      const { event: name, ...facts } = event;
      // Alerts match `"event":"security"` and read the hashes at the top level.
      const { hashes, ...rest } = 'hashes' in facts ? facts : { ...facts, hashes: {} };
      return { event: name, request, ...rest, ...hashes };
    }
    case 'probe':
    case 'note':
    case 'store check':
      return event;
    case 'admin':
    case 'resume':
      return { ...event, request };
  }
}

function requestLine(
  { source, region, ...event }: RequestEvent,
  request: string | undefined,
): object {
  const { event: name, text, ...rest } = event;
  return { event: name, request, ...rest, ...sourceFields(source), ...region, text };
}

function sourceFields(source: Source): object {
  switch (source.from) {
    case 'local':
      return { tier: 'local' };
    case 'store':
      return {
        tier: source.tier,
        origin: source.origin,
        ...(source.effort && effortFields(source.effort)),
        stale: source.isStale ? true : undefined,
      };
    case 'origin':
      return { tier: 'origin', origin: source.origin, ...effortFields(source.effort) };
  }
}

function effortFields({ attempts, breakers, hedged }: Effort): object {
  return {
    attempts,
    hedged: hedged ? true : undefined,
    breakers: Object.keys(breakers).length > 0 ? breakers : undefined,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
