import * as v from 'valibot';
import { encodeHex } from '../../bytes/hex.ts';
import { sha256 } from '../../bytes/sha256.ts';
import { MAX_CLOCK_SKEW_MS } from '../clock-skew.ts';
import { MAX_RETRY_AFTER_MS } from './breaker.ts';
import type { Health } from './health.ts';

/**
 * The health of origins as a text that isolates share.
 *
 * The text names an origin by a hash of its address, because an address may hold a token in its
 * path and the text lies in the account's KV. Only origins of the own configuration are read back,
 * so that nothing can fill the memory. A value that this version could not have written by now is
 * ignored: a time that lies ahead would be later than every real one, for ever.
 */
export const HEALTH_VERSION = 1;

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
  version: v.literal(HEALTH_VERSION),
  origins: v.record(v.string(), v.unknown()),
});

/** The health of origins, by their addresses. */
export type HealthByUrl = ReadonlyMap<string, Health>;

/** The text for the health of the origins at `urls`; others are left out. */
export function encodeHealth(healthByUrl: HealthByUrl, urls: readonly string[]): string {
  const origins: Record<string, Health> = {};
  for (const url of urls) {
    const health = healthByUrl.get(url);
    if (health) origins[hashedName(url)] = health;
  }
  return JSON.stringify({ version: HEALTH_VERSION, origins });
}

/**
 * The health of the origins at `urls` in a text, read at the time `now` in milliseconds since the
 * epoch. Undefined when the text is damaged, or of another version of modferry. An origin with an
 * impossible value is left out.
 */
export function decodeHealth(
  text: string,
  { urls, now }: { readonly urls: readonly string[]; readonly now: number },
): HealthByUrl | undefined {
  const snapshot = v.safeParse(Snapshot, parseJSON(text));
  if (!snapshot.success) return undefined;
  const healthByUrl = new Map<string, Health>();
  for (const url of urls) {
    const name = hashedName(url);
    if (!Object.hasOwn(snapshot.output.origins, name)) continue;
    const health = v.safeParse(HealthSchema, snapshot.output.origins[name]);
    if (health.success && isPossible(health.output, now)) healthByUrl.set(url, health.output);
  }
  return healthByUrl;
}

function isPossible({ reach, bulk }: Health, now: number): boolean {
  const latest = now + MAX_CLOCK_SKEW_MS;
  return [reach, bulk].every(
    ({ at, closedAt, until }) =>
      at <= latest && closedAt <= latest && until <= latest + MAX_RETRY_AFTER_MS,
  );
}

const names = new Map<string, string>();

/** A hash costs more than a look-up, and a configuration has few addresses. */
function hashedName(url: string): string {
  const cached = names.get(url);
  if (cached !== undefined) return cached;
  const hash = sha256(new TextEncoder().encode(url)).subarray(0, 12);
  const name = encodeHex(hash);
  names.set(url, name);
  return name;
}

function parseJSON(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
