import { hasCode, messageOf } from '../terminal/message.ts';

/** What came of a request to a deployment. */
export type Visit =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Headers;
      /** The start of the body. */
      readonly text: string;
      readonly bytes: number;
    }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export interface VisitOptions {
  /** Default: GET. */
  readonly method?: 'GET' | 'HEAD';
  readonly limitMs?: number;
  /** A token of modferry. Default: the request has no credentials. */
  readonly token?: string | undefined;
}

/** Sends a request. Never rejects. */
export type Visitor = (url: string, options?: VisitOptions) => Promise<Visit>;

/** As a go command calls itself: protections against bots judge by this name. */
export const USER_AGENT = 'Go-http-client/2.0';

/** As long as a go command may wait behind modferry, and some more. */
const LIMIT_MS = 90_000;
const TEXT_BYTES = 4_096;

/** Sends a request as a go command does, and follows no redirect. */
export const visit: Visitor = async (url, { limitMs = LIMIT_MS, method = 'GET', token } = {}) => {
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        'User-Agent': USER_AGENT,
        'Accept-Encoding': 'gzip',
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
      signal: AbortSignal.timeout(limitMs),
    });
    const { bytes, text } = await readStart(response);
    return { kind: 'answered', status: response.status, headers: response.headers, text, bytes };
  } catch (error) {
    return { kind: 'failed', ...reasonOf(error) };
  }
};

/** The body is counted, and only its start is kept: it may be a large zip. */
async function readStart(response: Response): Promise<{ bytes: number; text: string }> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (text.length < TEXT_BYTES) text += decoder.decode(chunk.subarray(0, TEXT_BYTES));
  }
  return { text, bytes };
}

function reasonOf(error: unknown): { readonly code: string; readonly message: string } {
  // Node says "fetch failed" and has the reason in the cause, or in the causes of each address.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const first: unknown = cause instanceof AggregateError ? (cause.errors[0] ?? cause) : cause;
  if (first instanceof Error && first.name === 'TimeoutError') {
    return { code: 'TIMEOUT', message: 'no answer in time' };
  }
  const code = first instanceof Error && 'code' in first ? String(first.code) : '';
  return {
    code: hasCode(first, 'UND_ERR_CONNECT_TIMEOUT') ? 'TIMEOUT' : code,
    message: messageOf(first),
  };
}
