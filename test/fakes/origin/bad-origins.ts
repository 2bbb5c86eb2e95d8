import type { FakeServer } from './fake-server.ts';
import type { Fault } from './faults.ts';
import type { FakeModule } from './module.ts';
import { startOrigin } from './origin.ts';
import { type RawServer, startPacketDrop, startSilentTLS, startTLSGarbage } from './raw-servers.ts';

/** A fault that is switched on and off at one address. `mendServer` switches it off. */
export interface PassingFault {
  readonly name: string;
  readonly recovers: true;
  /** The fault of every request; `refused` refuses every connection. */
  readonly fault: Fault | 'refused';
}

/** A fault of the address itself, which cannot be switched off. */
export interface LastingFault {
  readonly name: string;
  readonly recovers: false;
  readonly start: () => Promise<RawServer>;
}

export type OriginFault = PassingFault | LastingFault;

/** The faults that can be switched off. */
export const PASSING_FAULTS: readonly PassingFault[] = [
  { name: 'refused', recovers: true, fault: 'refused' },
  { name: 'accepts, never answers', recovers: true, fault: 'hang' },
  { name: 'headers after 20 s', recovers: true, fault: { 'delay-headers': 20_000 } },
  { name: 'body of 1 byte a second', recovers: true, fault: { drip: { bytesPerSecond: 1 } } },
  { name: 'freeze after 16 KiB of body', recovers: true, fault: { 'freeze-after': 16_384 } },
  { name: 'reset in mid-body', recovers: true, fault: 'truncate' },
  { name: 'status 500', recovers: true, fault: 500 },
  { name: 'status 502', recovers: true, fault: 502 },
  { name: 'status 403', recovers: true, fault: 403 },
  { name: 'status 429, Retry-After: 30', recovers: true, fault: busy() },
  { name: 'HTML with status 200', recovers: true, fault: 'html' },
  { name: 'redirect loop', recovers: true, fault: 'redirect-loop' },
  { name: 'wrong bytes', recovers: true, fault: 'tampered' },
];

/**
 * The faults of an origin as a whole. The last four do not recover at their address: https needs a
 * certificate that workerd trusts, a name of `.invalid` never resolves (RFC 6761, section 6.4), and
 * the listener that drops packets never accepts a connection.
 */
export const ORIGIN_FAULTS: readonly OriginFault[] = [
  ...PASSING_FAULTS,
  { name: 'packets dropped', recovers: false, start: startPacketDrop },
  { name: 'TLS handshake never answered', recovers: false, start: startSilentTLS },
  { name: 'TLS garbage', recovers: false, start: startTLSGarbage },
  { name: 'name that does not resolve', recovers: false, start: async () => NO_SUCH_HOST },
];

const NO_SUCH_HOST: RawServer = {
  url: 'https://no-such-host.invalid:8080',
  connections: () => 0,
  close: async () => undefined,
};

function busy(): Fault {
  return { status: 429, headers: { 'retry-after': '30' }, text: 'too many requests' };
}

/** The fault of that name; throws when there is none. */
export function originFault(name: string): OriginFault {
  const found = ORIGIN_FAULTS.find((fault) => fault.name === name);
  if (found === undefined) throw new Error(`Cannot find the fault "${name}" in ORIGIN_FAULTS`);
  return found;
}

/** Switches a fault on for every request from now on. `refused` also breaks open connections. */
export async function breakServer(server: FakeServer, { fault }: PassingFault): Promise<void> {
  if (fault === 'refused') await server.stop();
  else server.fault(fault);
}

/** Switches a fault off. It still applies to earlier requests. */
export async function mendServer(server: FakeServer, { fault }: PassingFault): Promise<void> {
  if (fault === 'refused') await server.restart();
  else server.fault(undefined);
}

/** An origin with a fault, the first one of a list. */
export interface BadOrigin {
  readonly url: string;
  /** The number of requests, or of connections where the fault is below HTTP. */
  asked(): number;
  /** The decoded paths of the requests. */
  paths(): readonly string[];
  /** Switches the fault off at the same address. Rejects for a lasting fault. */
  mend(): Promise<void>;
  /** Switches the fault on again. */
  break(): Promise<void>;
  close(): Promise<void>;
}

/** Starts an origin with `modules` and with the fault from the first request on. */
export async function startBadOrigin(
  fault: OriginFault,
  options: { readonly modules: readonly FakeModule[] },
): Promise<BadOrigin> {
  if (!fault.recovers) return lastingOrigin(fault);
  const origin = await startOrigin(options);
  await breakServer(origin, fault);
  return {
    url: origin.url,
    asked: () => origin.requests.length,
    paths: () => origin.requests.map(({ path }) => path),
    mend: () => mendServer(origin, fault),
    break: () => breakServer(origin, fault),
    close: () => origin.close(),
  };
}

async function lastingOrigin(fault: LastingFault): Promise<BadOrigin> {
  const server = await fault.start();
  const mend = () => Promise.reject(new Error(`Cannot mend "${fault.name}" at the same address`));
  return {
    url: server.url,
    asked: () => server.connections(),
    paths: () => [],
    mend,
    break: async () => undefined,
    close: () => server.close(),
  };
}
