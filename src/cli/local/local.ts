import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import type { Variables } from '../../config/variables.ts';
import { compiledModules } from './build.ts';
import type { Certificate } from './certificate.ts';
import type { Region } from '../../origins/race/order.ts';
import { frontWorker } from './front.ts';
import { readSettings } from './read-settings.ts';
import { openTls } from './tls.ts';
import { endWorkerdWithThisProcess } from './workerd-path.ts';

export interface LocalOptions {
  readonly port: number;
  /** Default: it listens with plain http. */
  readonly certificate?: Certificate | undefined;
  /** Where R2, KV and the Cache API keep their files. */
  readonly stateDirectory: string;
  /** The variables of the Worker; they are not checked here. */
  readonly variables: Variables;
  /** The built Worker. */
  readonly script: string;
  /**
   * Called with each line of the Worker's log, and the time at which it was written. Default: it
   * goes to standard output.
   */
  readonly onLog?: ((line: string, time: number) => void) | undefined;
  /** Where requests seem to arrive. Default: nowhere that is known. */
  readonly region?: Region | undefined;
  /** Bindings to leave out, to test the proxy without them. */
  readonly without?: readonly ('FILES' | 'META')[] | undefined;
  /** The port of workerd's inspector, 0 for a free one. Default: there is no inspector. */
  readonly inspectorPort?: number | undefined;
}

const HOST = '127.0.0.1';

export interface Local {
  readonly miniflare: Miniflare;
  readonly url: URL;
  close(): Promise<void>;
}

/** Runs a Worker in workerd, with the local simulations of its bindings. */
export async function startLocally(options: LocalOptions): Promise<Local> {
  const { worker } = await readSettings();
  const { certificate, inspectorPort, onLog, port, region = {} } = options;
  const without = <Resource>(bindings: Readonly<Record<string, Resource>>) =>
    Object.fromEntries(
      Object.entries(bindings).filter(
        ([name]) => !options.without?.some((absent) => absent === name),
      ),
    );
  // The cron runs before the first request, and both keep what they share under one name.
  const CACHE_HOST = options.variables['CACHE_HOST'] || HOST;
  const variables: Variables = { ...options.variables, CACHE_HOST };
  endWorkerdWithThisProcess();
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      host: HOST,
      port: 0,
      ...(inspectorPort === undefined ? {} : { inspectorPort }),
      log: new Log(LogLevel.ERROR),
      cf: false,
      workers: [
        {
          ...worker,
          name: 'modferry',
          bindings: Object.fromEntries(
            Object.entries(variables).map(([name, value]) => [name, String(value)]),
          ),
          kvNamespaces: without(worker.kvNamespaces),
          r2Buckets: without(worker.r2Buckets),
          modules: [
            { type: 'ESModule', path: 'worker.js', contents: options.script },
            ...(await compiledModules(options.script)),
          ],
        },
        {
          ...frontWorker({
            host: HOST,
            port: certificate ? 0 : port,
            isTls: certificate !== undefined,
            region,
          }),
          compatibilityDate: worker.compatibilityDate,
        },
      ],
    }),
    ...(onLog && {
      handleStructuredLogs: ({ message, timestamp }: { message: string; timestamp: number }) =>
        onLog(message, timestamp),
    }),
    resourcePersistencePath: options.stateDirectory,
  });
  const url = await miniflare.unsafeGetDirectURL('front');
  if (!certificate) return { miniflare, url, close: () => miniflare.dispose() };
  const tls = await openTls({ ...certificate, host: HOST, port, target: Number(url.port) });
  return {
    miniflare,
    url: new URL(`https://${HOST}:${tls.port}`),
    async close() {
      await tls.close();
      await miniflare.dispose();
    },
  };
}
