import { describe, expect, it } from 'vitest';
import type { LogLine } from './log-line.ts';
import { readableLog } from './readable-log.ts';

const TIME = new Date(2026, 0, 2, 3, 4, 5).getTime();

interface Scene {
  readonly lines: readonly string[];
  log(line: LogLine, time?: number): void;
  /** Lets a second pass. */
  second(): void;
}

function scene(): Scene {
  const lines: string[] = [];
  const scheduled: (() => void)[] = [];
  const log = readableLog({
    write: (line) => lines.push(line),
    schedule: (run) => scheduled.push(run),
  });
  return {
    lines,
    log: (line, time = TIME) => log(line, time),
    second() {
      for (const run of scheduled.splice(0)) run();
    },
  };
}

const request = {
  event: 'request',
  request: 'r1',
  method: 'GET',
  kind: 'mod',
  module: 'example.com/hello',
  version: 'v1.0.0',
  status: 200,
  ms: 12,
  tier: 'r2',
};
const tile = {
  event: 'request',
  kind: 'tile',
  path: 'tile/8/0/001',
  status: 200,
  tier: 'edge',
  ms: 3,
};

describe('one line an event, with the time of day:', () => {
  it.each<[LogLine, string]>([
    [request, '200 r2     example.com/hello@v1.0.0.mod 12 ms'],
    [
      { ...request, tier: 'origin', origin: 'goproxy.cn' },
      '200 origin example.com/hello@v1.0.0.mod 12 ms from goproxy.cn',
    ],
    [
      { ...request, tier: 'origin', origin: 'goproxy.cn', token: 'ci' },
      '200 origin example.com/hello@v1.0.0.mod 12 ms from goproxy.cn for ci',
    ],
    [
      {
        event: 'request',
        kind: 'failure',
        status: 403,
        tier: 'local',
        ms: 0,
        token: 'ci',
        text: 'no',
      },
      '403 local  failure 0 ms for ci: no',
    ],
    [
      { event: 'admin', request: 'r1', token: 'ann', action: 'make-token', subject: 'ci' },
      'admin ann: make-token ci',
    ],
    [
      { ...request, kind: 'list', version: undefined, stale: true },
      '200 r2     example.com/hello/@v/list 12 ms, stale',
    ],
    [
      { ...request, kind: 'query', version: 'main' },
      '200 r2     example.com/hello@main.info 12 ms',
    ],
    [{ ...request, kind: 'lookup' }, '200 r2     lookup example.com/hello@v1.0.0 12 ms'],
    [
      { event: 'request', kind: 'health', status: 200, tier: 'local', ms: 0 },
      '200 local  health 0 ms',
    ],
    [
      {
        ...request,
        status: 502,
        tier: 'origin',
        text: 'cannot get example.com/hello@v1.0.0.mod: a.example: connection failed',
      },
      '502 origin example.com/hello@v1.0.0.mod 12 ms: a.example: connection failed',
    ],
    [
      {
        event: 'request',
        kind: 'malformed',
        status: 404,
        tier: 'local',
        ms: 0,
        text: 'not found: no',
      },
      '404 local  malformed 0 ms: not found: no',
    ],
    [{ ...tile, status: 502, text: 'no' }, '502 edge   tile/8/0/001 3 ms: no'],
    [{ event: 'note', text: 'it compares nothing' }, 'note it compares nothing'],
    [
      { event: 'trouble', request: 'r1', label: 'write edge', message: 'Error: full' },
      'trouble write edge: Error: full',
    ],
    [{ event: 'probe', origin: 'a', verdict: 'up', ms: 40 }, 'probe a: up, 40 ms'],
    [
      { event: 'security', kind: 'mismatch', subject: 'm@v1.zip', expected: 'h1:x', found: 'h1:y' },
      'SECURITY kind=mismatch subject=m@v1.zip expected=h1:x found=h1:y',
    ],
    [{ event: 'resume', tries: 2, origin: 'a' }, 'resume tries=2 origin=a'],
  ])('%j', (line, text) => {
    const { lines, log } = scene();
    log(line);
    expect(lines).toEqual([`03:04:05 ${text}`]);
  });
});

describe('all tiles of a second are one line', () => {
  it('with their number, their tiers and the slowest', () => {
    const { lines, log, second } = scene();
    log(tile);
    log({ ...tile, tier: 'origin', ms: 40 }, TIME + 900);
    log(tile, TIME + 950);
    expect(lines).toEqual([]);
    second();
    expect(lines).toEqual(['03:04:05 200 tiles  3 tiles (2 edge, 1 origin), at most 40 ms']);
  });

  it('and those of the next second another one', () => {
    const { lines, log, second } = scene();
    log(tile);
    second();
    log(tile, TIME + 2_000);
    second();
    expect(lines.at(-1)).toBe('03:04:07 200 tiles  1 tile (1 edge), at most 3 ms');
  });
});

it('nothing that a stranger wrote controls the terminal', () => {
  const { lines, log } = scene();
  log({ ...request, status: 404, text: 'a\u001B[2J\u009B1mx\r\ny\u202Ez' });
  expect(lines).toEqual(['03:04:05 404 r2     example.com/hello@v1.0.0.mod 12 ms: a [2J 1mx y z']);
});
