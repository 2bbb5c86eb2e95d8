/** What a proof costs: round trips, requests at once, and work that is not done twice. */
import { describe, expect, it } from 'vitest';
import { modulePath } from '../../../test/fakes/effects/values.ts';
import {
  clientOf,
  grow,
  hash,
  hashesOf,
  hello,
  logOf,
  right,
  serves,
  v1,
} from '../../../test/fakes/sumdb/log-client.ts';
import {
  type Address,
  type FakeLogEffects,
  fakeLogEffects,
} from '../../../test/fakes/sumdb/log-effects.ts';
import { systemClock } from '../../effects/clock.ts';
import { type HashPairs, hashPairsNatively } from '../../tlog/hash-tile.ts';
import { LogMemory } from './log-memory.ts';
import type { ReadRemote } from './remote-reader.ts';
import { eventually } from '../../../test/eventually.ts';

/** Holds the requests for tiles back until they are released, all that wait at a time. */
function holdTiles(effects: FakeLogEffects) {
  const waiting = new Map<string, () => void>();
  let most = 0;
  const { readRemote } = effects;
  const held: ReadRemote = async (path, question) => {
    if (path.startsWith('tile')) {
      await new Promise<void>((go) => {
        waiting.set(path, go);
        most = Math.max(most, waiting.size);
      });
    }
    return readRemote(path, question);
  };
  Object.assign(effects, { readRemote: held });
  return {
    /** The highest number that waited at once. */
    most: () => most,
    /** The tiles that are asked for at once, as soon as there are `count`. */
    async released(count: number): Promise<readonly string[]> {
      await eventually(() => expect(waiting.size).toBe(count));
      const paths = [...waiting.keys()].toSorted();
      for (const go of waiting.values()) go();
      waiting.clear();
      return paths;
    },
  };
}

const tilesOf = (effects: FakeLogEffects) =>
  effects.requests().flatMap((url) => /tile.*$/.exec(url)?.[0] ?? []);

/** A log that has grown since its head became known. */
async function knownHead() {
  const log = logOf(300);
  let address: Address = serves(log);
  const effects = fakeLogEffects((path) => address(path));
  const memory = new LogMemory(systemClock);
  await clientOf(log, effects, memory).latest();
  grow(log, 300);
  return { log, effects, memory, serve: (next: Address) => (address = next) };
}

describe('a look-up with a newer tree head', () => {
  it('reads the tiles of both proofs in one round trip', async () => {
    const { effects, log, memory } = await knownHead();
    const tiles = holdTiles(effects);
    const asked = hashesOf(log, effects, memory);
    expect(await tiles.released(4)).toEqual([
      'tile/8/0/000', // of the record
      'tile/8/0/001', // of the older tree head
      'tile/8/0/002.p/88', // of both
      'tile/8/1/000.p/2', // of both
    ]);
    expect(await asked).toMatchObject(right);
  });

  it('is remembered with neither head nor tiles when its record is forged', async () => {
    const { effects, log, memory, serve } = await knownHead();
    serve((path) => {
      const body = log.answer(path);
      return typeof body === 'string' ? body.replace(hash(1), hash(77)) : body;
    });
    expect(await hashesOf(log, effects, memory)).toMatchObject({ kind: 'failed' });
    expect(memory.latest?.head.size).toBe(300);
    expect(memory.tile('tile/8/0/000')).toBeUndefined();
    expect(memory.tile('tile/8/0/001')).toBeUndefined();
    expect([...effects.cache.keys()]).toEqual([]);
  });

  it('is remembered with neither head nor tiles when the log has forked', async () => {
    const { effects, log, memory, serve } = await knownHead();
    const fork = log.fork(200);
    grow(fork, 300, 9);
    serve(serves(fork));
    expect(await hashesOf(log, effects, memory)).toMatchObject({ kind: 'failed' });
    expect(effects.events.map(({ kind }) => kind)).toEqual(['fork']);
    expect(memory.latest?.head.size).toBe(300);
    expect(memory.tile('tile/8/0/000')).toBeUndefined();
    expect([...effects.cache.keys()]).toEqual([]);
  });

  it('shows a fork also where the tile of its record cannot be read', async () => {
    const { effects, log, memory, serve } = await knownHead();
    const fork = log.fork(290);
    grow(fork, 300, 9);
    serve((path) => (path === '/tile/8/0/000' ? 'no tile' : fork.answer(path)));
    expect(await hashesOf(log, effects, memory)).toMatchObject({ kind: 'failed' });
    expect(effects.events).toMatchObject([
      { kind: 'fork', proof: expect.stringContaining(fork.treeHead()) },
    ]);
  });
});

