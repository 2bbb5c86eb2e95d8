import { parseConfig } from '../../src/config/config.ts';
import type { Variables } from '../../src/config/variables.ts';
import type { Incoming } from '../../src/http/services.ts';
import { createModferry, type Modferry } from '../../src/modferry.ts';
import type { Region } from '../../src/origins/race/order.ts';
import type { ModferryEvent, RequestEvent, Sink } from '../../src/telemetry/event.ts';
import { type FakeClock, fakeClock } from './effects/clock.ts';
import { type FakeFetch, fakeFetch } from './effects/fetch.ts';
import { memoryTiers } from './mirror/context.ts';
import { copyingPipe } from './mirror/relay.ts';
import { memoryShared } from './store/shared-state.ts';
import { TOKENS } from './tokens.ts';

export interface FakeModferry extends Modferry {
  readonly clock: FakeClock;
  readonly tiers: ReturnType<typeof memoryTiers>;
  readonly fetch: FakeFetch;
  /** What was emitted, with the id of the request in which it happened. */
  readonly events: readonly { readonly event: ModferryEvent; readonly requestId?: string }[];
  /** Asks its HTTP face for a path. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** As `request`, with GET, its body read, and all background work ended. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<FakeAnswer>;
  /** The event of the last request. */
  lastRequest(): RequestEvent | undefined;
  /** Where the events go. */
  readonly sink: Sink;
  /** What requests come with. */
  readonly incoming: Incoming;
  /** Resolves when no background work is left. */
  idle(): Promise<void>;
}

export interface FakeAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface ModferryOptions {
  /** Default: the origins `https://a.example|https://b.example`, and no checksum database. */
  readonly variables?: Variables;
  /** The scripted replies of the servers, by the start of the address. */
  readonly replies?: Parameters<typeof fakeFetch>[0];
  readonly region?: Region;
  /** The host by which requests arrive. */
  readonly host?: string;
  /** The clock and the tiers of another one, for a second isolate or a restart. */
  readonly beside?: Pick<FakeModferry, 'clock' | 'tiers'>;
}

const VARIABLES: Variables = {
  ORIGINS: 'https://a.example|https://b.example',
  SUMDBS: 'off',
  TOKENS,
};

/** modferry with tiers in memory, a scripted fetch and a clock that the test moves. */
export function fakeModferry({
  variables,
  replies = {},
  region = {},
  host,
  beside,
}: ModferryOptions = {}): FakeModferry {
  const config = parseConfig({ ...VARIABLES, ...variables });
  if (!config.ok) throw new Error(config.reason.join('; '));
  const clock = beside?.clock ?? fakeClock();
  const tiers = beside?.tiers ?? memoryTiers(clock);
  const fetch = fakeFetch(replies);
  const events: { event: ModferryEvent; requestId?: string }[] = [];
  const running = new Set<Promise<unknown>>();
  const sink: Sink = (event, requestId) =>
    void events.push(requestId === undefined ? { event } : { event, requestId });
  const modferry = createModferry(config.value, {
    tiers,
    sharedStates: { dataCentre: memoryShared(clock) },
    fetch,
    openPipe: () => copyingPipe(),
    clock,
    random: () => 0,
    sink,
  });
  const incoming: Incoming = {
    host,
    region,
    signal: new AbortController().signal,
    background: (onFailure) => (label, work) => {
      const guarded = work
        .catch((error: unknown) => onFailure(label, error))
        .finally(() => running.delete(guarded));
      running.add(guarded);
    },
  };
  const idle = async () => {
    while (running.size > 0) await Promise.all(running);
  };
  const request = async (path: string, init: RequestInit = {}) =>
    modferry.app.request(path, init, { incoming });
  return {
    ...modferry,
    clock,
    tiers,
    fetch,
    events,
    sink,
    incoming,
    request,
    async get(path, headers = {}) {
      const response = await request(path, { headers });
      const text = await response.text();
      await idle();
      return { status: response.status, headers: response.headers, text };
    },
    lastRequest() {
      const requests = events.flatMap(({ event }) => (event.event === 'request' ? [event] : []));
      return requests.at(-1);
    },
    idle,
  };
}
