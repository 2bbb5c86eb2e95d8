import { describe, expect, it } from 'vitest';
import { wrongContent } from '../failure.ts';
import {
  decide,
  type RaceState,
  replacesFailure,
  retryPauseMs,
  type RunningRequest,
} from './decide.ts';

const NOW = Date.UTC(2026, 0, 1);

interface Named extends RunningRequest {
  readonly name: string;
}

/** A request of a healthy origin that has waited so long. */
function request(name: string, waitedMs: number, rest: Partial<RunningRequest> = {}): Named {
  return {
    name,
    waitingSince: NOW - waitedMs,
    hedgeDelayMs: 500,
    waitAfter404Ms: 5_000,
    hasHeaders: false,
    lastResortUntil: Infinity,
    isJudged: false,
    wasSuspect: false,
    isSuspect: false,
    ...rest,
  };
}

const HEALTHY = { isTripped: false, mayConfirm404: false };

/** What happens next, in a few words. */
function decided(state: Partial<RaceState<Named>>): string {
  const action = decide<Named>(
    {
      running: [],
      hasAccepted: false,
      has404: false,
      isTakenDown: false,
      next: undefined,
      isClientGone: false,
      deadline: NOW + 25_000,
      hasSpareCalls: true,
      canHedge: true,
      isCrowded: false,
      ...state,
    },
    NOW,
  );
  const names = (requests: readonly Named[]) => requests.map(({ name }) => name).join(' ');
  switch (action.kind) {
    case 'start': {
      const { isBudgeted, isConfirmation, isHedge } = action;
      const hedge = isHedge ? (isBudgeted ? ', a budgeted hedge' : ', a free hedge') : '';
      return `start${hedge}${isConfirmation ? ', to confirm a 404' : ''}`;
    }
    case 'skip':
      return `skip: ${action.because}`;
    case 'give up':
      return `give up ${names(action.requests)}`;
    case 'wait':
      return `wait ${action.ms} ms for ${names(action.requests)}`;
    case 'finish':
      return 'finish';
  }
}

const late = request('a', 500);
const early = request('a', 420);

const suspect = request('a', 500, { wasSuspect: true, isSuspect: true });

