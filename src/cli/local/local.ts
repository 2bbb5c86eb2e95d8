import { join } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from 'wrangler';
import { VARIABLE_NAMES } from '../../config/config.ts';
import { secretNames } from '../../config/origins-syntax.ts';
import type { Variables } from '../../config/variables.ts';
import { endWorkerdWithThisProcess } from './workerd-path.ts';

const WRANGLER_TOML = join(import.meta.dirname, '..', '..', '..', 'wrangler.toml');

/** The variables of wrangler.toml, each overridden by an environment variable of the same name. */
export function localVariables(
  environment: Readonly<Record<string, string | undefined>>,
): Variables {
  const configured: Variables = unstable_readConfig({ config: WRANGLER_TOML }).vars;
  const known = Object.fromEntries(
    VARIABLE_NAMES.flatMap((name) => {
      const value = environment[name] ?? configured[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const secrets = secretNames(known['ORIGINS']).flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...known, ...Object.fromEntries(secrets) };
}

export interface LocalOptions {
  readonly port: number;
  /** Where R2, KV and the Cache API keep their files. */
  readonly stateDirectory: string;
  /** The variables of the Worker; they are not checked here. */
  readonly variables: Variables;
  /** The built Worker. */
  readonly script: string;
  /** Called with each line of the Worker's log. Default: it goes to standard output. */
  readonly onLog?: ((line: string) => void) | undefined;
  /** Bindings to leave out, to test the proxy without them. */
  readonly without?: readonly ('FILES' | 'META')[] | undefined;
  /** The port of workerd's inspector, 0 for a free one. Default: there is no inspector. */
  readonly inspectorPort?: number | undefined;
}

/**
 * Runs a Worker in workerd, with the local simulations of its bindings. The caller disposes of the
 * instance.
 */
export async function startLocally(
  options: LocalOptions,
): Promise<{ readonly miniflare: Miniflare; readonly url: URL }> {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(WRANGLER_TOML);
  const without = (bindings: unknown) =>
    Object.fromEntries(
      Object.entries(bindings ?? {}).filter(
        ([name]) => !options.without?.some((absent) => absent === name),
      ),
    );
  const { inspectorPort, onLog } = options;
  endWorkerdWithThisProcess();
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: options.port,
      ...(inspectorPort === undefined ? {} : { inspectorPort }),
      log: new Log(LogLevel.ERROR),
      cf: false,
      workers: [
        {
          ...workerOptions,
          name: 'modferry',
          bindings: Object.fromEntries(
            Object.entries(options.variables).map(([name, value]) => [name, String(value)]),
          ),
          kvNamespaces: without(workerOptions.kvNamespaces),
          r2Buckets: without(workerOptions.r2Buckets),
          modules: [{ type: 'ESModule', path: 'worker.js', contents: options.script }],
        },
      ],
    }),
    ...(onLog
      ? { handleStructuredLogs: ({ message }: { message: string }) => onLog(message) }
      : {}),
    resourcePersistencePath: options.stateDirectory,
  });
  return { miniflare, url: await miniflare.ready };
}
