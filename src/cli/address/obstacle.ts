import type { Visit } from './visit.ts';

/** What stands between a go command and modferry. */
export interface Obstacle {
  /** One line: what was seen. */
  readonly seen: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Whether waiting can help: a new name takes some minutes. */
  readonly mayPass: boolean;
}

/**
 * What stands in the way, where the answer is not modferry's own. An answer of modferry's own has
 * no obstacle, whatever its status.
 */
export function obstacleOf(visit: Visit): Obstacle | undefined {
  if (visit.kind === 'failed') return connectionObstacle(visit);
  const { headers, status, text } = visit;
  if (isOwn(headers)) return undefined;
  if (headers.get('cf-mitigated') === 'challenge') return CHALLENGE;
  const code = edgeCode(text);
  const known = code === undefined ? undefined : EDGE_ERRORS.get(code);
  if (known)
    return { seen: `Cloudflare answers ${status}, error ${code}`, mayPass: false, ...known };
  if (code !== undefined) {
    return {
      seen: `Cloudflare answers ${status}, error ${code}`,
      remedy: 'https://developers.cloudflare.com/support/ explains the code',
      mayPass: true,
    };
  }
  if (status === 403) return BLOCKED;
  if (status === 413) return TOO_LARGE;
  return {
    seen: `something else than modferry answers (status ${status})`,
    remedy:
      'look for a Worker route, a redirect or another rule of the zone that covers this host name',
    mayPass: true,
  };
}

/** Every answer of modferry has this header (RFC 9211). */
export function isOwn(headers: Headers): boolean {
  return /^modferry\b/.test(headers.get('Cache-Status') ?? '');
}

/** The challenge page for browsers, which a go command cannot answer. */
const CHALLENGE: Obstacle = {
  seen: 'Cloudflare answers with a challenge for browsers (403, cf-mitigated: challenge)',
  remedy: `no code of modferry runs then. In the dashboard of the domain:
  - Security, Settings, "Bot traffic": switch Bot Fight Mode off. No rule can skip it
  - Security, Settings: Security Level must not be "I'm Under Attack!", and Browser Integrity Check
    must be off. To keep both for other host names, make a rule for this one: Rules, Configuration
    Rules, "Hostname equals" this name, Security Level "Essentially Off", Browser Integrity Check off
  - Security, Security rules: no rule may challenge this host name`,
  mayPass: false,
};

const BLOCKED: Obstacle = {
  seen: 'Cloudflare answers 403 before modferry runs',
  remedy:
    'Security, Events in the dashboard names the rule: Browser Integrity Check, a security rule or an IP access rule. Make an exception for this host name',
  mayPass: false,
};

const TOO_LARGE: Obstacle = {
  seen: 'Cloudflare answers 413',
  remedy: 'a request may send 100 MB on the free and Pro plans; download requests send nothing',
  mayPass: false,
};

/**
 * What Cloudflare itself answers for a Worker
 * (https://developers.cloudflare.com/workers/observability/errors/).
 */
const EDGE_ERRORS = new Map<number, { readonly remedy: string; readonly mayPass?: boolean }>([
  [
    1015,
    { remedy: 'a rate limiting rule of the zone applies: make an exception for this host name' },
  ],
  [1020, { remedy: 'a security rule of the zone applies: make an exception for this host name' }],
  [
    1027,
    {
      remedy:
        'the 100,000 requests a day of the free plan are used up: wait until 00:00 UTC, or choose the paid plan',
    },
  ],
  [1101, { remedy: 'modferry failed: "npx wrangler tail" shows why, please report it' }],
  [
    1102,
    {
      remedy:
        'the CPU time of a request is used up, 10 ms on the free plan: ask again; if it stays, deploy with --plan free (VERIFY=mod), or choose the paid plan',
    },
  ],
]);

/** The number in an error page of Cloudflare: `error code: 1102`, or HTML for a browser. */
function edgeCode(text: string): number | undefined {
  const code = /\berror(?: code:)?\s+(1\d{3})\b/i.exec(text)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** Node's and OpenSSL's codes for a TLS handshake that failed. */
const CERTIFICATE = /^(EPROTO|ERR_SSL|ERR_TLS|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED)/;

function connectionObstacle({ code, message }: { code: string; message: string }): Obstacle {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return {
      seen: 'its name does not resolve here yet',
      remedy:
        'a resolver may remember for half an hour that a name did not exist: try another one, such as 1.1.1.1, or wait',
      mayPass: true,
    };
  }
  if (CERTIFICATE.test(code)) {
    return {
      seen: `its certificate is not ready yet (${code})`,
      remedy:
        'SSL/TLS, Edge Certificates in the dashboard shows its state. If it is active there, something between you and Cloudflare intercepts TLS',
      mayPass: true,
    };
  }
  return {
    seen: `no connection (${message})`,
    remedy:
      'the name may be filtered in your network, while the deployment is right: try from another network, or name another host with --host',
    mayPass: true,
  };
}
