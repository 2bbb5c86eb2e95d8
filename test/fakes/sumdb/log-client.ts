import { systemClock } from '../../../src/effects/clock.ts';
import { LogClient } from '../../../src/sumdb/log/log-client.ts';
import { LogMemory } from '../../../src/sumdb/log/log-memory.ts';
import { storedLookups } from '../../../src/sumdb/stored-lookups.ts';
import { parseVerifierKey, type VerifierKey } from '../../../src/tlog/verifier-key.ts';
import type { Address, FakeLogEffects } from './log-effects.ts';
import { createLog, type FakeLog } from './transparency-log.ts';
import { bytes, modulePath, version } from '../effects/values.ts';

export const hello = modulePath('example.com/hello');
export const v1 = version('v1.0.0');
export const hash = (seed: number) => `h1:${Buffer.alloc(32, seed).toString('base64')}`;
export const record = (module: string, seed: number) =>
  `${module} v1.0.0 ${hash(seed)}\n${module} v1.0.0/go.mod ${hash(seed + 1)}\n`;

/** A log of `size` records, with that of hello in the middle. */
export function logOf(size: number, options: Parameters<typeof createLog>[0] = {}): FakeLog {
  const log = createLog(options);
  for (let at = 0; at < size; at++) {
    log.add(
      at === Math.floor(size / 2) ? record(hello, 1) : record(`filler.example/m${at}`, at % 200),
    );
  }
  return log;
}

export const grow = (log: FakeLog, by: number, seed = 7) => {
  for (let at = 0; at < by; at++) log.add(record(`more.example/m${log.size}-${seed}`, seed));
};

export const serves =
  (log: FakeLog): Address =>
  (path) =>
    log.answer(path);

/** The address, with a bit of its answers flipped where the path matches. `bit` is a mask. */
export const flipping =
  (address: Address, match: RegExp, { at = 30, bit = 1 } = {}): Address =>
  (path) => {
    const body = address(path);
    if (body === undefined || !match.test(path)) return body;
    const changed = Buffer.from(typeof body === 'string' ? bytes(body) : body);
    changed[at] = (changed[at] ?? 0) ^ bit;
    return changed;
  };

export function clientOf(
  log: FakeLog,
  effects: FakeLogEffects,
  memory = new LogMemory(systemClock),
) {
  return new LogClient({ name: log.name, key: verifierKeyOf(log), memory, effects });
}

export function verifierKeyOf(log: FakeLog): VerifierKey {
  const parsed = parseVerifierKey(log.verifierKey);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

/** The hashes of hello, from the cache or the database. */
export function hashesOf(
  log: FakeLog,
  effects: FakeLogEffects,
  memory = new LogMemory(systemClock),
) {
  return lookupsOf(log, effects, memory).find(hello, v1);
}

/** The look-ups of a log, by a client with these effects. */
export function lookupsOf(
  log: FakeLog,
  effects: FakeLogEffects,
  memory = new LogMemory(systemClock),
) {
  return storedLookups(log, { client: clientOf(log, effects, memory), cache: effects });
}

export const kinds = ({ events }: FakeLogEffects) => events.map(({ kind }) => kind);
export const right = { kind: 'proven', value: { zip: hash(1), mod: hash(2) } };
