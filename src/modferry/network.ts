import type { Config } from '../config/config.ts';
import { Connections } from '../effects/connections.ts';
import type { TroubleEvent } from '../effects/emit.ts';
import { decodedDriver } from '../origins/request/decoded-driver.ts';
import type { OpenDriver } from '../origins/request/driver.ts';
import { httpDriver } from '../origins/request/http-driver.ts';
import { OwnHostGuard } from '../origins/request/own-host.ts';
import type { CarrierSupport } from '../sumdb/carrier-support.ts';
import type { Runtime } from './runtime.ts';

/** What one invocation asks origins with. */
export interface Network {
  readonly connections: Connections;
  readonly openDriver: OpenDriver;
}

/** `host` is the name by which the invocation reached modferry, where that is known. */
export type OpenNetwork = (host: string | undefined, requestId: string) => Network;

/**
 * Returns the function that opens the connections of one invocation, and the drivers that use them.
 * The platform's refusal of a call is logged here, once.
 */
export function networkOpener(
  { externalCalls }: Config,
  runtime: Pick<Runtime, 'clock' | 'fetch' | 'sink'> & { readonly carrierSupport: CarrierSupport },
): OpenNetwork {
  const { carrierSupport, clock, fetch, sink } = runtime;
  const ownHost = new OwnHostGuard();
  return function openNetwork(host, requestId) {
    const emit = (event: TroubleEvent) => sink(event, requestId);
    const connections = new Connections({
      externalCalls,
      onRefused: ({ message: error }) =>
        emit({ event: 'trouble', label: 'limit of the platform', error }),
    });
    const counted: Runtime['fetch'] = (url, init) =>
      connections.call('external', () => fetch(url, init));
    const openDriver: OpenDriver = (origin) => {
      const driver = httpDriver(origin, { fetch: counted, clock });
      return origin.isDecoded ? decodedDriver(driver) : driver;
    };
    return {
      connections,
      openDriver: carrierSupport.openDriver(ownHost.openDriver(openDriver, host, emit)),
    };
  };
}
