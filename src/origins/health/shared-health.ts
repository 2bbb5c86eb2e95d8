import * as v from 'valibot';
import { sha256 } from '../../bytes/sha256.ts';
import type { Health } from './pool.ts';

/**
 * What a pool knows, as a text that isolates give each other.
 *
 * Origins are called by a hash of their address: an address may hold a token in its path, and
 * whoever may look into the account's KV need not learn it. Only origins of the own configuration
 * are read back, so that nothing can fill the memory, and nothing is believed that this pool could
 * not have written by now: a time that lies ahead would be newer than everything that is learnt,
 * for ever.
 */
const VERSION = 1;

/** Clocks of data centres may differ by so many milliseconds. */
const CLOCK_SKEW = 60_000;

/** A breaker is open no longer than the longest Retry-After that is honoured, in milliseconds. */
const LONGEST_OPEN = 3_600_000;

/** More than the buckets of a latency histogram. */
const MAX_BUCKETS = 64;

const Amount = v.pipe(v.number(), v.finite(), v.minValue(0));
const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const BreakerSchema = v.object({
  failures: Count,
  recent: v.object({ succeeded: Amount, failed: Amount }),
  until: Amount,
  openings: Count,
  closedAt: Amount,
  at: Amount,
});

const HealthSchema = v.object({
  reach: BreakerSchema,
  bulk: BreakerSchema,
  brokeAfter: Amount,
  latency: v.pipe(v.array(Amount), v.maxLength(MAX_BUCKETS)),
  rate: Amount,
});

const Snapshot = v.object({
  version: v.literal(VERSION),
  origins: v.record(v.string(), v.unknown()),
});

/** What is known, by the addresses of origins. */
export type Known = ReadonlyMap<string, Health>;

/** The text for what is known of the origins at `urls`; others are left out. */
export function encodeHealth(known: Known, urls: readonly string[]): string {
  const origins: Record<string, Health> = {};
  for (const url of urls) {
    const health = known.get(url);
    if (health) origins[nameOf(url)] = health;
  }
  return JSON.stringify({ version: VERSION, origins });
}

/**
 * What a text says of the origins at `urls`, at the time `now` in milliseconds since the epoch;
 * undefined when it is damaged, or of another version of modferry. What it says of one origin and
 * cannot be is left out.
 */
export function decodeHealth(
  text: string,
  { urls, now }: { readonly urls: readonly string[]; readonly now: number },
): Known | undefined {
  const snapshot = v.safeParse(Snapshot, parseJSON(text));
  if (!snapshot.success) return undefined;
  const known = new Map<string, Health>();
  for (const url of urls) {
    const name = nameOf(url);
    if (!Object.hasOwn(snapshot.output.origins, name)) continue;
    const health = v.safeParse(HealthSchema, snapshot.output.origins[name]);
    if (health.success && isPossible(health.output, now)) known.set(url, health.output);
  }
  return known;
}

function isPossible({ reach, bulk }: Health, now: number): boolean {
  const latest = now + CLOCK_SKEW;
  return [reach, bulk].every(
    ({ at, closedAt, until }) =>
      at <= latest && closedAt <= latest && until <= latest + LONGEST_OPEN,
  );
}

const names = new Map<string, string>();

/** Hashes cost little, but more than looking them up; the addresses of a configuration are few. */
function nameOf(url: string): string {
  const known = names.get(url);
  if (known !== undefined) return known;
  const name = sha256(new TextEncoder().encode(url)).subarray(0, 12);
  const hex = Array.from(name, (byte) => byte.toString(16).padStart(2, '0')).join('');
  names.set(url, hex);
  return hex;
}

function parseJSON(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
