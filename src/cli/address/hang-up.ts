import { USER_AGENT } from './visit.ts';

const LIMIT_MS = 30_000;

/**
 * Sends a request and leaves once the body has begun, as somebody who presses Ctrl-C. Resolves with
 * the identifier of the request in modferry's log; undefined where no body came.
 */
export async function hangUp(url: string): Promise<string | undefined> {
  const leave = new AbortController();
  try {
    const response = await fetch(url, {
      headers: { 'User-Agent': USER_AGENT },
      signal: AbortSignal.any([leave.signal, AbortSignal.timeout(LIMIT_MS)]),
    });
    await response.body?.getReader().read();
    return response.ok ? (response.headers.get('X-Request-Id') ?? undefined) : undefined;
  } catch {
    return undefined;
  } finally {
    leave.abort();
  }
}
