/** What a redirect may not lead into from outside: this machine, and what is on its own link. */
export type LocalNetwork = 'loopback' | 'link-local';

/**
 * The local network that a URL's host is in; undefined for every other host. A name that a resolver
 * turns into a local address is not recognised: nobody resolves names here.
 *
 * The URL parser has written every decimal, octal and hexadecimal form of an IPv4 address as four
 * decimals, and IPv6 in its shortest form (WHATWG URL, host serializing). 0.0.0.0 and `::` reach
 * this machine too, and so does an IPv4 address within an IPv6 address (RFC 4291 2.5.5).
 */
export function localNetworkOf({ hostname }: URL): LocalNetwork | undefined {
  const name = hostname.replace(/\.$/, '');
  if (
    /(^|\.)localhost$|^localhost[46]?(\.localdomain[46]?)?$|^ip6-(localhost|loopback)$/.test(name)
  ) {
    return 'loopback'; // RFC 6761 6.3, and /etc/hosts of common systems
  }
  if (name === '[::]' || name === '[::1]') return 'loopback';
  // fe80::/10, and the address at which a cloud serves its machines as at 169.254.169.254.
  if (/^\[fe[89ab][0-9a-f]:|^\[fd00:ec2::254\]$/.test(name)) return 'link-local';
  const [first, second] = ipv4Within(name);
  if (first === 127 || first === 0) return 'loopback';
  return first === 169 && second === 254 ? 'link-local' : undefined;
}

/** The first two bytes of an IPv4 address, or of one within an IPv6 address; empty for names. */
function ipv4Within(name: string): readonly number[] {
  const [, first, second] = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(name) ?? [];
  if (first !== undefined) return [Number(first), Number(second)];
  const [, high] = /^\[::(?:ffff:)?([0-9a-f]{1,4}):[0-9a-f]{1,4}\]$/.exec(name) ?? [];
  if (high === undefined) return [];
  return [Number.parseInt(high, 16) >> 8, Number.parseInt(high, 16) & 0xff];
}
