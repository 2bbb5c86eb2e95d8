import type { Visit, Visitor } from '../../../src/cli/address/visit.ts';
import type { ApiState } from './api.ts';

/** What stands at the address of a deployment. */
export interface FakeEdge {
  readonly visit: Visitor;
  /** The path of each visit. */
  readonly visits: readonly string[];
  /** The next answers, before those of the deployed Worker. */
  next(...answers: readonly Visit[]): void;
}

export function answered(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Visit {
  return {
    kind: 'answered',
    status,
    headers: new Headers(headers),
    text,
    bytes: text.length,
  };
}

/** An answer of modferry's own. */
export function own(status: number, text: string, detail = 'local'): Visit {
  return answered(status, text, { 'Cache-Status': `modferry; detail=${detail}` });
}

export function notReached(code: string): Visit {
  return { kind: 'failed', code, message: code };
}

export const CHALLENGE = answered(403, '<title>Just a moment...</title>', {
  'cf-mitigated': 'challenge',
});

/** The edge of the platform: a name resolves once the Worker serves there. */
export function fakeEdge(state: Pick<ApiState, 'domains' | 'worker'>): FakeEdge {
  const visits: string[] = [];
  const queue: Visit[] = [];
  return {
    visits,
    next: (...answers) => void queue.push(...answers),
    async visit(url) {
      const { hostname, pathname } = new URL(url);
      visits.push(pathname);
      const queued = queue.shift();
      if (queued) return queued;
      const isServed = state.worker && state.domains.some((domain) => domain.hostname === hostname);
      if (!isServed) return notReached('ENOTFOUND');
      if (pathname === '/healthz') return own(200, 'ok\n');
      if (pathname === '/readyz') return own(200, 'ready\n');
      return own(200, 'module golang.org/x/text\n', 'proxy.golang.org');
    },
  };
}
