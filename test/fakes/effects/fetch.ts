import type { Origin } from '../../../src/origins/origin.ts';

export interface Call {
  readonly url: string;
  readonly headers: Headers;
  readonly redirect: RequestInit['redirect'];
  readonly cache: RequestInit['cache'];
  readonly signal: AbortSignal;
}

type Reply = Response | Error | ((call: Call) => Response | Promise<Response>);

export interface FakeFetch {
  (url: string, init: RequestInit): Promise<Response>;
  readonly calls: readonly Call[];
}

/**
 * A fetch with scripted replies, by the start of the address: each is given once, the last one for
 * ever. A response can be read only once: write a function where it is given again.
 */
export function fakeFetch(replies: Readonly<Record<string, Reply | readonly Reply[]>>): FakeFetch {
  const calls: Call[] = [];
  const scripts = Object.entries(replies).map(([start, list]) => ({
    start,
    left: [list].flat() as Reply[],
  }));
  async function fetch(url: string, init: RequestInit): Promise<Response> {
    const signal = init.signal ?? new AbortController().signal;
    const call = {
      url,
      headers: new Headers(init.headers),
      redirect: init.redirect,
      cache: init.cache,
      signal,
    };
    calls.push(call);
    const script = scripts.find(({ start }) => url.startsWith(start));
    const reply = script && (script.left.length > 1 ? script.left.shift() : script.left[0]);
    if (reply === undefined) throw new TypeError(`nobody listens at ${url}`);
    if (reply instanceof Error) throw reply;
    return asInWorkerd(typeof reply === 'function' ? await reply(call) : reply);
  }
  return Object.assign(fetch, { calls });
}

/**
 * The response with a body that gives what there is to a read that asks for more, as workerd's do.
 * Of a stream that follows the standard such a read rejects when the end is known already.
 */
export function asInWorkerd(response: Response): Response {
  const { status, headers } = response;
  const reader = response.body?.getReader();
  if (!reader) return response;
  const body = new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return value.length > 0 ? controller.enqueue(new Uint8Array(value)) : undefined;
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(body, { status, headers });
}

/** The real one, for servers on loopback. */
export async function socketFetch(url: string, init: RequestInit): Promise<Response> {
  return asInWorkerd(await fetch(url, init));
}

/** A reply that never comes, but ends when it is given up. */
export function never({ signal }: Call): Promise<Response> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

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
