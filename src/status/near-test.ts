import { equalBytes } from '../bytes/equal.ts';
import { bytesOf } from '../bytes/streams.ts';
import type { Clock } from '../effects/clock.ts';
import { within } from '../effects/clock.ts';
import type { NearStore } from '../store/contract.ts';
import { etagOf } from '../store/etag.ts';
import { ownKey } from '../store/key.ts';

/** The result of a test of the near tier: how long it took, or what went wrong. */
export type NearTest =
  | { readonly kind: 'found'; readonly writeMs: number; readonly readMs: number }
  /** What was written just now was not there. Some host names and plans have no edge cache. */
  | { readonly kind: 'not found' }
  | { readonly kind: 'failed' };

/** A status page waits no longer. */
const TEST_LIMIT_MS = 2_000;

/**
 * Writes an entry to the near tier and reads it back. A platform without a working edge cache does
 * not say so: every read is a miss then, and each request costs a read of another tier. Never
 * rejects.
 */
export async function testNear(near: NearStore, clock: Clock): Promise<NearTest> {
  try {
    return await within(clock, TEST_LIMIT_MS, writeAndRead(near, clock));
  } catch {
    return { kind: 'failed' };
  }
}

async function writeAndRead(near: NearStore, clock: Clock): Promise<NearTest> {
  const key = ownKey('self-test');
  const started = clock.steady();
  const bytes = new TextEncoder().encode(String(started));
  await near.write(key, { bytes, etag: etagOf(bytes) }, { asOf: started, seconds: 60 });
  const written = clock.steady();
  const copy = await near.read(key);
  const read = clock.steady();
  const isFound = copy?.kind === 'file' && equalBytes(await bytesOf(copy.file.body), bytes);
  if (!isFound) return { kind: 'not found' };
  return { kind: 'found', writeMs: written - started, readMs: read - written };
}

/** One line for the operator. */
export function nearTestText(test: NearTest): string {
  switch (test.kind) {
    case 'found':
      return `edge cache: works, written in ${test.writeMs} ms, read in ${test.readMs} ms`;
    case 'not found':
      return 'edge cache: keeps nothing, so every answer is read from KV or R2';
    case 'failed':
      return 'edge cache: fails, so every answer is read from KV or R2';
  }
}
