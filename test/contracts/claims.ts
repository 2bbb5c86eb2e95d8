import { deepStrictEqual } from 'node:assert';
import type { StoredFile } from '../../src/store/contract.ts';
import type { StoreKey } from '../../src/store/key.ts';

/**
 * One sentence of a store's contract, and its check. Runs under vitest and inside workerd alike.
 */
export interface Claim<Store> {
  readonly claim: string;
  readonly check: (store: Store) => Promise<void>;
}

let made = 0;

/** A key that no other claim uses. */
export function newKey(name = 'v1.0.0.zip'): StoreKey {
  made += 1;
  return `example.com/contract${made}/@v/${name}` as StoreKey;
}

export const equal = (actual: unknown, expected: unknown): void =>
  deepStrictEqual(actual, expected);

/** `size` bytes that differ from place to place, and from seed to seed. */
export function someBytes(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = (Math.imul(at + seed, 2654435761) >>> 16) & 0xff;
  return bytes;
}

export async function bytesIn(file: StoredFile | undefined): Promise<Uint8Array | undefined> {
  if (!file) return undefined;
  return new Uint8Array(await new Response(file.body as BodyInit).arrayBuffer());
}

/** Fails unless both have the same bytes; shows the first place that differs, not the bytes. */
export function equalBytes(actual: Uint8Array | undefined, expected: Uint8Array): void {
  equal(actual?.length, expected.length);
  equal(
    actual?.findIndex((byte, at) => byte !== expected[at]),
    -1,
  );
}

export async function rejects(work: Promise<unknown>): Promise<void> {
  const verdict = await work.then(
    () => 'resolved',
    () => 'rejected',
  );
  equal(verdict, 'rejected');
}
