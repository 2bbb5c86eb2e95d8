import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../config/config.ts';
import { openLog } from './log.ts';
import type { LogFormat } from './start-options.ts';

const TIME = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

function linesOf(format: LogFormat, ...messages: readonly string[]): readonly string[] {
  const config = parseConfig({ ORIGINS: 'http://127.0.0.1:1', SUMDBS: 'off' });
  if (!config.ok) throw new Error(config.reason.join('; '));
  const lines: string[] = [];
  const log = openLog({ format, config: config.value, write: (line) => lines.push(line) });
  for (const message of messages) log(message, TIME);
  return lines;
}

describe('the log as JSON', () => {
  it('has the time before the fields of the Worker', () => {
    expect(linesOf('json', '{"event":"note","text":"x"}')).toEqual([
      '{"time":"2026-01-02T03:04:05.678Z","event":"note","text":"x"}',
    ]);
  });

  it.each([
    [
      'kj/io.c++:1: failed: broken\nmore\nstack: /x/workerd@1 /x/workerd@2',
      'kj/io.c++:1: failed: broken; more',
    ],
    ['"text"', '"text"'],
    ['{"no":"event"}', '{"no":"event"}'],
  ])('has a message of workerd as one line without the stack: %j', (written, message) => {
    const time = '2026-01-02T03:04:05.678Z';
    const [line = '', ...more] = linesOf('json', written);
    expect(more).toEqual([]);
    expect(JSON.parse(line)).toEqual({ time, event: 'trouble', label: 'workerd', message });
  });
});

it.each([
  'e = rust/worker/ffi.rs:110: failed: failed to lookup address information: Name or service not known\nstack: /x@1',
  'kj/async-io-unix.c++:1298: failed: DNS lookup failed.; params.host = x.example\nstack: a0 b0',
])('the exception about a name that does not resolve is not shown: %s', (message) => {
  expect(linesOf('text', message)).toEqual([]);
});