describe('the next step of a race', () => {
  it.each<[when: string, state: Partial<RaceState<Named>>, step: string]>([
    ['at the start', { next: HEALTHY }, 'start'],
    ['with an accepted answer', { hasAccepted: true, next: HEALTHY, running: [late] }, 'finish'],
    ['after all failed', {}, 'finish'],
    // hedges
    ['before a request is late', { running: [early], next: HEALTHY }, 'wait 80 ms for a'],
    ['with a late request', { running: [late], next: HEALTHY }, 'start, a budgeted hedge'],
    [
      'with a late request and no budget',
      { running: [late], next: HEALTHY, canHedge: false },
      'wait 100 ms for a',
    ],
    [
      'with a late request of a suspect origin and no budget',
      {
        running: [suspect],
        next: HEALTHY,
        canHedge: false,
      },
      'start, a free hedge',
    ],
    [
      'with a late request and few calls left',
      { running: [late], next: HEALTHY, hasSpareCalls: false },
      'wait 100 ms for a',
    ],
    [
      'with a late request of a suspect origin and few calls left',
      { running: [suspect], next: HEALTHY, hasSpareCalls: false },
      'wait 100 ms for a',
    ],
    [
      'with a late request after a 404, and few calls left',
      { running: [late], has404: true, next: HEALTHY, hasSpareCalls: false },
      'start',
    ],
    [
      'with a request that waits for a connection',
      { running: [request('a', 0, { waitingSince: undefined })], next: HEALTHY },
      'wait 100 ms for a',
    ],
    [
      'with two requests of 2 s while another call waits for a connection',
      { running: [request('a', 2_500), request('b', 2_000)], isCrowded: true },
      'give up a',
    ],
    [
      'with one request of 2 s and another origin while another call waits for a connection',
      { running: [request('a', 2_000)], next: HEALTHY, canHedge: false, isCrowded: true },
      'give up a',
    ],
    [
      'with one healthy origin and an open one while another call waits for a connection',
      {
        running: [request('a', 2_000, { hedgeDelayMs: 2_000 })],
        next: { isTripped: true, mayConfirm404: true },
        canHedge: false,
        isCrowded: true,
      },
      'wait 100 ms for a',
    ],
    [
      'with two requests after a 404 while another call waits for a connection',
      { running: [request('a', 3_000), request('b', 3_000)], has404: true, isCrowded: true },
      'wait 100 ms for a b',
    ],
    [
      'with the last request while another call waits for a connection',
      { running: [request('a', 2_000)], isCrowded: true },
      'wait 100 ms for a',
    ],
    [
      'with a body, which keeps no connection, while another call waits for one',
      {
        running: [request('a', 2_000, { hasHeaders: true }), request('b', 600)],
        isCrowded: true,
      },
      'wait 100 ms for a b',
    ],
    [
      'with a request whose origin failed for others meanwhile',
      { running: [request('a', 10, { isSuspect: true })], next: HEALTHY },
      'start, a free hedge',
    ],
    [
      'while modferry works on the answer of an origin that failed for others meanwhile',
      { running: [request('a', 0, { waitingSince: undefined, isSuspect: true })], next: HEALTHY },
      'wait 100 ms for a',
    ],
    [
      'with one late request and one that is not',
      { running: [late, request('b', 100)], next: HEALTHY },
      'wait 100 ms for a b',
    ],
    [
      'with three late requests',
      { running: [late, request('b', 600), request('c', 700)], next: HEALTHY },
      'wait 100 ms for a b c',
    ],
    [
      'with three late requests, one of them for two seconds',
      { running: [late, request('b', 2_000), request('c', 700)], next: HEALTHY },
      'give up b',
    ],
    // 404
    ['after a 404 with nothing left', { has404: true }, 'finish'],
    ['after a 404 with a healthy origin left', { has404: true, next: HEALTHY }, 'start'],
    ['after a 404 with a late request', { has404: true, running: [late], next: HEALTHY }, 'start'],
    [
      'after a 404 while a healthy origin is late',
      { has404: true, running: [request('a', 4_950)] },
      'wait 50 ms for a',
    ],
    [
      'after a 404 when a healthy origin took five seconds',
      { has404: true, running: [request('a', 5_000)] },
      'finish',
    ],
    [
      'after a 404 with an open origin that may be asked',
      { has404: true, next: { isTripped: true, mayConfirm404: true } },
      'start, to confirm a 404',
    ],
    [
      'after a 404 with an open origin that failed a moment ago',
      { has404: true, next: { isTripped: true, mayConfirm404: false } },
      'skip: it failed a moment ago',
    ],
    [
      'without a 404 with an open origin that failed a moment ago',
      { next: { isTripped: true, mayConfirm404: false } },
      'start',
    ],
    // the end
    ['after the deadline', { next: HEALTHY, deadline: NOW }, 'skip: the time was up'],
    ['after the client left', { next: HEALTHY, isClientGone: true }, 'skip: the client left'],
    [
      'after the client left, with a request without an answer',
      { running: [early], isClientGone: true },
      'finish',
    ],
    [
      'after the client left, with an answer that has begun',
      { running: [request('a', 420, { hasHeaders: true })], isClientGone: true },
      'wait 80 ms for a',
    ],
  ])('%s', (_, state, step) => {
    expect(decided(state)).toBe(step);
  });
});

describe('a second request to an origin that failed', () => {
  it.each([
    ['after a reset connection', { reason: { kind: 'unreachable' } as const }, 150],
    ['after a status', { reason: { kind: 'status', status: 500 } as const }, 150],
    ['after a page', { reason: wrongContent('a page') }, 150],
    ['after a timeout', { reason: { kind: 'timeout', ms: 1 } as const }, undefined],
    ['after a refused call', { reason: { kind: 'limit' } as const }, undefined],
    ['after a "not now"', { reason: { kind: 'not now', text: '' } as const }, undefined],
    [
      'after a Retry-After of two seconds',
      { reason: { kind: 'overloaded', status: 503 } as const, retryAfterSeconds: 2 },
      2_000,
    ],
    [
      'after a Retry-After of three seconds',
      { reason: { kind: 'overloaded', status: 503 } as const, retryAfterSeconds: 3 },
      undefined,
    ],
  ])('%s starts after %s %d ms', (_, failure, pauseMs) => {
    expect(retryPauseMs(failure, 0.5)).toBe(pauseMs);
  });

  it.each([
    ['accepted', wrongContent('a page'), true],
    ['failed', wrongContent('a page'), true],
    ['missing', wrongContent('a page'), false],
    ['missing', { kind: 'wrong length', received: 1, declared: 2 } as const, false],
    ['missing', { kind: 'unreachable' } as const, true],
    ['missing', { kind: 'status', status: 500 } as const, true],
  ] as const)('that is %s after %j replaces the failure: %s', (second, first, isReplaced) => {
    expect(replacesFailure(second, first)).toBe(isReplaced);
  });
});
