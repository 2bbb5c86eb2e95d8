import { gunzipSync } from 'node:zlib';
import { hashGoMod, hashZip, readZip } from '../fakes/zip/dirhash.ts';
import { quoted } from './every-answer.ts';
import type { RawAnswer } from './raw-request.ts';
import type { Expected, Likeness, Quantity } from './row.ts';

/** Headers that differ from one answer to the next. */
const VOLATILE = new Set(['x-request-id', 'server-timing', 'cache-status', 'date']);

export interface AnswerToCheck {
  readonly target: string;
  readonly answer: RawAnswer;
  /** The earlier answers of the row, by name. */
  readonly earlier: ReadonlyMap<string, RawAnswer>;
}

/** How an answer differs from what is expected of it, one sentence each. */
export function findDifferences(checked: AnswerToCheck, expected: Expected): readonly string[] {
  const { answer, earlier } = checked;
  const { headers, status } = answer;
  return [
    ...differs('the status', status, expected.status),
    ...differs('the Content-Type', headers['content-type'], expected.type),
    ...differs('the Cache-Control', headers['cache-control'], expected.cache),
    ...differs('the break of the connection', answer.broken, expected.broken ?? false),
    ...bodyDifferences(checked, expected),
    ...Object.entries(expected.headers ?? {}).flatMap(([name, value]) =>
      headerDifference(name, headers[name], value),
    ),
    ...(expected.like ? likenessDifferences(answer, earlier, expected.like) : []),
  ];
}

/** How a number differs from what was expected of it. */
export function findExcess(what: string, found: number, expected: Quantity): readonly string[] {
  const isRight = typeof expected === 'number' ? found === expected : found <= expected.atMost;
  const wanted = typeof expected === 'number' ? `${expected}` : `at most ${expected.atMost}`;
  return isRight ? [] : [`${what}: ${found}, expected ${wanted}`];
}

function differs(what: string, found: unknown, expected: unknown): readonly string[] {
  if (expected === undefined || found === expected) return [];
  return [`${what} is ${quoted(found)}, expected ${quoted(expected)}`];
}

function headerDifference(
  name: string,
  found: string | undefined,
  expected: string | RegExp | undefined,
): readonly string[] {
  if (expected instanceof RegExp) {
    return found !== undefined && expected.test(found)
      ? []
      : [`the header ${name} is ${quoted(found)}, expected ${String(expected)}`];
  }
  return found === expected
    ? []
    : [`the header ${name} is ${quoted(found)}, expected ${quoted(expected) ?? 'none'}`];
}

function bodyDifferences(
  { answer, earlier, target }: AnswerToCheck,
  expected: Expected,
): readonly string[] {
  const { body, bytes, entriesBelow, h1, startOf, text } = expected;
  const found = decoded(answer);
  const problems: string[] = [];
  if (body !== undefined && !found.equals(Buffer.from(body)))
    problems.push(`the body is ${shown(found)}, expected ${shown(Buffer.from(body))}`);
  if (bytes !== undefined) problems.push(...differs('the length', found.length, bytes));
  if (typeof text === 'string' && !found.toString().includes(text))
    problems.push(`the body is ${shown(found)}, expected ${quoted(text)} in it`);
  if (text instanceof RegExp && !text.test(found.toString()))
    problems.push(`the body is ${shown(found)}, expected ${String(text)} in it`);
  const whole = startOf === undefined ? undefined : earlier.get(startOf)?.body;
  if (startOf !== undefined && !whole?.subarray(0, found.length).equals(found))
    problems.push(`the body is ${shown(found)}, which is not the start of "${startOf}"`);
  if (h1 !== undefined)
    problems.push(
      ...differs('the h1 hash', target.endsWith('.mod') ? hashGoMod(found) : hashZip(found), h1),
    );
  if (entriesBelow !== undefined) {
    const outside = readZip(found).find(({ name }) => !name.startsWith(entriesBelow));
    if (outside) problems.push(`the zip has the entry ${quoted(outside.name)}`);
  }
  return problems;
}

function decoded({ body, headers }: RawAnswer): Buffer {
  return headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

/** The start of a body, for a sentence. */
function shown(body: Buffer): string {
  const start = body.subarray(0, 200).toString('latin1');
  return body.length > 200 ? `${quoted(start)}… (${body.length} bytes)` : quoted(start);
}

function likenessDifferences(
  answer: RawAnswer,
  earlier: ReadonlyMap<string, RawAnswer>,
  { body = true, headers = [], to }: Likeness,
): readonly string[] {
  const other = earlier.get(to);
  if (!other) return [`no earlier answer is called ${quoted(to)}`];
  const names =
    headers === 'lasting'
      ? [...new Set([...Object.keys(answer.headers), ...Object.keys(other.headers)])].filter(
          (name) => !VOLATILE.has(name),
        )
      : headers;
  return [
    ...(body && !decoded(answer).equals(decoded(other))
      ? [`the body is ${shown(decoded(answer))}, and of "${to}" it was ${shown(decoded(other))}`]
      : []),
    ...names.flatMap((name) => headerDifference(name, answer.headers[name], other.headers[name])),
  ];
}
