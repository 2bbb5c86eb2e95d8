import { expect, it } from 'vitest';
import { modulePath, version } from '../../test/fakes/effects/values.ts';
import { parsePatterns } from '../module/patterns.ts';
import type { Answer } from '../origins/race/ask.ts';
import { createChecksums } from './checksums.ts';
import type { Lookup } from './log-client.ts';

const hello = modulePath('example.com/hello');
const v1 = version('v1.0.0');
const found: Answer<Lookup> = {
  kind: 'accepted',
  value: { bytes: new Uint8Array(), zip: 'h1:zip', mod: 'h1:mod' },
  origin: 'a',
  attempts: 1,
  failures: [],
};
const none: Answer<Lookup> = {
  kind: 'missing',
  missing: { status: 404, text: '', origin: 'a' },
  unanimous: true,
  attempts: 1,
};
const alone: Answer<Lookup> = { ...none, unanimous: false };
const down: Answer<Lookup> = {
  kind: 'failed',
  failures: [{ origin: 'a', cause: 'timeout', text: 'no answer within 10 s' }],
  attempts: 1,
};

function ask(answers: readonly Answer<Lookup>[], module = hello) {
  const asked: string[] = [];
  const parsed = parsePatterns('*.corp.example');
  const databases = answers.map((answer, at) => ({
    name: `db${at}`,
    client: {
      async hashes() {
        asked.push(`db${at}`);
        return answer;
      },
    },
  }));
  const unlogged = parsed.ok ? parsed.value : [];
  return { asked, expected: createChecksums(databases, { unlogged }).expect(module, v1) };
}

it.each([
  [
    'the first one that has it',
    [found, down],
    { kind: 'known', database: 'db0', zip: 'h1:zip', mod: 'h1:mod' },
  ],
  [
    'the next one, where the first has no record',
    [none, found],
    { kind: 'known', database: 'db1' },
  ],
  ['the next one, where the first is down', [down, found], { kind: 'known', database: 'db1' }],
  ['nobody, where none has a record', [none, none], { kind: 'uncovered' }],
  ['not known, where one is down and none has a record', [none, down], { kind: 'unknown' }],
  ['not known, where an address says no and another one is down', [alone], { kind: 'unknown' }],
] as const)('what a version must be says %s', async (_, answers, expected) => {
  expect(await ask(answers).expected).toMatchObject(expected);
});

it('an outage is told with its address, and what it was asked for', async () => {
  expect(await ask([down]).expected).toEqual({
    kind: 'unknown',
    failures: [
      { origin: 'a', cause: 'unchecked', text: 'asked for its hash: no answer within 10 s' },
    ],
  });
});

it('a module that is not to be named is told to none of them', async () => {
  const { asked, expected } = ask([found], modulePath('git.corp.example/secret'));
  expect([await expected, asked]).toEqual([{ kind: 'uncovered' }, []]);
});
