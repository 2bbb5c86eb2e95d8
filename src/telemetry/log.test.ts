import { describe, expect, it } from 'vitest';
import type { ModferryEvent, RequestEvent } from './event.ts';
import { logSink } from './log.ts';

/** The lines of one event of the request `r1`. */
function linesOf(event: ModferryEvent, requestId: string | undefined = 'r1'): readonly string[] {
  const lines: string[] = [];
  logSink((line) => lines.push(line))(event, requestId);
  return lines;
}

/** The only line of an event, parsed. */
function lineOf(event: ModferryEvent, requestId?: string): unknown {
  const [line = '', ...more] = linesOf(event, requestId);
  expect(more).toEqual([]);
  expect(line).not.toContain('\n');
  return JSON.parse(line);
}

/** The only line of an event that belongs to no request, parsed. */
function lineOutsideRequests(event: ModferryEvent): unknown {
  const lines: string[] = [];
  logSink((line) => lines.push(line))(event);
  return JSON.parse(lines.join());
}

const request: RequestEvent = {
  event: 'request',
  method: 'GET',
  kind: 'mod',
  module: 'example.com/hello',
  version: 'v1.0.0',
  status: 200,
  source: { from: 'local' },
  bytes: undefined,
  ms: 12,
  region: { country: 'DE' },
  client: undefined,
  token: undefined,
  text: undefined,
};

/** What the line of this request has beside the fields of its source. */
const FIELDS = {
  event: 'request',
  request: 'r1',
  method: 'GET',
  kind: 'mod',
  module: 'example.com/hello',
  version: 'v1.0.0',
  status: 200,
  ms: 12,
  country: 'DE',
};

describe('a request is one line of JSON without what is not known:', () => {
  it.each<[string, Partial<RequestEvent>, object]>([
    [
      'from an origin',
      {
        bytes: 7,
        source: {
          from: 'origin',
          origin: 'a',
          effort: { attempts: 2, hedged: false, breakers: {} },
        },
      },
      { bytes: 7, tier: 'origin', origin: 'a', attempts: 2 },
    ],
    [
      'from a hedged race with a breaker open',
      {
        source: {
          from: 'origin',
          origin: 'a',
          effort: { attempts: 3, hedged: true, breakers: { b: 'open' } },
        },
      },
      { tier: 'origin', origin: 'a', attempts: 3, hedged: true, breakers: { b: 'open' } },
    ],
    [
      'from no origin',
      {
        status: 502,
        source: { from: 'origin', effort: { attempts: 2, hedged: false, breakers: {} } },
      },
      { status: 502, tier: 'origin', attempts: 2 },
    ],
    ['stored', { source: { from: 'store', tier: 'kv' } }, { tier: 'kv' }],
    [
      'stale, after requests that failed',
      {
        source: {
          from: 'store',
          tier: 'r2',
          isStale: true,
          effort: { attempts: 2, hedged: false, breakers: {} },
        },
      },
      { tier: 'r2', stale: true, attempts: 2 },
    ],
    [
      'a negative entry',
      { status: 404, source: { from: 'store', tier: 'edge', origin: 'a' } },
      { status: 404, tier: 'edge', origin: 'a' },
    ],
    [
      'local, with the client and the text of the answer',
      { client: '192.0.2.1', text: 'not found\n"x"' },
      { tier: 'local', client: '192.0.2.1', text: 'not found\n"x"' },
    ],
    [
      'with all that is known of the region',
      { region: { dataCentre: 'FRA', country: 'DE', continent: 'EU' } },
      { tier: 'local', dataCentre: 'FRA', country: 'DE', continent: 'EU' },
    ],
    ['with a token', { token: 'ci' }, { tier: 'local', token: 'ci' }],
    ['about a tile', { path: 'tile/8/0/001' }, { tier: 'local', path: 'tile/8/0/001' }],
  ])('%s', (_, given, expected) => {
    expect(lineOf({ ...request, ...given })).toEqual({ ...FIELDS, ...expected });
  });

  it('the fields have one order', () => {
    const source = {
      from: 'origin',
      origin: 'a',
      effort: { attempts: 1, hedged: false, breakers: {} },
    } as const;
    expect(linesOf({ ...request, bytes: 7, source })).toEqual([
      '{"event":"request","request":"r1","method":"GET","kind":"mod","module":"example.com/hello",' +
        '"version":"v1.0.0","status":200,"bytes":7,"ms":12,"tier":"origin","origin":"a",' +
        '"attempts":1,"country":"DE"}',
    ]);
  });
});

