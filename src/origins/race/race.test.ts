import { describe, expect, it } from 'vitest';
import { never, originOf, refused } from '../../../test/fakes/effects/fetch.ts';
import {
  a,
  after,
  b,
  broken,
  c,
  freezing,
  no,
  ok,
  type Reply,
  Scene,
} from '../../../test/fakes/effects/race-scene.ts';
import { wrongContent } from '../failure.ts';
import { Connections } from '../../effects/connections.ts';
import { failed, success } from '../../effects/result.ts';
import type { Origin } from '../origin.ts';
import { rankOrigins } from './order.ts';
import type { Question } from '../request/question.ts';

const notAsked = { kind: 'not asked', because: 'the client left' };

const acceptOk: Question<string>['accept'] = async (body) =>
  new TextDecoder().decode(await body.all(100)) === 'ok'
    ? success('ok')
    : failed(wrongContent('a page'));

describe('a second origin is asked', () => {
  it.each([
    ['150 ms where it answers at once as a rule', 1, 150],
    ['its usual time', 400, 400],
    ['2 s where it is slow as a rule', 9_000, 2_000],
  ])('after %s', async (_, usual, delay) => {
    const scene = new Scene();
    scene.history(a, usual);
    scene.history(b, usual);
    scene.ask({ a: never, b: never });
    await scene.clock.advance(delay - 1);
    expect(scene.asked).toBe('a');
    await scene.clock.advance(delay * 0.25 + 1); // a bucket's width
    expect(scene.asked).toBe('ab');
  });

  it('after half a second where the latency is unknown, and its answer ends the first request', async () => {
    const scene = new Scene();
    scene.ask({ a: never, b: ok });
    await scene.clock.advance(499);
    expect([scene.asked, scene.answer]).toEqual(['a', undefined]);
    await scene.clock.advance(1);
    expect(scene.answer).toMatchObject({
      kind: 'accepted',
      origin: 'b',
      effort: { attempts: 2, hedged: true },
    });
    expect(scene.fetch.calls.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  });

  it('and the first one is still used if it is faster', async () => {
    const scene = new Scene();
    const { clock } = scene;
    scene.ask({ a: after(clock, 600, ok), b: after(clock, 600, ok) });
    await clock.advance(600);
    expect(scene.answer).toMatchObject({
      kind: 'accepted',
      origin: 'a',
      effort: { attempts: 2, hedged: true },
    });
    expect(scene.fetch.calls.map(({ signal }) => signal.aborted)).toEqual([false, true]);
    // the second one was started late and was not late itself: it has not failed
    expect(scene.health.isSuspect(b, 'reach')).toBe(false);
  });

  it('when the body stalls, as it does behind some filters after 16 KB', async () => {
    const scene = new Scene();
    scene.ask({ a: freezing(16 * 1024), b: ok }, { asks: { policy: { lane: 'bulk' } } });
    await scene.clock.advance(500);
    expect(scene.answer).toMatchObject({
      kind: 'accepted',
      origin: 'b',
      effort: { hedged: true },
    });
    expect([scene.health.isSuspect(a, 'bulk'), scene.health.isSuspect(a, 'reach')]).toEqual([
      true,
      false,
    ]);
  });

  it('at once when the first one fails, which is not counted as a hedge', async () => {
    const scene = new Scene();
    scene.ask({ a: broken, b: ok });
    await scene.clock.advance(0);
    expect(scene.answer).toEqual({
      kind: 'accepted',
      value: 'ok',
      origin: 'b',
      failures: [{ origin: 'a', reason: { kind: 'status', status: 500 } }],
      effort: { attempts: 2, hedged: false, breakers: {} },
    });
  });

  it('and no third one while the second is not late', async () => {
    const scene = new Scene();
    scene.ask({ a: never, b: never, c: never });
    await scene.clock.advance(999);
    expect(scene.asked).toBe('ab');
    await scene.clock.advance(1);
    expect(scene.asked).toBe('abc');
  });

  it('not while modferry itself is at work on the first answer', async () => {
    const scene = new Scene();
    const accept: Question<string>['accept'] = async (body) => {
      await body.all(100);
      await scene.clock.sleep(5_000); // a checksum database takes its time
      return success('checked');
    };
    scene.ask({ a: ok, b: ok }, { asks: { accept } });
    await scene.clock.advance(5_000);
    expect(scene.answer).toMatchObject({
      kind: 'accepted',
      value: 'checked',
      origin: 'a',
      effort: { attempts: 1 },
    });
  });

  it('and is the first one for what the check of its answer asks', async () => {
    const scene = new Scene();
    const { health } = scene;
    let ranked: readonly Origin[] = [];
    const accept: Question<string>['accept'] = async () => {
      ranked = rankOrigins([a, b], { health, lane: 'reach', region: {} });
      return success('checked');
    };
    scene.ask({ a: never, b: ok }, { asks: { accept } });
    await scene.clock.advance(500);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'b' });
    expect(ranked).toEqual([b, a]);
    expect(health.isSuspect(a, 'reach')).toBe(true); // the answer was accepted
  });

  it('and nothing counts against the first one when that answer is refused', async () => {
    const scene = new Scene();
    const { clock, health } = scene;
    scene.ask(
      { a: after(clock, 800, ok), b: () => new Response('a page') },
      { asks: { accept: acceptOk } },
    );
    await clock.advance(800);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'a' });
    expect(rankOrigins([a, b], { health, lane: 'reach', region: {} })).toEqual([a, b]);
    expect(health.counters(a)).toMatchObject({ overtaken: 0, failures: 0 });
  });

  it('not across a comma before the first one answered 404: the module name may be private', async () => {
    const scene = new Scene();
    scene.ask({ a: never, b: ok }, { origins: [originOf('a', { fallback: 'missing' }), b] });
    await scene.clock.advance(25_000);
    expect(scene.answer).toMatchObject({ kind: 'failed' });
    expect(scene.asked).toBe('a');
  });
});

