import { encodeBase64 } from '../bytes/base64.ts';
import { failed, success, type Result } from '../effects/result.ts';

/** The address of an origin, taken apart. */
export interface Address {
  /** The host alone: a path may hold a token, and names are shown in public. */
  readonly name: string;
  /** Without credentials, and without a slash at its end. */
  readonly url: string;
  /** Value of the Authorization header; undefined where the address has no credentials. */
  readonly authorization: string | undefined;
}

const SYNTAX = 'separate addresses by "|" or ",", and write no quotes';

/**
 * Whether the host that the URL parser found is a name or an IP address. The parser itself accepts
 * `"https` and `a;https` (WHATWG URL, forbidden host code points), which no resolver knows.
 */
export function isHost(hostname: string): boolean {
  return hostname.startsWith('[') || /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/.test(hostname);
}

/**
 * Parses the address of an origin. As in GOPROXY, https is meant where no scheme is given, and
 * credentials may stand before the host. The reason of a failure goes after the address.
 */
export function parseAddress(text: string): Result<Address> {
  if (text === 'direct' || text === 'off') {
    return failed(
      'is not an origin: modferry has no version control system to go to, so name proxies only',
    );
  }
  const url = URL.parse(
    /^[a-z][a-z0-9+.-]*:\/\//i.test(text) || !/[.:/]/.test(text) ? text : `https://${text}`,
  );
  if (!url) return failed('is no address');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return failed('has no http or https scheme');
  }
  if (!isHost(url.hostname)) {
    return failed(`has the host ${JSON.stringify(url.hostname)}, which is no name: ${SYNTAX}`);
  }
  if (/\/\/|['"]|%2[027]/.test(url.pathname.replace(/\/+$/, ''))) {
    return failed(`has an empty element, a space or a quote in its path: ${SYNTAX}`);
  }
  if (url.search || url.hash) {
    return failed('has a query or a fragment, which no GOPROXY path can follow');
  }
  const credentials = decodePercent(`${url.username}:${url.password}`);
  if (credentials === undefined) {
    return failed('has a "%" in its credentials that is not written as "%25"');
  }
  return success({
    name: url.host,
    url: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`,
    authorization: credentials === ':' ? undefined : basicAuthorization(credentials),
  });
}

/**
 * As `parseAddress`, and refuses plain http to another machine. The answer that there is no such
 * file, or no record, is signed by nobody, so whoever can change it decides what a build is made
 * of. `remedy` ends the reason.
 */
export function parseSecureAddress(text: string, remedy: string): Result<Address> {
  const address = parseAddress(text);
  if (!address.ok || !isPlainHttp(address.value)) return address;
  return failed(`is plain http, which anybody on the way can read and change: ${remedy}`);
}

function isPlainHttp({ url }: Address): boolean {
  const { hostname, protocol } = new URL(url);
  return protocol === 'http:' && !isLoopback(hostname);
}

/** The IP address of another machine that a URL names; undefined where it names a host. */
export function ipAddressOf({ url }: Pick<Address, 'url'>): string | undefined {
  const { hostname } = new URL(url);
  const isIpAddress = hostname.startsWith('[') || IPV4.test(hostname);
  return isIpAddress && !isLoopback(hostname) ? hostname : undefined;
}

/** The URL parser writes every form of an IPv4 address like this one (WHATWG URL, host parsing). */
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;

function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname === '[::1]') return true;
  return IPV4.test(hostname) && hostname.startsWith('127.');
}

/** The Authorization header for `user:password` (RFC 7617, in UTF-8). */
export function basicAuthorization(credentials: string): string {
  return `Basic ${encodeBase64(new TextEncoder().encode(credentials))}`;
}

/**
 * An address as it may be shown: without its credentials, also where the text is no address or has
 * an unescaped `@` or `/` in its password.
 */
export function redact(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1…@');
}

function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
