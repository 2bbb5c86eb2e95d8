import { LimitError } from '../effects/connections.ts';
import type { Emit } from '../effects/emit.ts';
import type { ModferryEvent, Sink } from '../telemetry/event.ts';

/** The sink without the troubles of calls that the platform refused: these are logged once. */
export function withoutRefusals(sink: Sink): Sink {
  return (event, requestId) => {
    const isRefusal = event.event === 'trouble' && event.error instanceof LimitError;
    if (!isRefusal) sink(event, requestId);
  };
}

/** Passes events on, and of the troubles of one request each once. */
export function withoutRepetition(emit: Emit<ModferryEvent>): Emit<ModferryEvent> {
  const reported = new Set<string>();
  return (event) => {
    const trouble = event.event === 'trouble' ? `${event.label} ${String(event.error)}` : undefined;
    if (trouble !== undefined && reported.has(trouble)) return;
    if (trouble !== undefined) reported.add(trouble);
    emit(event);
  };
}
