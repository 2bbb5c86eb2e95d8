import type { Origin } from '../../../src/origins/origin.ts';
import { asInWorkerd, nodeFetch } from '../../../src/platform/node/fetch.ts';

/** A request that a fake fetch received. */
export interface Call {
  readonly url: string;
  readonly headers: Headers;
  readonly redirect: RequestInit['redirect'];
  readonly signal: AbortSignal;
}

type Reply = Response | Error | ((call: Call) => Response | Promise<Response>);

export interface FakeFetch {
  (url: string, init: RequestInit): Promise<Response>;
  readonly calls: readonly Call[];
}

/**
 * A fetch with scripted replies by URL prefix. Each reply is used once, the last one repeatedly. A
 * response can be read only once, so a reply that is used repeatedly must be a function. Rejects
 * with `TypeError` for a URL without a reply.
 */
export function fakeFetch(replies: Readonly<Record<string, Reply | readonly Reply[]>>): FakeFetch {
  const calls: Call[] = [];
  const scripts = Object.entries(replies).map(([start, list]) => ({
    start,
    left: [list].flat<readonly (Reply | readonly Reply[])[]>(),
  }));
  async function fetch(url: string, init: RequestInit): Promise<Response> {
    const signal = init.signal ?? new AbortController().signal;
    const call = {
      url,
      headers: new Headers(init.headers),
      redirect: init.redirect,
      signal,
    };
    calls.push(call);
    const script = scripts.find(({ start }) => url.startsWith(start));
    const reply = script && (script.left.length > 1 ? script.left.shift() : script.left[0]);
    if (reply === undefined) throw new TypeError(`no server listens at ${url}`);
    if (reply instanceof Error) throw reply;
    return asInWorkerd(typeof reply === 'function' ? await reply(call) : reply);
  }
  return Object.assign(fetch, { calls });
}

/** The real fetch, for servers on loopback. */
export const socketFetch = nodeFetch;

/** A reply that never resolves, and rejects when the request is aborted. */
export function never({ signal }: Call): Promise<Response> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** A call that the platform refuses, in its words. */
export async function refused(): Promise<never> {
  throw new Error('Too many subrequests by single Worker invocation.');
}

/** A reply that redirects to `location`. */
export function redirectTo(location: string, status = 302): () => Response {
  return () => new Response('moved', { status, headers: { Location: location } });
}

/** An origin at `https://<name>`. */
export function originOf(name: string, rest: Partial<Origin> = {}): Origin {
  return {
    name,
    url: `https://${name}`,
    fallback: 'any',
    regions: [],
    limits: { headersMs: 10_000, stallMs: 20_000 },
    ...rest,
  };
}
