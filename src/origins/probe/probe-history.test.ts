import { expect, it } from 'vitest';
import {
  appendRound,
  decodeHistory,
  encodeHistory,
  lastDay,
  lastResults,
  type ProbeHistory,
  type ProbeResult,
  type ProbeRound,
  verdictOf,
} from './probe-history.ts';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function result(id: string, at: number, rest: Partial<ProbeResult> = {}): ProbeResult {
  return { id, at, small: { isUp: true, verdict: 'ok', headersAfter: 40, bytes: 90 }, ...rest };
}

const round = (at: number, ids: readonly string[] = ['a']): ProbeRound => ({
  at,
  results: ids.map((id) => result(id, at)),
});

/** The history of runs every so many minutes, for so many hours. */
function after(hours: number, minutes: number, ids?: readonly string[]): ProbeHistory {
  let history: ProbeHistory = [];
  for (let at = START; at < START + hours * HOUR; at += minutes * MINUTE)
    history = appendRound(history, round(at, ids));
  return history;
}

it('holds the rounds of a day, oldest first, and no more', () => {
  expect(after(6, 15).map(({ at }) => (at - START) / MINUTE)).toEqual(
    Array.from({ length: 24 }, (_, index) => index * 15),
  );
  const history = after(100, 15);
  expect(history.length).toBe(96);
  expect(history[0]?.at).toBe(START + 76 * HOUR);
  expect(lastDay(history, START + 110 * HOUR).length).toBe(55);
});

it('is bounded in rounds and in results, of which the newest stay', () => {
  const often = after(24, 1);
  expect([often.length, often.at(-1)?.at]).toEqual([300, START + 24 * HOUR - MINUTE]);
  const ids = Array.from({ length: 90 }, (_, index) => `origin ${index}`);
  const many = after(24, 15, ids);
  expect([many.length, many.at(-1)?.at]).toEqual([22, START + 24 * HOUR - 15 * MINUTE]);
  expect(encodeHistory(many).length).toBeLessThan(512 * 1024);
});

it('forgets rounds that lie ahead', () => {
  const ahead = [round(START + 2 * MINUTE), round(START + HOUR)];
  expect(appendRound(ahead, round(START)).map(({ at }) => at)).toEqual([START]);
});

it('is read as it was written', () => {
  const failed = { isUp: false, verdict: 'connection failed', bytes: 0 };
  const large = { isUp: true, verdict: 'ok', headersAfter: 50, bytes: 131_072, rate: 900_000 };
  const results = [result('a', START, { large }), result('b', START, { small: failed })];
  const history = [round(START - HOUR), { at: START, results }];
  expect(decodeHistory(encodeHistory(history))).toEqual(history);
});

it.each([
  '',
  '{"version":1,"rounds":',
  '[]',
  '{"rounds":[]}',
  '{"version":2,"rounds":[]}',
  '{"version":1,"rounds":[{"at":"x","results":[]}]}',
  '{"version":1,"rounds":[{"at":1e300,"results":[]}]}',
  '{"version":1,"rounds":[{"at":1,"results":[{"id":"a","at":1}]}]}',
  `{"version":1,"rounds":[${'{"at":1,"results":[]},'.repeat(300)}{"at":1,"results":[]}]}`,
])('%.60s is no history', (text) => {
  expect(decodeHistory(text)).toBe(undefined);
});

it('the last result is that of the last round that asked', () => {
  const history = [round(START, ['a', 'b']), round(START + HOUR, ['a'])];
  const last = lastResults(history);
  expect([last.get('a')?.at, last.get('b')?.at, last.get('c')]).toEqual([
    START + HOUR,
    START,
    undefined,
  ]);
});

it('a long verdict is cut', () => {
  expect(verdictOf('x'.repeat(500)).length).toBe(120);
  expect(verdictOf('status 503')).toBe('status 503');
});
