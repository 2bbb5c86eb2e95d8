import { describe, expect, it } from 'vitest';
import { settled } from '../../test/fakes/effects/clock.ts';
import { type Connection, Connections, LimitError } from './connections.ts';

/** So many connections, taken. */
function take(connections: Connections, count: number): Connection[] {
  return Array.from({ length: count }, () => connections.take());
}

const areFree = (taken: readonly Connection[]) => taken.map(({ isFree }) => isFree);

describe('a connection', () => {
  it('is free at once for six, and the seventh gets the first that is given back', async () => {
    const connections = new Connections();
    const six = take(connections, 6);
    const [seventh, eighth] = take(connections, 2);
    expect([...areFree(six), seventh?.isFree]).toEqual([...six.map(() => true), false]);
    six[3]?.release();
    await seventh?.untilFree();
    expect([seventh?.isFree, eighth?.isFree]).toEqual([true, false]);
  });

  it('is given to those who wait in their order', async () => {
    const connections = new Connections();
    const six = take(connections, 6);
    const order: number[] = [];
    const waiting = [1, 2, 3].map((place) =>
      connections.run('internal', async () => void order.push(place)),
    );
    await settled();
    expect(order).toEqual([]);
    six[0]?.release();
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3]);
  });

  it('that is given back twice is free for one', () => {
    const connections = new Connections();
    const [first] = take(connections, 6);
    first?.release();
    first?.release();
    expect(areFree(take(connections, 2))).toEqual([true, false]);
  });

  it('is not given to those who left the queue, or whose client has left', async () => {
    const connections = new Connections();
    const [first] = take(connections, 6);
    const [left, next] = take(connections, 2);
    const client = new AbortController();
    const waiting = left?.untilFree(client.signal);
    client.abort(new Error('the client left'));
    await expect(waiting).rejects.toThrow('the client left');
    await expect(left?.untilFree(client.signal)).rejects.toThrow('the client left');
    left?.release();
    first?.release();
    expect([left?.isFree, next?.isFree]).toEqual([false, true]);
  });

  it('is given back by a call that fails, also where it fails at once', async () => {
    const connections = new Connections();
    take(connections, 5);
    const fails = [
      () => Promise.reject(new Error('away')),
      () => {
        throw new Error('no such binding');
      },
    ];
    for (const call of fails)
      await expect(connections.run('internal', call)).rejects.toThrow(/away|no such binding/);
    expect(connections.take().isFree).toBe(true);
  });
});

describe('calls', () => {
  it.each([
    [50, 39, true],
    [50, 40, false],
    [10_000, 9_989, true],
  ])(
    'of which the platform allows %i leave some to spare after %i: %s',
    async (externalCalls, made, hasSpare) => {
      const connections = new Connections({ externalCalls });
      for (let at = 0; at < made; at++) {
        await connections.run('external', async () => undefined);
        await connections.run('internal', async () => undefined);
      }
      expect(connections.hasSpareCalls).toBe(hasSpare);
    },
  );

  it.each([
    'Too many subrequests by single Worker invocation.',
    'Too many API requests by single Worker invocation.',
  ])('that the platform refuses with "%s" are named, and reported once', async (text) => {
    const reported: string[] = [];
    const connections = new Connections({
      onRefused: ({ message }) => void reported.push(message),
    });
    for (const kind of ['internal', 'external', 'internal'] as const) {
      const call = connections.run(kind, () => Promise.reject(new Error(text)));
      await expect(call).rejects.toBeInstanceOf(LimitError);
    }
    expect(reported).toEqual([`The platform allows no more calls: ${text}`]);
    expect([connections.isRefused, connections.hasSpareCalls]).toEqual([true, false]);
  });

  it('that fail for another reason reject as they are', async () => {
    const connections = new Connections();
    const error = new Error('Network connection lost.');
    await expect(connections.run('external', () => Promise.reject(error))).rejects.toBe(error);
    expect(connections.isRefused).toBe(false);
  });
});
