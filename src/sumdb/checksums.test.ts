import { expect, it } from 'vitest';
import { modulePath, version } from '../../test/fakes/effects/values.ts';
import { parsePatterns, type Patterns } from '../module/patterns.ts';
import { createChecksums, type LookupAnswer } from './checksums.ts';

const hello = modulePath('example.com/hello');
const v1 = version('v1.0.0');
const found: LookupAnswer = { kind: 'proven', value: { zip: 'h1:zip', mod: 'h1:mod', record: 5 } };
const none: LookupAnswer = {
  kind: 'missing',
  missing: { status: 404, text: '', origin: 'a' },
  isUnanimous: true,
};
const oneSaysNo: LookupAnswer = { ...none, isUnanimous: false };
const down: LookupAnswer = {
  kind: 'failed',
  failures: [{ origin: 'a', reason: { kind: 'timeout', ms: 10_000 } }],
};
const notAsked: LookupAnswer = { kind: 'failed', failures: [] };

function ask(answers: readonly LookupAnswer[], withoutChecksums: Patterns = []) {
  const asked: string[] = [];
  const sources = answers.map((answer, at) => ({
    name: `db${at}`,
    async find() {
      asked.push(`db${at}`);
      return answer;
    },
  }));
  return { asked, expected: createChecksums(sources, { withoutChecksums }).expect(hello, v1) };
}

it.each([
  [
    'the first database that has it',
    [found, down],
    { kind: 'known', database: 'db0', zip: 'h1:zip', mod: 'h1:mod', record: 5 },
  ],
  [
    'the next one, where the first has no record',
    [none, found],
    { kind: 'known', database: 'db1' },
  ],
  ['the next one, where the first is down', [down, found], { kind: 'known', database: 'db1' }],
  ['none, where no database has a record', [none, none], { kind: 'uncovered' }],
  ['unknown, where one is down and none has a record', [none, down], { kind: 'unknown' }],
  ['unknown, where an address has none and another is down', [oneSaysNo], { kind: 'unknown' }],
] as const)('the checksums of a version are from %s', async (_, answers, expected) => {
  expect(await ask(answers).expected).toMatchObject(expected);
});

const failure = (origin: string, text: string) => ({ origin, reason: { kind: 'unchecked', text } });

it('an outage is reported with the database, the address, and with the purpose of the question', async () => {
  expect(await ask([down, oneSaysNo, notAsked]).expected).toEqual({
    kind: 'unknown',
    failures: [
      failure('db0', 'asked for its hash at a: no answer within 10 s'),
      failure('db1', 'asked for its hash at a: status 404, and another address could not be asked'),
      failure('db2', 'could not be asked for its hash'),
    ],
  });
});

it('no database is asked about a module without checksums', async () => {
  const patterns = parsePatterns('example.com/hello');
  if (!patterns.ok) throw new Error(patterns.reason.join());
  const { asked, expected } = ask([found], patterns.value);
  expect(await expected).toEqual({ kind: 'uncovered' });
  expect(asked).toEqual([]);
});