describe('a request that has made nearly all of its calls', () => {
  it.each([false, true])('no hedge is begun, where the late origin is suspect: %s', async (bad) => {
    const scene = new Scene();
    const connections = new Connections({ externalCalls: 50 });
    for (let at = 0; at < 40; at++) await connections.call('external', async () => undefined);
    if (bad) for (const origin of [a, b]) scene.fail(origin);
    scene.ask({ a: never, b: ok }, { effects: { connections } });
    await scene.clock.advance(9_000);
    expect(scene.asked).toBe('a');
    await scene.clock.advance(1_000);
    expect([scene.asked, scene.answer?.kind]).toEqual(['ab', 'accepted']);
  });

  it('a call that is refused blames no origin and is not repeated', async () => {
    const scene = new Scene();
    const connections = new Connections();
    const call = () => connections.call('external', refused);
    for (let at = 0; at < 4; at++) {
      scene.ask({ a: call, b: call }, { effects: { connections } });
      await scene.clock.advance(1_000);
      expect(scene.answer).toMatchObject({
        kind: 'failed',
        failures: ['a', 'b'].map((origin) => ({ origin, reason: { kind: 'limit' } })),
        effort: { attempts: 2, breakers: {} },
      });
    }
    expect(scene.health.snapshot().size).toBe(0);
    expect([a, b].map((origin) => scene.health.counters(origin).failures)).toEqual([0, 0]);
  });
});