describe('several look-ups', () => {
  // Their records are in three tiles, below the two of the right edge.
  const modules = [1, 2, 300, 301, 600].map((at) => modulePath(`filler.example/m${at}`));

  it('ask for at most four tiles at once in a request', async () => {
    const log = logOf(900);
    const effects = fakeLogEffects(serves(log));
    const tiles = holdTiles(effects);
    const client = clientOf(log, effects);
    const asked = modules.map((module) => client.lookup(module, v1));
    await tiles.released(4);
    await tiles.released(1);
    for (const answer of await Promise.all(asked)) expect(answer.kind).toBe('proven');
    expect(tiles.most()).toBe(4);
  });

  it('in as many requests ask for each tile once', async () => {
    const log = logOf(900);
    const effects = fakeLogEffects(serves(log));
    const memory = new LogMemory(systemClock);
    const tiles = holdTiles(effects);
    const asked = modules.map((module) => clientOf(log, effects, memory).lookup(module, v1));
    await tiles.released(5);
    for (const answer of await Promise.all(asked)) expect(answer.kind).toBe('proven');
    expect(tilesOf(effects).length).toBe(5);
  });
});

it('a tile that is remembered is not hashed again, also under a newer tree head', async () => {
  const log = logOf(600);
  const effects = fakeLogEffects(serves(log));
  const memory = new LogMemory(systemClock);
  let hashed = 0;
  const hashPairs: HashPairs = (pairs) => {
    hashed += pairs.length / 64;
    return hashPairsNatively(pairs);
  };
  Object.assign(effects, { hashPairs });
  await hashesOf(log, effects, memory);
  expect(hashed).toBeGreaterThan(255);
  hashed = 0;
  await hashesOf(log, effects, memory);
  expect(hashed).toBe(0);
  grow(log, 1);
  await hashesOf(log, effects, memory);
  await clientOf(log, effects, memory).latest();
  // The partial tile of 89 records alone: 89 less the number of complete trees in it.
  expect(hashed).toBe(44 + 22 + 11 + 5 + 2 + 1);
});

describe('equal answers of two addresses', () => {
  it('are proven once when both arrive', async () => {
    const log = logOf(300);
    const effects = fakeLogEffects(serves(log), serves(log));
    const { readLatest, readRemote } = effects;
    let proofs = 0;
    Object.assign(effects, {
      // The first thing that each proof does.
      readLatest: () => {
        proofs += 1;
        return readLatest();
      },
    });
    const twice: ReadRemote = (path, question) =>
      readRemote(path, {
        ...question,
        async accept(bytes) {
          const [first] = await Promise.all([question.accept(bytes), question.accept(bytes)]);
          return first;
        },
      });
    Object.assign(effects, { readRemote: twice });
    expect(await clientOf(log, effects).lookup(hello, v1)).toMatchObject({ kind: 'proven' });
    expect(proofs).toBe(1);
  });

  it('that are forged are reported once, and both addresses have failed', async () => {
    const log = logOf(300);
    const evil: Address = (path) => {
      const body = log.answer(path);
      return typeof body === 'string' ? body.replace(hash(1), hash(77)) : body;
    };
    const effects = fakeLogEffects(evil, evil);
    const answer = await clientOf(log, effects).lookup(hello, v1);
    expect(answer).toMatchObject({
      kind: 'failed',
      failures: [{ origin: 'a' }, { origin: 'b' }],
    });
    expect(effects.events.map(({ kind }) => kind)).toEqual(['forged']);
  });

  it('are proven again when there were no tiles for the first one', async () => {
    const log = logOf(300);
    let isDown = true;
    const effects = fakeLogEffects((path) => {
      if (path.startsWith('/tile') && isDown) throw new TypeError('refused');
      if (path.startsWith('/lookup') && tilesOf(effects).length > 0) isDown = false;
      return log.answer(path);
    });
    expect(await clientOf(log, effects).lookup(hello, v1)).toMatchObject({ kind: 'proven' });
  });
});
