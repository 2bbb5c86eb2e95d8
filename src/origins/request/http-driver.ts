import { type Clock, within } from '../../effects/clock.ts';
import { badRedirect, OriginError } from '../failure.ts';
import type { Origin } from '../origin.ts';
import type { OriginDriver } from './driver.ts';
import { localNetworkOf } from './local-network.ts';

/**
 * Sent as X-Real-IP, in which the platform would put the address of the client when an origin is
 * not on Cloudflare. From a range that is nobody's (RFC 5737).
 */
const NOBODYS_ADDRESS = '192.0.2.1';

/** As the go command (cmd/go/internal/web and net/http). */
const MAX_REDIRECTS = 10;

export interface HttpEffects {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
}

/**
 * Asks an origin over HTTP. Each request has `limits.headersMs` until its headers have arrived.
 *
 * Redirects are followed here and not by the platform, which would send the Authorization header to
 * whatever host the redirect names. The request is built from scratch: nothing that the client sent
 * goes along. The platform adds headers of its own, though, one of them with the client's address
 * (docs/security-model.md, "What origins learn").
 */
export function httpDriver(origin: Origin, { fetch, clock }: HttpEffects): OriginDriver {
  return async function requestOverHttp(path, { headers: range, signal }) {
    let url = origin.url + path;
    for (let redirects = 0; ; redirects++) {
      const headers = new Headers({
        ...range,
        'Accept-Encoding': 'identity',
        'User-Agent': 'modferry',
        'X-Real-IP': NOBODYS_ADDRESS,
      });
      const isFirst = redirects === 0;
      if (isFirst && origin.authorization) headers.set('Authorization', origin.authorization);
      const answer = fetch(url, { headers, redirect: 'manual', signal });
      const response = await within(clock, origin.limits.headersMs, answer);
      const location = response.headers.get('Location');
      const { status } = response;
      const isRedirect = status >= 300 && status <= 399 && location !== null;
      if (!isRedirect && (isFirst || status < 400)) return response;

      await response.body?.cancel();
      // The storage behind a redirect does not know which modules exist: it answers 404 to what was
      // removed and 400 to a signed address that has expired. Its text may be meant for nobody.
      if (!isRedirect) throw new OriginError({ kind: 'status', status, words: 'after a redirect' });
      if (redirects === MAX_REDIRECTS)
        throw new OriginError(badRedirect(`more than ${MAX_REDIRECTS} redirects`));
      url = redirectTarget(location, url, origin);
    }
  };
}

function redirectTarget(location: string, base: string, origin: Origin): string {
  const target = URL.parse(location, base);
  if (!target || !/^https?:$/.test(target.protocol))
    throw new OriginError(badRedirect('a redirect to no http or https address'));
  if (target.protocol === 'http:' && base.startsWith('https:'))
    throw new OriginError(badRedirect('a redirect from https to http'));
  const network = localNetworkOf(target);
  if (network !== undefined && network !== localNetworkOf(new URL(origin.url)))
    throw new OriginError(badRedirect('a redirect to a loopback or link-local address'));
  return target.href;
}