describe('the budget of hedges', () => {
  it('being spent, a late origin that is not suspect is waited for twice as long as usual', async () => {
    const scene = new Scene();
    while (scene.health.hedgeBudget.spend());
    scene.ask({ a: after(scene.clock, 999, ok), b: ok });
    await scene.clock.advance(999);
    expect(scene.answer).toMatchObject({ origin: 'a', effort: { attempts: 1 } });
  });

  it('being spent, two origins of three that hang cost two seconds', async () => {
    const scene = new Scene();
    while (scene.health.hedgeBudget.spend());
    scene.ask({ a: never, b: freezing(100), c: ok });
    await scene.clock.advance(1_999);
    expect(scene.answer).toBeUndefined();
    await scene.clock.advance(1);
    expect(scene.answer).toMatchObject({ origin: 'c', effort: { attempts: 3 } });
  });

  it('does not matter after other requests have seen the origin fail', async () => {
    const scene = new Scene();
    while (scene.health.hedgeBudget.spend());
    scene.ask({ a: never, b: ok });
    await scene.clock.advance(200);
    expect(scene.asked).toBe('a');
    scene.fail(a);
    await scene.clock.advance(100);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'b' });
  });

  it('lets no more than one in ten requests be doubled in the long run', async () => {
    const scene = new Scene();
    scene.history(a, 3_000);
    scene.history(b, 3_000);
    let doubled = 0;
    for (let at = 0; at < 500; at++) {
      scene.ask({ a: after(scene.clock, 3_000, ok), b: never });
      await scene.clock.advance(3_000);
      expect(scene.answer).toMatchObject({ origin: 'a' });
      if (scene.asked === 'ab') doubled += 1;
      // b was overtaken, which another test covers
      scene.health.recordSuccess(b, { bytes: 1, lane: 'reach' });
    }
    expect(doubled).toBeGreaterThan(40);
    expect(doubled).toBeLessThanOrEqual(10 + 50);
  });
});

describe('after a failure', () => {
  it('the origin is asked after the others, so that no request waits for it', async () => {
    const scene = new Scene();
    scene.ask({ a: never, b: ok });
    await scene.clock.advance(500);
    scene.ask({ a: never, b: ok });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'b', effort: { attempts: 1 } });
  });

  it('the origin is tried in the background of a request, and then asked first again', async () => {
    const scene = new Scene();
    scene.ask({ a: broken, b: ok });
    await scene.clock.advance(0);
    await scene.clock.advance(5_000);
    scene.ask({ a: ok, b: ok });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({ origin: 'b', effort: { attempts: 1 } });
    scene.ask({ a: ok, b: ok });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({ origin: 'a', effort: { attempts: 1 } });
  });

  it('an open breaker is listed in the answer, and the origin is asked when all others failed', async () => {
    const scene = new Scene();
    scene.fail(a, 3);
    scene.ask({ a: ok, b: broken });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({
      kind: 'accepted',
      origin: 'a',
      effort: { attempts: 2, breakers: { a: 'open' } },
    });
    expect(scene.asked).toBe('ba');
  });

  it('with every breaker open the origin that closes first is asked first', async () => {
    const scene = new Scene();
    for (const origin of [b, a]) {
      scene.fail(origin, 3);
      await scene.clock.advance(1_000);
    }
    scene.ask({ a: ok, b: ok });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({
      origin: 'b',
      effort: { attempts: 1, breakers: { a: 'open', b: 'open' } },
    });
  });

  it('with every breaker open a hanging outage takes five seconds and not the whole time', async () => {
    const scene = new Scene();
    for (const origin of [a, b]) {
      scene.fail(origin, 3);
    }
    scene.ask({ a: never, b: never });
    await scene.clock.advance(5_500);
    expect(scene.answer).toMatchObject({ kind: 'failed', effort: { attempts: 2 } });
  });
});

