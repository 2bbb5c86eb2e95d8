import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { bytes } from '../../test/fakes/effects/values.ts';
import type { Found, Outcome } from '../mirror/outcome.ts';
import { createTrace } from '../effects/trace.ts';
import { type Rendering, respond } from './respond.ts';

const rendering: Rendering = {
  requestId: 'r1',
  trace: createTrace(fakeClock()),
  ms: 7,
  ifNoneMatch: undefined,
  unsatisfiable: false,
  withoutBody: false,
};
const found: Found = {
  kind: 'found',
  file: { body: bytes('module m\n'), size: 9, etag: '"e"' },
  contentType: 'text/plain; charset=utf-8',
  cache: 'immutable',
  source: { tier: 'origin', origin: 'a.example', attempts: 2 },
};
const origin = { tier: 'origin', origin: 'a.example' } as const;

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
          ...found.source,
          hedged: true,
          breakers: { 'b.example': 'open', c: 'half-open' },
        },
      },
      200,
      'public, max-age=31536000, immutable',
      'fwd=uri-miss; fwd-status=200; detail=a.example; attempts=2; hedged; breakers="b.example=open c=half-open"',
    ],
    [
      'stored',
      { ...found, source: { tier: 'r2' } },
      200,
      'public, max-age=31536000, immutable',
      'hit; detail=r2',
    ],
    [
      'stale',
      { ...found, cache: 'mutable', source: { tier: 'r2', stale: true } },
      200,
      'public, max-age=60, stale-while-revalidate=600, stale-if-error=86400',
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
    [
      'refused',
      { kind: 'refused', text: 'no', source: { tier: 'local' } },
      403,
      'no-store',
      'detail=local',
    ],
    ...([502, 503, 504] as const).map((status): [string, Outcome, number, string, string] => [
      `unavailable, ${status}`,
      { kind: 'unavailable', status, text: 'no', source: { tier: 'origin', attempts: 3 } },
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

  it('tells when to come again', () => {
    const outcome = {
      kind: 'unavailable',
      status: 503,
      text: 'no',
      retryAfter: 7,
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

  it.each([
    ['that the client has is a 304', { ifNoneMatch: '"e"' }, 304],
    ['asked for beyond its end is a 416 that nobody keeps', { unsatisfiable: true }, 416],
    ['asked for by HEAD has no body', { withoutBody: true }, 200],
  ])('%s, and its stream is cancelled', async (_, change, status) => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      cancel() {
        cancelled = true;
      },
    });
    const response = respond(
      { ...found, file: { ...found.file, body } },
      { ...rendering, ...change },
    );
    expect([response.status, cancelled]).toEqual([status, true]);
    expect(await response.text()).not.toContain('module');
    expect(response.headers.get('Cache-Control') === 'no-store').toBe(status === 416);
    expect(response.headers.get('Content-Range')).toBe(status === 416 ? 'bytes */9' : null);
  });
});
