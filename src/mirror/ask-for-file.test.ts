import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeFetch, originOf } from '../../test/fakes/effects/fetch.ts';
import { modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { afterRetry, fakeContext } from '../../test/fakes/mirror/context.ts';
import { failed, success } from '../effects/result.ts';
import { type FailureReason, wrongContent } from '../origins/failure.ts';
import type { Question } from '../origins/request/question.ts';
import { versionKey } from '../store/key.ts';
import { type AskedFile, askForFile } from './ask-for-file.ts';

const file: AskedFile = {
  key: versionKey(modulePath('example.com/hello'), version('v1.0.0'), 'mod'),
  subject: 'example.com/hello@v1.0.0.mod',
  origins: [originOf('a'), originOf('b')],
};
const hashes = { database: 'sum.example', expected: 'h1:right', found: 'h1:wrong' };
const MISMATCH: FailureReason = { kind: 'mismatch', hashes };
const PAGE = wrongContent('an HTML page');

/** A question that refuses `wrong` for this reason. */
const question = (reason: FailureReason): Question<string> => ({
  path: '/file',
  async accept(body) {
    const content = text(await body.all(100));
    return content === 'wrong' ? failed(reason) : success(content);
  },
});

function setup(contentOfA: string, contentOfB: string) {
  const clock = fakeClock();
  const fetch = fakeFetch({
    'https://a': () => new Response(contentOfA),
    'https://b': () => new Response(contentOfB),
  });
  return { clock, fetch, context: fakeContext({ clock, fetch }) };
}

describe('an origin with a wrong file', () => {
  it('is reported, and remembered for that file', async () => {
    const { context } = setup('wrong', 'right');
    expect(await askForFile(file, question(MISMATCH), context)).toMatchObject({
      kind: 'accepted',
      value: 'right',
      origin: 'b',
    });
    expect(context.alarms).toEqual([
      { event: 'security', kind: 'mismatch', subject: file.subject, origin: 'a', hashes },
    ]);
    const { wrongFiles } = context.shared;
    expect([wrongFiles.has(file.key, 'a'), wrongFiles.has(file.key, 'b')]).toEqual([true, false]);
  });

  it('is asked last for that file alone', async () => {
    const { context, fetch } = setup('right', 'right');
    context.shared.wrongFiles.add(file.key, 'a');
    await askForFile(file, question(MISMATCH), context);
    const other = versionKey(modulePath('example.com/hello'), version('v1.1.0'), 'mod');
    await askForFile({ ...file, key: other }, question(MISMATCH), context);
    expect(fetch.calls.map(({ url }) => new URL(url).host)).toEqual(['b', 'a']);
  });

  it('is reported also where every origin is wrong', async () => {
    const { context, clock } = setup('wrong', 'wrong');
    const answer = await afterRetry(clock, askForFile(file, question(MISMATCH), context));
    expect(answer.kind).toBe('failed');
    expect(new Set(context.alarms.map((alarm) => 'origin' in alarm && alarm.origin))).toEqual(
      new Set(['a', 'b']),
    );
  });

  it('that the log says nothing of raises no alarm', async () => {
    const { context } = setup('wrong', 'right');
    await askForFile(file, question(PAGE), context);
    expect(context.alarms).toEqual([]);
    expect(context.shared.wrongFiles.has(file.key, 'a')).toBe(false);
  });
});
