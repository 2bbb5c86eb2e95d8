import { expect, it } from 'vitest';
import { bytes, modulePath, version } from '../../../test/fakes/effects/values.ts';
import { fakeContext } from '../../../test/fakes/mirror/context.ts';
import { fakeAges } from '../../../test/fakes/policy/ages.ts';
import { LOCAL } from '../../mirror/outcome.ts';
import type { Age, AgeLimits } from './age.ts';
import { explainer } from './explain.ts';
import { parseRules } from './rules.ts';

const hello = modulePath('example.com/hello');
const v1 = version('v1.0.0');
const ENFORCE = { explicitMs: 1, listMs: 1 };
const DISCOVER = { explicitMs: undefined, listMs: 1 };
const LOG = { database: 'sum.example', record: 7, text: 'record 7 of sum.example' };

async function explain(limits: AgeLimits, age: Age, DENY = '') {
  const deny = parseRules('DENY', DENY);
  if (!deny.ok) throw new Error('no rules');
  const ages = fakeAges({ [v1]: age });
  const policy = {
    allow: [],
    deny: deny.value,
    limitsOf: () => limits,
    openAges: () => ages,
  };
  const body = bytes('{"Version":"v1.0.0"}');
  const file = { body, size: body.length, etag: '"1"' };
  const explain = explainer(
    async () => ({ kind: 'found', file, contentType: '', cache: 'mutable', source: LOCAL }),
    policy,
    async () => LOG,
  );
  return { asked: ages.asked, ...(await explain(hello, v1, fakeContext())) };
}

const YOUNG: Age = { kind: 'young', from: Date.UTC(2026, 10, 24, 9) };
const FROM = '2026-11-24T09:00:00Z';

it.each([
  [ENFORCE, YOUNG, { verdict: 'refused', from: FROM }, `may be had from ${FROM} on`],
  [DISCOVER, YOUNG, { verdict: 'unlisted', from: FROM }, `may be had from ${FROM} on`],
  [
    ENFORCE,
    { kind: 'unknown', why: 'no answer' },
    { verdict: 'refused' },
    'not known yet: no answer',
  ],
  [ENFORCE, { kind: 'uncovered', why: 'no log' }, { verdict: 'refused' }, 'cannot be told: no log'],
  [ENFORCE, { kind: 'old' }, { verdict: 'passes' }, 'no rule refuses it, and it is old enough'],
] as const)('with %j an age of %j is explained', async (limits, age, policy, why) => {
  const explanation = await explain(limits, age);
  expect(explanation).toMatchObject({ policy, log: LOG });
  expect(explanation.policy.why).toContain(why);
});

it('the age of a version that a rule refuses is not looked up', async () => {
  const { asked, policy } = await explain(ENFORCE, YOUNG, 'example.com/hello');
  expect(policy).toEqual({
    verdict: 'refused',
    variable: 'DENY',
    entry: 'example.com/hello',
    why: 'DENY has "example.com/hello"',
  });
  expect(asked).toEqual([]);
});
