import { randomUUID } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import { createModferry } from '../../modferry.ts';
import { processBackground } from '../../platform/node/background.ts';
import { nodeRuntime } from '../../platform/node/runtime.ts';
import type { Ask } from '../../sumdb/log/remote-reader.ts';

/**
 * Asks databases over the network, as modferry does for its clients. `stopped` ends every request.
 */
export function askDatabases(config: Config, stopped: AbortSignal): Ask {
  const { open } = createModferry(config, {
    ...nodeRuntime({ signal: stopped }),
    sink: () => {}, // the report has the reason why a database could not be asked
  });
  const incoming = { region: {}, signal: stopped, background: processBackground };
  return (origins, question) => {
    // Each question has the time that a request of a client has, TIMEOUT_TOTAL.
    const { context } = open(incoming, randomUUID());
    return context.origins.ask(origins, question);
  };
}