describe('a 404', () => {
  it('is not the answer while another origin is not late', async () => {
    const scene = new Scene();
    scene.ask({ a: after(scene.clock, 1_900, ok), b: no });
    await scene.clock.advance(1_899);
    expect(scene.answer).toBeUndefined();
    await scene.clock.advance(1);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'a' });
  });

  it('is the answer after five seconds without progress of the other origin, and is not unanimous', async () => {
    const scene = new Scene();
    scene.ask({ a: never, b: no });
    await scene.clock.advance(4_999);
    expect(scene.answer).toBeUndefined();
    await scene.clock.advance(1);
    expect(scene.answer).toMatchObject({
      kind: 'missing',
      isUnanimous: false,
      effort: { hedged: true },
    });
    expect(scene.fetch.calls.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  });

  it('does not end an answer that makes progress', async () => {
    const scene = new Scene();
    const { clock } = scene;
    const slow: Reply = () => {
      const body = new ReadableStream({
        async pull(controller) {
          await clock.sleep(1_500);
          controller.enqueue(new Uint8Array(30_000));
        },
      });
      return new Response(body, { headers: { 'Content-Length': '90000' } });
    };
    scene.ask({ a: slow, b: no });
    await clock.advance(6_000);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'a' });
  });

  it('waits for an origin that failed twice no longer than its hedge delay', async () => {
    const scene = new Scene();
    scene.fail(a, 2);
    scene.ask({ a: never, b: no });
    await scene.clock.advance(499);
    expect([scene.asked, scene.answer]).toEqual(['ba', undefined]);
    await scene.clock.advance(1);
    expect(scene.answer).toMatchObject({ kind: 'missing', isUnanimous: false });
  });

  it('is confirmed by an origin with an open breaker, but not within seconds of its last failure', async () => {
    const scene = new Scene();
    scene.fail(a, 3);
    scene.ask({ a: ok, b: no });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({
      kind: 'missing',
      isUnanimous: false,
      effort: { attempts: 1 },
    });
    await scene.clock.advance(5_000);
    scene.ask({ a: ok, b: no });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'a', effort: { attempts: 2 } });
    expect(scene.health.state(a, 'reach')).toBe('closed');
  });

  it('is confirmed by an origin with an open breaker for one request at a time', async () => {
    const scene = new Scene();
    scene.fail(a, 3);
    await scene.clock.advance(5_000);
    scene.ask({ a: never, b: no });
    await scene.clock.advance(100);
    expect(scene.asked).toBe('ba');
    scene.ask({ a: ok, b: no });
    await scene.clock.advance(100);
    expect([scene.answer?.kind, scene.asked]).toEqual(['missing', 'b']);
  });
});

describe('a client that leaves', () => {
  it('blames no origin, also none that was late', async () => {
    const scene = new Scene();
    const client = new AbortController();
    scene.ask({ a: never }, { effects: { signal: client.signal } });
    await scene.clock.advance(3_000);
    client.abort();
    await scene.clock.advance(200);
    expect(scene.answer?.kind).toBe('failed');
    expect(scene.health.counters(a)).toMatchObject({ overtaken: 0, failures: 0 });
  });

  it('ends a request without an answer, and no failure is recorded', async () => {
    const scene = new Scene();
    const client = new AbortController();
    scene.ask({ a: never, b: ok }, { effects: { signal: client.signal } });
    await scene.clock.advance(300);
    client.abort();
    await scene.clock.advance(100);
    expect(scene.answer).toMatchObject({ kind: 'failed', effort: { attempts: 1 } });
    expect([scene.fetch.calls[0]?.signal.aborted, scene.health.isSuspect(a, 'reach')]).toEqual([
      true,
      false,
    ]);
  });

  it('does not end an answer that has begun', async () => {
    const scene = new Scene();
    const client = new AbortController();
    const accept: Question<string>['accept'] = async (body) => {
      await body.all(100);
      await scene.clock.sleep(1_000);
      return success('checked');
    };
    scene.ask({ a: ok }, { asks: { accept }, effects: { signal: client.signal } });
    await scene.clock.advance(300);
    client.abort();
    await scene.clock.advance(1_000);
    expect(scene.answer).toMatchObject({ kind: 'accepted' });
  });
});

it('of two answers that are accepted at the same moment one is discarded', async () => {
  const scene = new Scene();
  const discarded: string[] = [];
  const accept: Question<string>['accept'] = async (body) => {
    const text = new TextDecoder().decode(await body.all(100));
    await scene.clock.sleep(text === 'early' ? 1_000 : 500);
    return success(text);
  };
  const early = after(scene.clock, 600, () => new Response('early'));
  const late = after(scene.clock, 600, () => new Response('late'));
  scene.ask(
    { a: early, b: late },
    { asks: { accept, discard: (value) => void discarded.push(value) } },
  );
  await scene.clock.advance(5_000);
  expect(scene.answer).toMatchObject({ kind: 'accepted', value: 'early', origin: 'a' });
  expect(discarded).toEqual(['late']);
});

