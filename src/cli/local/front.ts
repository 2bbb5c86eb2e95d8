/**
 * The Worker that listens, and passes each request to modferry's.
 *
 * Miniflare's own entrance stays on a free port of loopback, for its calls alone. It obeys what any
 * client may write: below `/cdn-cgi/` it hands out every object of the bucket, `MF-Original-URL`
 * replaces the URL, `MF-Route-Override` chooses the Worker. This one obeys nothing. Bodies pass
 * through it in native code.
 *
 * workerd itself takes the header `MF-CF-Blob` for what the platform says of a request (`cf`), and
 * puts the Host into the URL as it is: so both are replaced or checked here. The scheme of the URL is
 * that of the entrance, whatever a client writes.
 */
import type { Region } from '../../origins/race/order.ts';

const FRONT = `
  const HOST = /^([\\w.-]+|\\[[\\da-f:.]+\\])(:\\d{1,5})?$/i;

  export default {
    async fetch(request, { cf, scheme, MODFERRY }) {
      if (!HOST.test(request.headers.get('Host') ?? '') || !URL.canParse(request.url))
        return new Response('bad request: the Host header is no host\\n', { status: 400 });
      const url = request.url.replace(/^http:/, scheme);
      return MODFERRY.fetch(new Request(url, request), { cf });
    },
  };
`;

interface Entrance {
  readonly host: string;
  readonly port: number;
  /** Whether requests come over TLS, which ends before this Worker. */
  readonly isTls: boolean;
  /** Where requests seem to arrive. */
  readonly region: Region;
}

/** The options of Miniflare for that Worker. */
export function frontWorker({ host, isTls, port, region }: Entrance) {
  const { dataCentre: colo, country, continent } = region;
  const codes = Object.entries({ colo, country, continent });
  const cf = Object.fromEntries(codes.flatMap(([name, code]) => (code ? [[name, code]] : [])));
  return {
    name: 'front',
    modules: [{ type: 'ESModule' as const, path: 'front.js', contents: FRONT }],
    bindings: { cf, scheme: isTls ? 'https:' : 'http:' },
    serviceBindings: { MODFERRY: 'modferry' },
    unsafeDirectSockets: [{ host, port }],
  };
}
