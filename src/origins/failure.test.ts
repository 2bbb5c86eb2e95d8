import { describe, expect, it } from 'vitest';
import { TimeoutError } from '../effects/clock.ts';
import { LimitError } from '../effects/connections.ts';
import {
  badRedirect,
  type FailureReason,
  failureReasonOf,
  failureText,
  OriginError,
  publicFailureText,
  wrongContent,
} from './failure.ts';

const hashes = (found: string) => ({ database: 'sum.example', expected: 'h1:a', found });
const HIDDEN = 'a wrong answer: the log says which';

describe('the texts of a failure, in the log and in public', () => {
  it.each<[reason: FailureReason, text: string, publicText?: string]>([
    [{ kind: 'unreachable' }, 'connection failed'],
    [{ kind: 'timeout', ms: 9_960 }, 'no answer within 10 s'],
    [{ kind: 'timeout', ms: 1_540 }, 'no answer within 1.5 s'],
    [{ kind: 'not asked', because: 'the client left' }, 'not asked, the client left'],
    [{ kind: 'not asked', because: 'the time was up' }, 'not asked, the time was up'],
    [
      { kind: 'not asked', because: 'it failed a moment ago' },
      'not asked, as it failed a moment ago',
    ],
    [{ kind: 'limit' }, 'not asked, this request has made all calls that the platform allows'],
    [{ kind: 'status', status: 403 }, 'status 403'],
    [{ kind: 'overloaded', status: 503 }, 'status 503'],
    [badRedirect('a redirect from https to http'), 'a redirect from https to http'],
    [{ kind: 'wrong length', received: 5, declared: 6 }, 'body of 5 bytes where 6 were declared'],
    [{ kind: 'too long', limitBytes: 1000 }, 'body of more than 1000 bytes'],
    [{ kind: 'store' }, 'its store failed, and a zip of this size is checked there'],
    [wrongContent('an HTML page'), 'an HTML page'],
    [wrongContent('a broken zip', 'a broken zip: x'), 'a broken zip: x', 'a broken zip'],
    [{ kind: 'not now', text: 'm: fetch timed out' }, 'm: fetch timed out', HIDDEN],
    [{ kind: 'unchecked', text: 'no record of m' }, 'no record of m', HIDDEN],
    [{ kind: 'mismatch', hashes: hashes('h1:b') }, 'hash h1:b where sum.example has h1:a', HIDDEN],
    [
      { kind: 'mismatch', hashes: hashes('an HTML page') },
      'an HTML page (sum.example has h1:a)',
      HIDDEN,
    ],
  ])('of %j', (reason, text, publicText = text) => {
    expect([failureText(reason), publicFailureText(reason)]).toEqual([text, publicText]);
  });
});

describe('the reason of an error', () => {
  it.each<[error: unknown, reason: FailureReason]>([
    [new TimeoutError(3_000), { kind: 'timeout', ms: 3_000 }],
    [new OriginError({ kind: 'too long', limitBytes: 7 }), { kind: 'too long', limitBytes: 7 }],
    [
      new Error('internal error; reference = 0x33'),
      { kind: 'unreachable', how: 'its name does not resolve, or TLS failed' },
    ],
    [new Error('Network connection lost.'), { kind: 'unreachable', how: 'refused or reset' }],
    [new TypeError('anything else'), { kind: 'unreachable' }],
    [new LimitError(new Error('Too many subrequests')), { kind: 'limit' }],
    ['a thrown text', { kind: 'unreachable' }],
  ])('%o is %j', (error, reason) => {
    expect(failureReasonOf(error)).toEqual(reason);
  });
});
