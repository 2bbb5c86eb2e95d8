import { describe, expect, it } from 'vitest';
import { never } from '../../../test/fakes/effects/fetch.ts';
import { a, after, broken, ok, Scene } from '../../../test/fakes/effects/race-scene.ts';
import { Connections } from '../../effects/connections.ts';
import { success } from '../../effects/result.ts';
import { observe, UNKNOWN } from '../health/latency.ts';
import type { Question } from '../request/question.ts';

/** Six that are taken, and the first of them. */
function busy() {
  const connections = new Connections();
  const [first] = Array.from({ length: 6 }, () => connections.take());
  return { connections, first };
}

describe('a request that waits for a connection', () => {
  it('gets that of a late one: origins that hang do not keep all six', async () => {
    const scene = new Scene();
    const connections = new Connections();
    let accepted = 0;
    const accept: Question<string>['accept'] = async () => success(String((accepted += 1)));
    for (let question = 0; question < 4; question++)
      scene.ask({ a: never, b: never, c: ok }, { asks: { accept }, effects: { connections } });
    await scene.clock.advance(3_000);
    expect(accepted).toBe(4);
  });

  it('ends one late request and no more: the others may have the answer', async () => {
    const scene = new Scene();
    const { clock } = scene;
    const connections = new Connections();
    for (let taken = 0; taken < 3; taken++) connections.take();
    const slow = after(clock, 5_000, ok);
    scene.ask({ a: slow, b: slow, c: after(clock, 5_000, broken) }, { effects: { connections } });
    await clock.advance(3_550);
    const call = connections.take();
    void call.untilFree().then(() => call.release());
    await clock.advance(5_000);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'b' });
  });

  it('is not late: no other origin is asked, and none is blamed', async () => {
    const scene = new Scene();
    const { connections, first } = busy();
    scene.ask({ a: ok, b: ok }, { effects: { connections } });
    await scene.clock.advance(20_000);
    expect(scene.asked).toBe('');
    first?.release();
    await scene.clock.advance(0);
    expect(scene.answer).toMatchObject({
      kind: 'accepted',
      origin: 'a',
      effort: { attempts: 1, hedged: false },
    });
    expect(scene.health.of(a).latency).toEqual(observe(UNKNOWN, 0));
  });

  it('ends when the time is up, as not asked, and no origin is blamed', async () => {
    const scene = new Scene();
    scene.ask({ a: ok, b: ok }, { effects: { connections: busy().connections } });
    await scene.clock.advance(25_000);
    const reason = { kind: 'not asked', because: 'the time was up' };
    expect(scene.answer).toMatchObject({
      kind: 'failed',
      failures: [
        { origin: 'a', reason },
        { origin: 'b', reason },
      ],
    });
    expect([scene.asked, scene.health.snapshot().size]).toEqual(['', 0]);
  });

  it('ends when the client leaves', async () => {
    const scene = new Scene();
    const client = new AbortController();
    scene.ask({ a: ok, b: ok }, { effects: { ...busy(), signal: client.signal } });
    await scene.clock.advance(100);
    client.abort(new Error('gone'));
    await scene.clock.advance(100);
    expect(scene.answer?.kind).toBe('failed');
    expect([scene.asked, scene.health.snapshot().size]).toEqual(['', 0]);
  });
});