it('an answer that is accepted after another one was used is discarded', async () => {
  const scene = new Scene();
  const discarded: string[] = [];
  const accept: Question<string>['accept'] = async (body) => {
    const text = new TextDecoder().decode(await body.all(100));
    if (text === 'late') await scene.clock.sleep(2_000);
    return success(text);
  };
  const late = new ReadableStream({
    async start(controller) {
      await scene.clock.sleep(700);
      controller.enqueue(new TextEncoder().encode('late'));
      controller.close();
    },
  });
  scene.ask(
    { a: () => new Response(late), b: after(scene.clock, 1_000, ok) },
    { asks: { accept, discard: (value) => void discarded.push(value) } },
  );
  await scene.clock.advance(1_500);
  expect(scene.answer).toMatchObject({ kind: 'accepted', value: 'ok', origin: 'b' });
  await scene.clock.advance(5_000);
  expect(discarded).toEqual(['late']);
});

describe('a 404, when the client leaves,', () => {
  it('is not unanimous when the remaining origins were not asked', async () => {
    const scene = new Scene();
    const client = new AbortController();
    scene.ask({ a: after(scene.clock, 120, no), b: ok }, { effects: { signal: client.signal } });
    await scene.clock.advance(110);
    client.abort();
    await scene.clock.advance(200);
    expect(scene.answer).toMatchObject({ kind: 'missing', isUnanimous: false });
  });

  it('an origin that was not asked because the client left is listed as a failure', async () => {
    const scene = new Scene();
    scene.ask({ a: ok, b: ok }, { effects: { signal: AbortSignal.abort() } });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({
      kind: 'failed',
      effort: { attempts: 0 },
      failures: [{ reason: notAsked }, { reason: notAsked }],
    });
  });

  it('no file is missing when the origins beyond a comma were not asked', async () => {
    const scene = new Scene();
    const client = new AbortController();
    const origins = [originOf('a', { fallback: 'missing' }), b];
    const leaves = () => {
      client.abort();
      return no();
    };
    scene.ask({ a: leaves, b: ok }, { origins, effects: { signal: client.signal } });
    await scene.clock.advance(200);
    expect([scene.answer?.kind, scene.asked]).toEqual(['failed', 'a']);
  });

  it('also ends the second request to a lone origin', async () => {
    const scene = new Scene();
    const client = new AbortController();
    let asked = 0;
    scene.ask(
      { a: (call) => (asked++ === 0 ? broken() : never(call)) },
      { effects: { signal: client.signal } },
    );
    await scene.clock.advance(300);
    client.abort();
    await scene.clock.advance(100);
    expect([scene.answer?.kind, scene.fetch.calls.at(-1)?.signal.aborted]).toEqual([
      'failed',
      true,
    ]);
  });
});

describe('a 404 while others hang', () => {
  it.each([10, 0])(
    'does not prevent a healthy mirror from being asked, with %d hedges in the budget',
    async (left) => {
      const scene = new Scene();
      while (scene.health.hedgeBudget.left > left) scene.health.hedgeBudget.spend();
      scene.ask({ a: no, b: never, c: ok });
      await scene.clock.advance(5_000);
      expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'c' });
    },
  );

  it('waits four seconds for an origin that was overtaken once, as it may be slow again', async () => {
    const scene = new Scene();
    scene.ask({ a: never, b: ok });
    await scene.clock.advance(500);
    expect([scene.answer?.kind, scene.health.isSuspect(a, 'reach')]).toEqual(['accepted', true]);
    scene.ask({ a: after(scene.clock, 4_000, ok), b: no });
    await scene.clock.advance(4_000);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'a' });
  });

  it('waits four seconds for a healthy origin, which may be fetching a new version', async () => {
    const scene = new Scene();
    scene.ask({ a: after(scene.clock, 4_000, ok), b: no });
    await scene.clock.advance(4_000);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'a' });
  });
});

