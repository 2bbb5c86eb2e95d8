import { Readable } from 'node:stream';
import { asInWorkerd } from '../../src/platform/node/fetch.ts';
import { type Answer, bodySize, isStreamed } from '../fakes/origin/answer.ts';
import type { Fetch } from './wrap.ts';

/** Answers a decoded path of a server. */
export type Server = (path: string) => Answer;

/**
 * A network of servers in memory, by the start of their addresses. A request to another address
 * fails as one to a port on which nothing listens.
 */
export function networkOf(servers: Readonly<Record<string, Server>>): Fetch {
  return async (url, { signal }) => {
    signal?.throwIfAborted();
    const found = Object.entries(servers).find(([start]) => url.startsWith(`${start}/`));
    if (!found) throw new TypeError(`no server listens at ${url}`);
    const [start, server] = found;
    const { body, headers, status } = server(decodeURIComponent(url.slice(start.length)));
    const all = { ...headers, 'content-length': String(bodySize(body)) };
    const content = isStreamed(body) ? Readable.toWeb(Readable.from(body.stream())) : body;
    return asInWorkerd(new Response(content as BodyInit, { status, headers: all }));
  };
}
