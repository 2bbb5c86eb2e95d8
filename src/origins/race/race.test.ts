import { describe, expect, it } from 'vitest';
import { never, originOf } from '../../../test/fakes/effects/fetch.ts';
import {
  a,
  after,
  b,
  broken,
  freezing,
  ok,
  Scene,
} from '../../../test/fakes/effects/race-scene.ts';
import type { Question } from '../request/attempt.ts';

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

  it('after half a second where nothing is known, and its answer ends the first one', async () => {
    const scene = new Scene();
    scene.ask({ a: never, b: ok });
    await scene.clock.advance(499);
    expect([scene.asked, scene.answer]).toEqual(['a', undefined]);
    await scene.clock.advance(1);
    expect(scene.answer).toMatchObject({
      kind: 'accepted',
      origin: 'b',
      attempts: 2,
      hedged: true,
    });
    expect(scene.fetch.calls.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  });

  it('and the first one still wins if it is quicker', async () => {
    const scene = new Scene();
    const { clock } = scene;
    scene.ask({ a: after(clock, 600, ok), b: after(clock, 600, ok) });
    await clock.advance(600);
    expect(scene.answer).toMatchObject({
      kind: 'accepted',
      origin: 'a',
      attempts: 2,
      hedged: true,
    });
    expect(scene.fetch.calls.map(({ signal }) => signal.aborted)).toEqual([false, true]);
    // who was asked late and was in time has not failed
    expect(scene.pool.isUnwell(b, false)).toBe(false);
  });

  it('when the body stands still, as it does behind some filters after 16 KB', async () => {
    const scene = new Scene();
    scene.ask({ a: freezing(16 * 1024), b: ok }, { asks: { isZip: true } });
    await scene.clock.advance(500);
    expect(scene.answer).toMatchObject({ kind: 'accepted', origin: 'b', hedged: true });
    expect([scene.pool.isUnwell(a, true), scene.pool.isUnwell(a, false)]).toEqual([true, false]);
  });

  it('at once when the first one fails, and that is no hedge', async () => {
    const scene = new Scene();
    scene.ask({ a: broken, b: ok });
    await scene.clock.advance(0);
    expect(scene.answer).toEqual({
      kind: 'accepted',
      value: 'ok',
      origin: 'b',
      attempts: 2,
      failures: [{ origin: 'a', cause: 'status', text: 'status 500' }],
    });
  });

  it('but no third one beside two that are in time', async () => {
    const scene = new Scene();
    scene.ask({ a: never, b: never, c: never });
    await scene.clock.advance(999);
    expect(scene.asked).toBe('ab');
    await scene.clock.advance(1);
    expect(scene.asked).toBe('abc');
  });

  it('not while the first one is waited for by modferry itself', async () => {
    const scene = new Scene();
    const accept: Question<string>['accept'] = async (body) => {
      await body.all(100);
      await scene.clock.sleep(5_000); // a checksum database takes its time
      return 'checked';
    };
    scene.ask({ a: ok, b: ok }, { asks: { accept } });
    await scene.clock.advance(5_000);
    expect(scene.answer).toMatchObject({
      kind: 'accepted',
      value: 'checked',
      origin: 'a',
      attempts: 1,
    });
  });

  it('not across a comma before the first one said 404: it shall not hear of the module', async () => {
    const scene = new Scene();
    scene.ask({ a: never, b: ok }, { origins: [originOf('a', { fallback: 'missing' }), b] });
    await scene.clock.advance(25_000);
    expect(scene.answer).toMatchObject({ kind: 'failed' });
    expect(scene.asked).toBe('a');
  });
});

describe('the budget of hedges', () => {
  it('being spent, a late origin in good standing is waited for', async () => {
    const scene = new Scene();
    while (scene.pool.budget.spend());
    scene.ask({ a: after(scene.clock, 9_000, ok), b: ok });
    await scene.clock.advance(9_000);
    expect(scene.answer).toMatchObject({ origin: 'a', attempts: 1 });
  });

  it('is not asked once others have seen the origin fail', async () => {
    const scene = new Scene();
    while (scene.pool.budget.spend());
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
      // b lost, which is another test's matter
      scene.pool.succeeded(b, { bytes: 1, isZip: false });
    }
    expect(doubled).toBeGreaterThan(40);
    expect(doubled).toBeLessThanOrEqual(10 + 50);
  });
});
