import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { logRequest, logResume, logSecurity, logTrouble } from './log.ts';
import { createTrace } from '../effects/trace.ts';

const event = {
  requestId: 'r1',
  method: 'GET',
  kind: 'mod',
  module: 'example.com/hello',
  version: 'v1.0.0',
  status: 200,
  ms: 12,
  region: { country: 'DE' },
} as const;

it.each([
  [
    { ...event, bytes: 7, source: { tier: 'origin', origin: 'a', attempts: 2 } },
    { bytes: 7, tier: 'origin', origin: 'a', attempts: 2 },
  ],
  [
    { ...event, source: { tier: 'r2', stale: true } },
    { tier: 'r2', stale: true },
  ],
  [
    { ...event, source: { tier: 'local' }, client: '192.0.2.1', text: 'not found\n"x"' },
    { tier: 'local', client: '192.0.2.1', text: 'not found\n"x"' },
  ],
] as const)('a request is one line of JSON, without what is not known: %j', (given, expected) => {
  const lines: string[] = [];
  logRequest((line) => lines.push(line), given);
  expect(lines.length).toBe(1);
  expect(lines[0]).not.toContain('\n');
  const { requestId, region, ...rest } = event;
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    event: 'request',
    request: requestId,
    ...rest,
    ...region,
    ...expected,
  });
});

it.each([
  [new TypeError('refused'), 'TypeError: refused'],
  ['text', 'text'],
  [undefined, 'undefined'],
])('trouble with %s says %j', (error, message) => {
  const lines: string[] = [];
  logTrouble((line) => lines.push(line), 'write edge', error, 'r1');
  logTrouble((line) => lines.push(line), 'write edge', error);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { event: 'trouble', request: 'r1', label: 'write edge', message },
    { event: 'trouble', label: 'write edge', message },
  ]);
});

it.each([
  { origin: 'a', from: 'b', offset: 1_048_576, tries: 2, outcome: 'resumed' },
  { origin: 'a', offset: 1_048_576, tries: 6, outcome: 'given up' },
] as const)('a body that broke off is one line: %j', (facts) => {
  const lines: string[] = [];
  logResume((line) => lines.push(line), { path: '/m/@v/v1.0.0.zip', ...facts }, 'r1');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { event: 'resume', request: 'r1', path: '/m/@v/v1.0.0.zip', ...facts },
  ]);
});

it('a trace adds up the time by name, of failures too', async () => {
  const clock = fakeClock();
  const trace = createTrace(clock);
  const first = trace.measure('r2', clock.sleep(5));
  await clock.advance(5);
  await first;
  const second = trace.measure(
    'r2',
    clock.sleep(7).then(() => {
      throw new Error('away');
    }),
  );
  second.catch(() => undefined);
  await clock.advance(7);
  await expect(second).rejects.toThrow('away');
  expect(await trace.measure('edge', Promise.resolve('value'))).toBe('value');
  expect([...trace.timings]).toEqual([
    ['r2', 12],
    ['edge', 0],
  ]);
});

it.each([
  [
    {
      kind: 'mismatch',
      subject: 'm@v1.zip',
      origin: 'a',
      hashes: { database: 'sum.example', expected: 'h1:x', found: 'h1:y' },
    },
    {
      kind: 'mismatch',
      subject: 'm@v1.zip',
      origin: 'a',
      database: 'sum.example',
      expected: 'h1:x',
      found: 'h1:y',
    },
  ],
  [
    { kind: 'fork', database: 'sum.example', proof: 'one\ntwo' },
    { kind: 'fork', database: 'sum.example', proof: 'one\ntwo' },
  ],
] as const)('a security event is one line that alerts can look for: %j', (given, expected) => {
  const lines: string[] = [];
  logSecurity((line) => lines.push(line), given, 'r1');
  expect(lines.length).toBe(1);
  expect(JSON.parse(lines[0] ?? '')).toEqual({ event: 'security', request: 'r1', ...expected });
});