describe('trouble', () => {
  it.each([
    [new TypeError('refused'), 'TypeError: refused'],
    ['text', 'text'],
    [undefined, 'undefined'],
  ])('with %s is one line with the message %j', (error, message) => {
    const event = { event: 'trouble', label: 'write edge', error } as const;
    expect(lineOf(event)).toEqual({
      event: 'trouble',
      request: 'r1',
      label: 'write edge',
      message,
    });
    expect(lineOutsideRequests(event)).toEqual({ event: 'trouble', label: 'write edge', message });
  });
});

describe('a body that broke off is one line:', () => {
  it.each([
    { origin: 'a', from: 'b', offset: 1_048_576, tries: 2, outcome: 'resumed' },
    { origin: 'a', offset: 1_048_576, tries: 6, outcome: 'given up' },
  ] as const)('%j', (facts) => {
    const path = '/m/@v/v1.0.0.zip';
    expect(lineOf({ event: 'resume', path, ...facts })).toEqual({
      event: 'resume',
      request: 'r1',
      path,
      ...facts,
    });
  });
});

describe('a security event is one line that alerts can look for:', () => {
  const hashes = { database: 'sum.example', expected: 'h1:x', found: 'h1:y' };
  it.each<[ModferryEvent, object]>([
    [
      { event: 'security', kind: 'mismatch', subject: 'm@v1.zip', origin: 'a', hashes },
      { kind: 'mismatch', subject: 'm@v1.zip', origin: 'a', ...hashes },
    ],
    [
      { event: 'security', kind: 'stored-mismatch', subject: 'm@v1.zip', hashes },
      { kind: 'stored-mismatch', subject: 'm@v1.zip', ...hashes },
    ],
    [
      { event: 'security', kind: 'fork', database: 'sum.example', proof: 'one\ntwo' },
      { kind: 'fork', database: 'sum.example', proof: 'one\ntwo' },
    ],
    [
      { event: 'security', kind: 'rollback', database: 'sum.example', proof: 'one\ntwo' },
      { kind: 'rollback', database: 'sum.example', proof: 'one\ntwo' },
    ],
    [
      {
        event: 'security',
        kind: 'forged',
        database: 'sum.example',
        path: 'latest',
        reason: 'no signature',
      },
      { kind: 'forged', database: 'sum.example', path: 'latest', reason: 'no signature' },
    ],
  ])('%j', (event, expected) => {
    expect(lineOf(event)).toEqual({ event: 'security', request: 'r1', ...expected });
  });
});

it.each(['make-token', 'revoke-token'] as const)(
  'an admin who does %s leaves one line with the name of the token and of the subject',
  (action) => {
    const event = { event: 'admin', token: 'ann', action, subject: 'ci' } as const;
    expect(lineOf(event)).toEqual({ ...event, request: 'r1' });
  },
);

describe('an event outside of requests is one line as it is:', () => {
  it.each<ModferryEvent>([
    { event: 'note', text: 'VERIFY=all compares nothing' },
    { event: 'probe', origin: 'a', verdict: 'up', headersAfter: 40, large: 'up', bytes: 7, ms: 90 },
    { event: 'probe', origin: 'sum', database: 'sum.example', verdict: 'status 500', ms: 12 },
  ])('%j', (event) => {
    expect(lineOutsideRequests(event)).toEqual(event);
  });
});
