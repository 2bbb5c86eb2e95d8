import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { inject } from 'vitest';
import { compiledModules } from '../../src/cli/local/build.ts';
import { readSettings } from '../../src/cli/local/read-settings.ts';

/**
 * The built Worker behind another one, which can abort a request to it. Local workerd does not
 * report a client that disconnects before the headers; a caller by service binding it does.
 */
export interface BehindFront {
  readonly url: string;
  readonly miniflare: Miniflare;
  /** What workerd and both Workers logged. */
  readonly log: readonly string[];
  close(): Promise<void>;
}

/** The header of a request whose client leaves when it is told to: its value is a name. */
export const LEAVER = 'Leaver';
/** The path to which the name of the client is posted that leaves now. */
export const LEAVE_PATH = '/-/leave';
/** The status for a client that left. */
export const LEFT = 499;

const FRONT = `
  const told = new Set();

  async function leaveWhenTold(name, client) {
    while (!told.has(name)) await new Promise((resolve) => setTimeout(resolve, 5));
    client.abort();
  }

  export default {
    async fetch(request, env) {
      if (new URL(request.url).pathname === '${LEAVE_PATH}') {
        told.add(await request.text());
        return new Response();
      }
      const name = request.headers.get('${LEAVER}');
      if (name === null) return env.MODFERRY.fetch(request);
      const client = new AbortController();
      leaveWhenTold(name, client);
      try {
        return await env.MODFERRY.fetch(request.url, { signal: client.signal });
      } catch {
        return new Response(null, { status: ${LEFT} });
      }
    },
  };
`;

/** Without files, and with `variables` alone. */
export async function startBehindFront(
  variables: Readonly<Record<string, string>>,
): Promise<BehindFront> {
  const { worker } = await readSettings();
  const modferry = inject('workerScript');
  const log: string[] = [];
  const compiled = await compiledModules(modferry);
  const script = (name: string, contents: string) => ({
    ...worker,
    name,
    modules: [{ type: 'ESModule' as const, path: `${name}.js`, contents }, ...compiled],
  });
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: 0,
      log: new Log(LogLevel.ERROR),
      cf: false,
      workers: [
        { ...script('front', FRONT), serviceBindings: { MODFERRY: 'modferry' } },
        { ...script('modferry', modferry), bindings: variables },
      ],
    }),
    handleStructuredLogs: ({ message }: { message: string }) => log.push(message),
  });
  const url = await miniflare.ready;
  return { url: url.origin, miniflare, log, close: () => miniflare.dispose() };
}
