import { describe, expect, it } from 'vitest';
import { never } from '../../../test/fakes/effects/fetch.ts';
import {
  a,
  after,
  b,
  broken,
  no,
  ok,
  type Reply,
  Scene,
} from '../../../test/fakes/effects/race-scene.ts';
import type { Question } from '../request/attempt.ts';

describe('after a failure was learnt', () => {
  it('the origin is asked after the others, and costs nobody any time', async () => {
    const scene = new Scene();
    scene.ask({ a: never, b: ok });
    await scene.clock.advance(500);
    scene.ask({ a: never, b: ok });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'b', attempts: 1 });
  });

  it('the origin is tried beside a request, and then asked first again', async () => {
    const scene = new Scene();
    scene.ask({ a: broken, b: ok });
    await scene.clock.advance(0);
    await scene.clock.advance(5_000);
    scene.ask({ a: ok, b: ok });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({ origin: 'b', attempts: 1 });
    scene.ask({ a: ok, b: ok });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({ origin: 'a', attempts: 1 });
  });

  it('an open breaker is named in the answer, and the origin is asked when all others failed', async () => {
    const scene = new Scene();
    scene.fail(a, 3);
    scene.ask({ a: ok, b: broken });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({
      kind: 'accepted',
      origin: 'a',
      attempts: 2,
      breakers: { a: 'open' },
    });
    expect(scene.asked).toBe('ba');
  });

  it('with every breaker open the least bad one is asked first', async () => {
    const scene = new Scene();
    for (const origin of [b, a]) {
      scene.fail(origin, 3);
      await scene.clock.advance(1_000);
    }
    scene.ask({ a: ok, b: ok });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({
      origin: 'b',
      attempts: 1,
      breakers: { a: 'open', b: 'open' },
    });
  });

  it('with every breaker open a hanging outage takes five seconds and not the whole time', async () => {
    const scene = new Scene();
    for (const origin of [a, b]) {
      scene.fail(origin, 3);
    }
    scene.ask({ a: never, b: never });
    await scene.clock.advance(5_500);
    expect(scene.answer).toMatchObject({ kind: 'failed', attempts: 2 });
  });
});

describe('a 404', () => {
  it('is not the answer while a better one is in time', async () => {
    const scene = new Scene();
    scene.ask({ a: after(scene.clock, 1_900, ok), b: no });
    await scene.clock.advance(1_899);
    expect(scene.answer).toBeUndefined();
    await scene.clock.advance(1);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'a' });
  });

  it('is the answer when the better one was silent for five seconds, and is not kept', async () => {
    const scene = new Scene();
    scene.ask({ a: never, b: no });
    await scene.clock.advance(4_999);
    expect(scene.answer).toBeUndefined();
    await scene.clock.advance(1);
    expect(scene.answer).toMatchObject({ kind: 'missing', unanimous: false, hedged: true });
    expect(scene.fetch.calls.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  });

  it('does not end an answer that is coming', async () => {
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

  it('waits for an origin that failed twice no longer than its usual time', async () => {
    const scene = new Scene();
    scene.fail(a, 2);
    scene.ask({ a: never, b: no });
    await scene.clock.advance(499);
    expect([scene.asked, scene.answer]).toEqual(['ba', undefined]);
    await scene.clock.advance(1);
    expect(scene.answer).toMatchObject({ kind: 'missing', unanimous: false });
  });

  it('asks an origin with an open breaker for its word, but not within seconds of its last failure', async () => {
    const scene = new Scene();
    scene.fail(a, 3);
    scene.ask({ a: ok, b: no });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({ kind: 'missing', unanimous: false, attempts: 1 });
    await scene.clock.advance(5_000);
    scene.ask({ a: ok, b: no });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'a', attempts: 2 });
    expect(scene.pool.state(a, false)).toBe('closed');
  });
});

describe('a client that leaves', () => {
  it('ends what nobody has begun to answer, and blames nobody', async () => {
    const scene = new Scene();
    const client = new AbortController();
    scene.ask({ a: never, b: ok }, { effects: { signal: client.signal } });
    await scene.clock.advance(300);
    client.abort();
    await scene.clock.advance(100);
    expect(scene.answer).toMatchObject({ kind: 'failed', attempts: 1 });
    expect([scene.fetch.calls[0]?.signal.aborted, scene.pool.isUnwell(a, false)]).toEqual([
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
      return 'checked';
    };
    scene.ask({ a: ok }, { asks: { accept }, effects: { signal: client.signal } });
    await scene.clock.advance(300);
    client.abort();
    await scene.clock.advance(1_000);
    expect(scene.answer).toMatchObject({ kind: 'accepted' });
  });
});

it('of two answers that are accepted in the same moment one is given back', async () => {
  const scene = new Scene();
  const discarded: string[] = [];
  const accept: Question<string>['accept'] = async (body) => {
    const text = new TextDecoder().decode(await body.all(100));
    await scene.clock.sleep(text === 'early' ? 1_000 : 500);
    return text;
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

it('what a loser accepts too late is given back', async () => {
  const scene = new Scene();
  const discarded: string[] = [];
  const accept: Question<string>['accept'] = async (body) => {
    const text = new TextDecoder().decode(await body.all(100));
    if (text === 'late') await scene.clock.sleep(2_000);
    return text;
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
