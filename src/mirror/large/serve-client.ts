import { OriginError } from '../../origins/failure.ts';
import type { RelayEnd, RelayOptions } from './relayed-file.ts';
import type { Ring } from './ring.ts';

/**
 * Writes the chunks that the ring releases. A detached client receives the rest from the stored
 * copy. Never rejects: a failure aborts the client's stream.
 */
export async function serveClient(
  { client, file }: RelayOptions,
  ring: Ring,
  filling: Promise<RelayEnd>,
): Promise<void> {
  const writer = client.getWriter();
  // Without this, a client that disconnects would be noticed only when the next chunk is written.
  writer.closed.catch(() => ring.leave());
  let offset = 0;
  try {
    for (;;) {
      const chunk = await Promise.race([ring.next(), untilBroken(filling)]);
      if (chunk === 'end') return await writer.close();
      if (chunk === 'detached') break;
      await writer.write(chunk);
      offset += chunk.length;
      ring.consumed();
    }
    const end = await filling;
    if (end.state === 'refused' || end.state === 'broken') throw errorOf(end);
    if (end.state !== 'stored') {
      throw new Error('Cannot continue for a slow client: the file was not stored');
    }
    const rest = await file.readStored(offset, end.size);
    if (!rest) throw new Error('Cannot read the stored file');
    writer.releaseLock();
    await rest.pipeTo(client);
  } catch (error) {
    ring.leave();
    await writer.abort(error).catch(() => undefined);
  }
}

/** Rejects when the body is broken or refused; else never settles. */
async function untilBroken(filling: Promise<RelayEnd>): Promise<never> {
  const end = await filling;
  if (end.state === 'refused' || end.state === 'broken') throw errorOf(end);
  return new Promise(() => undefined);
}

/** The error that the client's stream is aborted with. */
export function errorOf(end: Extract<RelayEnd, { state: 'refused' | 'broken' }>): unknown {
  return end.state === 'refused' ? new OriginError(end.reason) : end.error;
}
