import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { bytes } from '../../test/fakes/effects/values.ts';
import { CACHE_CONTROL, type CacheClass, CDN_CACHE_CONTROL } from '../mirror/cache-policy.ts';
import { type Found, LOCAL, type Outcome, type Source } from '../mirror/outcome.ts';
import { createTrace } from '../effects/trace.ts';
import { type Rendering, respond, respondFailure, respondLocally } from './respond.ts';

const effortOf = (attempts: number) => ({ attempts, hedged: false, breakers: {} });
const rendering: Rendering = {
  requestId: 'r1',
  trace: createTrace(fakeClock()),
  ms: 7,
  ifNoneMatch: undefined,
  withoutBody: false,
  isPrivate: false,
};
const found: Found = {
  kind: 'found',
  file: { body: bytes('module m\n'), size: 9, etag: '"e"' },
  contentType: 'text/plain; charset=utf-8',
  cache: 'immutable',
  source: { from: 'origin', origin: 'a.example', effort: effortOf(2) },
};
const origin: Source = { from: 'origin', origin: 'a.example', effort: effortOf(1) };

describe('an outcome as a response', () => {
  it.each<[string, Outcome, number, string, string]>([
    [
      'found',
      found,
      200,
      'public, max-age=31536000, immutable',
      'fwd=uri-miss; fwd-status=200; detail=a.example; attempts=2',
    ],
    [
      'hedged',
      {
        ...found,
        source: {
          from: 'origin',
          origin: 'a.example',
          effort: { attempts: 2, hedged: true, breakers: { 'b.example': 'open', c: 'half-open' } },
        },
      },
      200,
      'public, max-age=31536000, immutable',
      'fwd=uri-miss; fwd-status=200; detail=a.example; attempts=2; hedged; breakers="b.example=open c=half-open"',
    ],
    [
      'of undeclared length',
      { ...found, file: { ...found.file, size: undefined } },
      200,
      'no-store',
      'fwd=uri-miss; fwd-status=200; detail=a.example; attempts=2',
    ],
    [
      'stored',
      { ...found, source: { from: 'store', tier: 'r2' } },
      200,
      'public, max-age=31536000, immutable',
      'hit; detail=r2',
    ],
    [
      'stale',
      { ...found, cache: 'mutable', source: { from: 'store', tier: 'r2', isStale: true } },
      200,
      'public, max-age=60, stale-if-error=0',
      'fwd=stale; detail=r2',
    ],
    [
      'missing',
      { kind: 'missing', status: 404, text: 'no', cache: 'negative', source: origin },
      404,
      'public, max-age=30, stale-if-error=0',
      'fwd=uri-miss; fwd-status=404; detail=a.example',
    ],
    [
      'gone',
      { kind: 'missing', status: 410, text: 'no', cache: 'failure', source: origin },
      410,
      'no-store',
      'fwd=uri-miss; fwd-status=410; detail=a.example',
    ],
    ['refused', { kind: 'refused', text: 'no', source: LOCAL }, 403, 'no-store', 'detail=local'],
    ...([502, 503, 504] as const).map((status): [string, Outcome, number, string, string] => [
      `unavailable, ${status}`,
      {
        kind: 'unavailable',
        status,
        text: 'no',
        retryAfterSeconds: undefined,
        source: { from: 'origin', effort: effortOf(3) },
      },
      status,
      'no-store',
      'fwd=uri-miss; attempts=3',
    ]),
  ])('%s', async (_, outcome, status, cacheControl, cacheStatus) => {
    const response = respond(outcome, rendering);
    expect([
      response.status,
      response.headers.get('Cache-Control'),
      response.headers.get('Cache-Status'),
      response.headers.get('Content-Type'),
      response.headers.get('X-Content-Type-Options'),
      response.headers.get('X-Request-Id'),
      response.headers.get('Server-Timing'),
    ]).toEqual([
      status,
      cacheControl,
      `modferry; ${cacheStatus}`,
      'text/plain; charset=utf-8',
      'nosniff',
      'r1',
      'total;dur=7',
    ]);
    expect(await response.text()).toBe(
      outcome.kind === 'found' ? 'module m\n' : 'no (request r1)\n',
    );
  });

  it.each(Object.keys(CACHE_CONTROL) as CacheClass[])(
    'that may be kept as %s tells clients and the platform so',
    (cache) => {
      const { headers } = respond({ ...found, cache }, rendering);
      expect([
        headers.get('Cache-Control'),
        headers.get('Cloudflare-CDN-Cache-Control') ?? undefined,
      ]).toEqual([CACHE_CONTROL[cache], CDN_CACHE_CONTROL[cache]]);
    },
  );

  it('of undeclared length is not kept by the platform', () => {
    const file = { ...found.file, size: undefined };
    const { headers } = respond({ ...found, file }, rendering);
    expect(headers.get('Cloudflare-CDN-Cache-Control')).toBeNull();
  });

  it('that is unavailable has the Retry-After of the origin', () => {
    const outcome = {
      kind: 'unavailable',
      status: 503,
      text: 'no',
      retryAfterSeconds: 7,
      source: origin,
    } as const;
    expect(respond(outcome, rendering).headers.get('Retry-After')).toBe('7');
  });
});

