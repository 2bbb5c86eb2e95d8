import type { Outcome } from '../mirror/outcome.ts';
import {
  CACHE_CONTROL,
  CDN_CACHE_CONTROL,
  type CacheClass,
  privately,
} from '../mirror/cache-policy.ts';
import { bodyInit, discard } from '../bytes/streams.ts';
import type { Trace } from '../effects/trace.ts';
import { isNotModified } from './conditional.ts';
import { errorText } from './plain-text.ts';
import { cacheStatus, serverTiming } from './response-headers.ts';

/** What a response takes from its request. */
export interface Rendering {
  readonly requestId: string;
  readonly trace: Trace;
  /** Milliseconds since the request arrived. */
  readonly ms: number;
  readonly ifNoneMatch: string | undefined;
  /** Whether the body is left out, as for HEAD. */
  readonly withoutBody: boolean;
  /** Whether the answer is for holders of a token alone. */
  readonly isPrivate: boolean;
}

/** Turns an outcome into a response. No other function does. */
export function respond(outcome: Outcome, rendering: Rendering): Response {
  const headers = new Headers({
    'Cache-Status': cacheStatus(outcome),
    'Server-Timing': serverTiming(rendering.trace, rendering.ms),
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': rendering.requestId,
  });
  const { isPrivate } = rendering;
  switch (outcome.kind) {
    case 'found':
      return sendFile(outcome, headers, rendering);
    case 'missing':
      return sendText(outcome, {
        status: outcome.status,
        cache: outcome.cache,
        headers,
        isPrivate,
      });
    case 'refused':
      return sendText(outcome, { status: 403, cache: 'failure', headers, isPrivate });
    case 'unavailable':
      if (outcome.retryAfterSeconds !== undefined) {
        headers.set('Retry-After', String(outcome.retryAfterSeconds));
      }
      return sendText(outcome, { status: outcome.status, cache: 'failure', headers, isPrivate });
  }
}

export interface LocalResponse {
  readonly requestId: string;
  /** Headers besides those that every response has. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Default: UTF-8 plain text. */
  readonly contentType?: string | undefined;
}

/** A response of modferry's own, without an outcome. Never cached. */
export function respondLocally(
  status: number,
  text: string,
  { requestId, headers, contentType = 'text/plain; charset=utf-8' }: LocalResponse,
): Response {
  const body = new TextEncoder().encode(text);
  return new Response(body, {
    status,
    headers: {
      ...headers,
      'Cache-Control': CACHE_CONTROL.failure,
      'Cache-Status': 'modferry; detail=local',
      'Content-Length': String(body.length),
      'Content-Type': contentType,
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Id': requestId,
    },
  });
}

/** A failure without an outcome: one line of text with the request id. Never cached. */
export function respondFailure(
  status: number,
  text: string,
  rest: Omit<LocalResponse, 'contentType'>,
): Response {
  return respondLocally(status, errorText(text, rest.requestId), rest);
}

/** A response of modferry's own, as JSON. Never cached. */
export function respondJson(
  status: number,
  value: unknown,
  rest: Omit<LocalResponse, 'contentType'>,
): Response {
  const contentType = 'application/json';
  return respondLocally(status, `${JSON.stringify(value)}\n`, { ...rest, contentType });
}

function sendFile(
  { file, contentType, cache }: Extract<Outcome, { kind: 'found' }>,
  headers: Headers,
  { ifNoneMatch, isPrivate, withoutBody }: Rendering,
): Response {
  const { range } = file;
  const length = range?.length ?? file.size;
  // Whether a cache drops a body of undeclared length that breaks off is documented nowhere.
  setCaching(headers, length === undefined ? 'failure' : cache, isPrivate);
  headers.set('ETag', file.etag);
  if (contentType === 'application/zip') headers.set('Accept-Ranges', 'bytes');
  if (isNotModified(ifNoneMatch, file.etag)) {
    discard(file.body);
    return new Response(null, { status: 304, headers });
  }
  if (file.isUnsatisfiable) {
    discard(file.body);
    headers.set('Content-Range', `bytes */${file.size}`);
    setCaching(headers, 'failure', isPrivate);
    return new Response(null, { status: 416, headers });
  }
  headers.set('Content-Type', contentType);
  if (range)
    headers.set(
      'Content-Range',
      `bytes ${range.offset}-${range.offset + range.length - 1}/${file.size}`,
    );
  if (length !== undefined) headers.set('Content-Length', String(length));
  if (withoutBody) discard(file.body);
  return new Response(withoutBody ? null : bodyInit(file.body), {
    status: range ? 206 : 200,
    headers,
  });
}

function setCaching(headers: Headers, cache: CacheClass, isPrivate: boolean): void {
  headers.set('Cache-Control', isPrivate ? privately(cache) : CACHE_CONTROL[cache]);
  const forCdn = isPrivate ? undefined : CDN_CACHE_CONTROL[cache];
  if (forCdn === undefined) headers.delete('Cloudflare-CDN-Cache-Control');
  else headers.set('Cloudflare-CDN-Cache-Control', forCdn);
}

interface TextResponse extends Pick<Rendering, 'isPrivate'> {
  readonly status: number;
  readonly cache: CacheClass;
  readonly headers: Headers;
}

function sendText(
  { text }: { readonly text: string },
  { status, cache, headers, isPrivate }: TextResponse,
): Response {
  const body = new TextEncoder().encode(errorText(text, headers.get('X-Request-Id') ?? ''));
  setCaching(headers, cache, isPrivate);
  headers.set('Content-Length', String(body.length));
  headers.set('Content-Type', 'text/plain; charset=utf-8');
  return new Response(body, { status, headers });
}
