import { describe, expect, it } from 'vitest';
import { never, originOf } from '../../../test/fakes/effects/fetch.ts';
import { a, after, b, broken, c, no, ok, Scene } from '../../../test/fakes/effects/race-scene.ts';
import { Mismatch } from '../origin.ts';

describe('a 404 and a client that leaves', () => {
  it('is not of one mind with those who were not asked any more', async () => {
    const scene = new Scene();
    const client = new AbortController();
    scene.ask({ a: after(scene.clock, 120, no), b: ok }, { effects: { signal: client.signal } });
    await scene.clock.advance(110);
    client.abort();
    await scene.clock.advance(200);
    expect(scene.answer).toMatchObject({ kind: 'missing', unanimous: false });
  });

  it('who was not asked as the client had left is a failure, and never nothing', async () => {
    const scene = new Scene();
    scene.ask({ a: ok, b: ok }, { effects: { signal: AbortSignal.abort() } });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({
      kind: 'failed',
      attempts: 0,
      failures: [{ text: 'not asked, the client left' }, { text: 'not asked, the client left' }],
    });
  });

  it('beyond a comma nobody was asked, and so nothing is missing', async () => {
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

  it('ends also the second try of a lone origin', async () => {
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
    'does not keep a well mirror from being asked, with %d hedges in the budget',
    async (left) => {
      const scene = new Scene();
      while (scene.pool.budget.left > left) scene.pool.budget.spend();
      scene.ask({ a: no, b: never, c: ok });
      await scene.clock.advance(5_000);
      expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'c' });
    },
  );

  it('waits four seconds also for one that was beaten once, as it may be slow again', async () => {
    const scene = new Scene();
    scene.ask({ a: never, b: ok });
    await scene.clock.advance(500);
    expect([scene.answer?.kind, scene.pool.isUnwell(a, false)]).toEqual(['accepted', true]);
    scene.ask({ a: after(scene.clock, 4_000, ok), b: no });
    await scene.clock.advance(4_000);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'a' });
  });

  it('waits four seconds for the first one, which fetches a new version', async () => {
    const scene = new Scene();
    scene.ask({ a: after(scene.clock, 4_000, ok), b: no });
    await scene.clock.advance(4_000);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'a' });
  });
});

it('with three that hang the fourth one is asked when the first was silent for two seconds', async () => {
  const scene = new Scene();
  scene.ask({ a: never, b: never, c: never, d: ok });
  await scene.clock.advance(2_000);
  expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'd', attempts: 4 });
});

it('slow answers that others beat open no breaker: anybody can ask for what takes long', async () => {
  const scene = new Scene();
  for (let at = 0; at < 5; at++) {
    scene.ask({ a: after(scene.clock, 2_500, ok), b: ok });
    await scene.clock.advance(10_000);
  }
  expect([scene.pool.isOut(a, false), scene.pool.counters(a).failed]).toEqual([false, 0]);
});

const isLast = ({ name }: { name: string }) => name === 'b';

describe('who gave this very file wrong before', () => {
  it('is asked last among its mirrors, and no comma moves', async () => {
    const scene = new Scene();
    const origins = [a, originOf('b', { fallback: 'missing' }), c];
    scene.ask({ a: broken, b: broken, c: no }, { origins, asks: { isLast } });
    await scene.clock.advance(1_000);
    expect([scene.answer?.kind, scene.asked]).toEqual(['failed', 'aba']);
  });

  it('is not asked again in the same request, and no comma moves', async () => {
    const scene = new Scene();
    const origins = [a, originOf('b', { fallback: 'missing' }), c];
    scene.ask({ a: broken, b: ok, c: ok }, { origins, asks: { isSettled: isLast } });
    await scene.clock.advance(1_000);
    expect([scene.answer?.kind, scene.asked]).toEqual(['failed', 'aa']);
  });

  it.each([
    [{ b: ok, c: ok }, 'c', 'accepted'],
    [{ b: ok, c: no }, 'cb', 'accepted'],
    [{ b: ok, c: never }, 'cb', 'accepted'],
    [{ b: no, c: no }, 'cb', 'missing'],
    [{ b: never, c: no }, 'cb', 'failed'],
  ])('alone before a comma, is asked after the next group: %j', async (replies, asked, kind) => {
    const scene = new Scene();
    const origins = [originOf('b', { fallback: 'missing' }), c];
    scene.ask(replies, { origins, asks: { isLast } });
    await scene.clock.advance(25_000);
    expect([scene.asked, scene.answer?.kind]).toEqual([asked, kind]);
  });

  it('alone before a comma, and asked in this request, is passed over', async () => {
    const scene = new Scene();
    const origins = [originOf('b', { fallback: 'missing' }), c];
    scene.ask({ b: ok, c: ok }, { origins, asks: { isSettled: isLast } });
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'c' });
  });
});

it('an answer that is accepted a moment after the winner is given back', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const scene = new Scene();
    const discarded: string[] = [];
    let accepted = 0;
    const accept = async () => {
      await scene.clock.sleep(1_000);
      if (accepted++ > 0) for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      return 'file';
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

it('a wrong file does not hide behind a client that leaves', async () => {
  const scene = new Scene();
  const client = new AbortController();
  const accept = async () => {
    client.abort();
    throw new Mismatch({ database: 'sum.example', expected: 'h1:a', found: 'h1:b' });
  };
  scene.ask({ a: ok, b: no }, { asks: { accept }, effects: { signal: client.signal } });
  await scene.clock.advance(1_000);
  expect(scene.answer).toMatchObject({ kind: 'failed', failures: [{ cause: 'mismatch' }, {}] });
});
