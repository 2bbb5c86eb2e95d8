import { lookup } from 'node:dns/promises';
import type { Origin } from '../../origins/origin.ts';
import { messageOf } from '../terminal/message.ts';
import type { TroubleLine } from '../terminal/log-line.ts';

/** A name is reported once in this time. */
const AGAIN_MS = 60_000;

export type Resolve = (host: string) => Promise<unknown>;

/**
 * Returns a function that finds the origins whose host names do not resolve, and were not reported
 * within the last minute.
 */
export function findUnresolved(
  origins: readonly Pick<Origin, 'name' | 'url'>[],
  resolve: Resolve = lookup,
): (time: number) => Promise<readonly TroubleLine[]> {
  const askedAt = new Map<string, number>();
  return async function unresolved(time) {
    const due = origins.filter(({ url }) => time - (askedAt.get(url) ?? -Infinity) >= AGAIN_MS);
    for (const { url } of due) askedAt.set(url, time);
    const lines = await Promise.all(due.map((origin) => check(origin, resolve)));
    return lines.flat();
  };
}

async function check(
  { name, url }: Pick<Origin, 'name' | 'url'>,
  resolve: Resolve,
): Promise<readonly TroubleLine[]> {
  try {
    await resolve(new URL(url).hostname.replaceAll(/[[\]]/g, ''));
    return [];
  } catch (error) {
    return [
      { event: 'trouble', label: name, message: `Cannot resolve its name: ${messageOf(error)}` },
    ];
  }
}