describe('a file', () => {
  it('is declared with its length and etag', () => {
    const { headers } = respond(found, rendering);
    expect([headers.get('Content-Length'), headers.get('ETag')]).toEqual(['9', '"e"']);
    const streamed = { ...found, file: { ...found.file, size: undefined } };
    expect(respond(streamed, rendering).headers.get('Content-Length')).toBeNull();
  });

  it('in part is a 206 with its place', () => {
    const file = { body: bytes('dul'), size: 9, etag: '"e"', range: { offset: 2, length: 3 } };
    const response = respond({ ...found, file }, rendering);
    const { headers } = response;
    expect([response.status, headers.get('Content-Range'), headers.get('Content-Length')]).toEqual([
      206,
      'bytes 2-4/9',
      '3',
    ]);
  });

  it.each<[string, Partial<Rendering>, Partial<Found['file']>, number]>([
    ['that the client has is a 304', { ifNoneMatch: '"e"' }, {}, 304],
    [
      'whose range begins beyond its end is a 416 that is not kept',
      {},
      { isUnsatisfiable: true },
      416,
    ],
    ['asked for by HEAD has no body', { withoutBody: true }, {}, 200],
  ])('%s, and its stream is cancelled', async (_, rendered, file, status) => {
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      cancel() {
        isCancelled = true;
      },
    });
    const response = respond(
      { ...found, file: { ...found.file, body, ...file } },
      { ...rendering, ...rendered },
    );
    expect([response.status, isCancelled]).toEqual([status, true]);
    expect(await response.text()).not.toContain('module');
    expect(response.headers.get('Cache-Control') === 'no-store').toBe(status === 416);
    expect(response.headers.get('Content-Range')).toBe(status === 416 ? 'bytes */9' : null);
  });
});

describe('a zip', () => {
  it('accepts ranges, and no other file does', () => {
    const zip = { ...found, contentType: 'application/zip' };
    expect(respond(zip, rendering).headers.get('Accept-Ranges')).toBe('bytes');
    expect(respond(found, rendering).headers.get('Accept-Ranges')).toBeNull();
  });
});

describe("a response of modferry's own", () => {
  it('is never cached, and has its length and type', async () => {
    const response = respondLocally(200, 'ök\n', { requestId: 'r1' });
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'cache-status': 'modferry; detail=local',
      'content-length': '4',
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'x-request-id': 'r1',
    });
    expect([response.status, await response.text()]).toEqual([200, 'ök\n']);
  });

  it('may have another type, and the methods of the path', () => {
    const { headers } = respondLocally(405, '{}', {
      requestId: 'r1',
      headers: { Allow: 'GET, HEAD' },
      contentType: 'application/json',
    });
    expect([headers.get('Allow'), headers.get('Content-Type')]).toEqual([
      'GET, HEAD',
      'application/json',
    ]);
  });

  it('for a failure is one line with the request id', async () => {
    const response = respondFailure(500, 'it failed\nbadly', { requestId: 'r1' });
    expect([response.status, await response.text()]).toEqual([
      500,
      'it failed badly (request r1)\n',
    ]);
  });
});