it('while three requests hang the fourth origin is asked after two seconds', async () => {
  const scene = new Scene();
  scene.ask({ a: never, b: never, c: never, d: ok });
  await scene.clock.advance(2_000);
  expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'd', effort: { attempts: 4 } });
});

it('slow answers that were overtaken open no breaker: anybody can request a slow file', async () => {
  const scene = new Scene();
  for (let at = 0; at < 5; at++) {
    scene.ask({ a: after(scene.clock, 2_500, ok), b: ok });
    await scene.clock.advance(10_000);
  }
  expect([scene.health.isTripped(a), scene.health.counters(a).failures]).toEqual([false, 0]);
});

const isB = ({ name }: { readonly name: string }) => name === 'b';

describe('an origin that gave a wrong file before', () => {
  it('is asked last among its mirrors, and stays in its group', async () => {
    const scene = new Scene();
    const origins = [a, originOf('b', { fallback: 'missing' }), c];
    scene.ask({ a: broken, b: broken, c: no }, { origins, asks: { policy: { askLast: isB } } });
    await scene.clock.advance(1_000);
    expect([scene.answer?.kind, scene.asked]).toEqual(['failed', 'aba']);
  });

  it('is skipped in the same request, and its group stays a group', async () => {
    const scene = new Scene();
    const origins = [a, originOf('b', { fallback: 'missing' }), c];
    scene.ask({ a: broken, b: ok, c: ok }, { origins, asks: { policy: { skip: isB } } });
    await scene.clock.advance(1_000);
    expect([scene.answer?.kind, scene.asked]).toEqual(['failed', 'aa']);
  });

  it.each([
    ['has the file', { b: ok, c: ok }, 'c', 'accepted'],
    ['answers 404 and this one has the file', { b: ok, c: no }, 'cb', 'accepted'],
    ['hangs and this one has the file', { b: ok, c: never }, 'cb', 'accepted'],
    ['answers 404 and this one too', { b: no, c: no }, 'cb', 'missing'],
    ['answers 404 and this one hangs', { b: never, c: no }, 'cb', 'failed'],
  ])('alone before a comma is asked after a group that %s', async (_, replies, asked, kind) => {
    const scene = new Scene();
    const origins = [originOf('b', { fallback: 'missing' }), c];
    scene.ask(replies, { origins, asks: { policy: { askLast: isB } } });
    await scene.clock.advance(25_000);
    expect([scene.asked, scene.answer?.kind]).toEqual([asked, kind]);
  });

  it('alone before a comma is skipped when it was asked in this request', async () => {
    const scene = new Scene();
    const origins = [originOf('b', { fallback: 'missing' }), c];
    scene.ask({ b: ok, c: ok }, { origins, asks: { policy: { skip: isB } } });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'c' });
  });
});

it('an answer that is accepted a moment after the first one is discarded', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const scene = new Scene();
    const discarded: string[] = [];
    let accepted = 0;
    const accept = async () => {
      await scene.clock.sleep(1_000);
      if (accepted++ > 0) for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      return success('file');
    };
    const reply = after(scene.clock, 600, ok);
    const together = after(scene.clock, 100, ok);
    scene.ask(
      { a: reply, b: together },
      { asks: { accept, discard: (value) => void discarded.push(value) } },
    );
    await scene.clock.advance(10_000);
    expect([scene.answer?.kind, accepted, discarded]).toEqual(['accepted', 2, ['file']]);
  }
});

it('a wrong file is reported although the client left', async () => {
  const scene = new Scene();
  const client = new AbortController();
  const accept = async () => {
    client.abort();
    return failed({
      kind: 'mismatch',
      hashes: { database: 'sum.example', expected: 'h1:a', found: 'h1:b' },
    } as const);
  };
  scene.ask({ a: ok, b: no }, { asks: { accept }, effects: { signal: client.signal } });
  await scene.clock.advance(1_000);
  expect(scene.answer).toMatchObject({
    kind: 'failed',
    failures: [{ reason: { kind: 'mismatch' } }, {}],
  });
});
