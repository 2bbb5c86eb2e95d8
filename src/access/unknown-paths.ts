import { encodeBase64 } from '../bytes/base64.ts';
import { sha256 } from '../bytes/sha256.ts';
import type { Clock } from '../effects/clock.ts';
import type { Outcome } from '../mirror/outcome.ts';
import type { Caller } from './caller.ts';

/** The most paths that no origin knows, for one client within `WINDOW_MS`. */
export const MAX_UNKNOWN_PATHS = 300;

const WINDOW_MS = 60_000;

/** Of all clients together: some 100 bytes each. */
const MAX_REMEMBERED = 20_000;

/** What a client asked for. */
export interface Asked {
  /** As `clientOf` names it. */
  readonly client: string;
  /** The path, in one spelling. */
  readonly path: string;
}

/**
 * Limits how many paths a client may ask for that no origin knows, which each cost a request to every
 * origin and room in a cache. Only the answer to such a path is ever limited: a 429 for a file that
 * exists breaks a build, so whether it exists is looked up first. A path counts once a minute, as
 * the go command asks twice. Each isolate counts for itself.
 */
export class UnknownPaths {
  readonly #clock: Pick<Clock, 'steady'>;
  /** For each client its paths, as hashes, with the time of each, oldest first. */
  readonly #clients = new Map<string, Map<string, number>>();
  #remembered = 0;

  constructor(clock: Pick<Clock, 'steady'>) {
    this.#clock = clock;
  }

  /** The outcome, or 429 in place of what is one unknown path too many. */
  limit(outcome: Outcome, asked: Asked): Outcome {
    const isUnknown = outcome.kind === 'missing' && outcome.source.from !== 'local';
    const excess = isUnknown ? this.excess(asked) : undefined;
    if (!excess) return outcome;
    const { seconds: retryAfterSeconds, text } = excess;
    const { source } = outcome;
    return { kind: 'unavailable', status: 429, text, retryAfterSeconds, source };
  }

  /** Counts an unknown path. Undefined within the limit; else when to ask again, and the text. */
  excess(asked: Asked): { readonly seconds: number; readonly text: string } | undefined {
    const seconds = Math.ceil(this.#count(asked) / 1000);
    if (seconds === 0) return undefined;
    const text = `too many requests: more than ${MAX_UNKNOWN_PATHS} paths within a minute that no origin knows. Files that exist are served as ever; ask for others in ${seconds} s`;
    return { seconds, text };
  }

  /** How long the client has to wait for an answer, in milliseconds; 0 within the limit. */
  #count({ client, path }: Asked): number {
    const now = this.#clock.steady();
    const paths = this.#recentOf(client, now);
    // A hash, because a path may have kilobytes; no short one, as paths that share it count once.
    const hash = encodeBase64(sha256(new TextEncoder().encode(path)).subarray(0, 12));
    if (paths.has(hash)) return 0;
    if (paths.size >= MAX_UNKNOWN_PATHS) {
      const [oldest = now] = paths.values();
      return oldest + WINDOW_MS - now;
    }
    paths.set(hash, now);
    this.#remembered += 1;
    this.#forgetBeyondLimit();
    return 0;
  }

  /** The paths of the client within the last minute. The client is the last one to be forgotten. */
  #recentOf(client: string, now: number): Map<string, number> {
    const paths = this.#clients.get(client) ?? new Map<string, number>();
    for (const [hash, time] of paths) {
      if (now < time + WINDOW_MS) break;
      paths.delete(hash);
      this.#remembered -= 1;
    }
    this.#clients.delete(client);
    this.#clients.set(client, paths);
    return paths;
  }

  #forgetBeyondLimit(): void {
    for (const [client, paths] of this.#clients) {
      if (this.#remembered <= MAX_REMEMBERED) return;
      this.#clients.delete(client);
      this.#remembered -= paths.size;
    }
  }
}

/**
 * Who is limited: the holder of a token, else an address. Of IPv6 it is the network of 64 bits, because
 * everybody has that many addresses. Without an address, as in the local run, all are one.
 */
export function clientOf(caller: Caller, address: string | undefined): string {
  return caller.kind === 'holder' ? `token ${caller.name}` : `address ${networkOf(address ?? '')}`;
}

function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [start = [], end = []] = address.split('::').map((half) => half.split(':'));
  const zeros = Array.from({ length: Math.max(0, 8 - start.length - end.length) }, () => '0');
  return [...start, ...zeros, ...end].slice(0, 4).join(':');
}
