import { describe, expect, it } from 'vitest';
import { bytes, modulePath, text } from '../../../test/fakes/effects/values.ts';
import {
  clientOf,
  grow,
  kinds,
  logOf,
  record,
  v1,
  verifierKeyOf,
} from '../../../test/fakes/sumdb/log-client.ts';
import { type Address, fakeLogEffects } from '../../../test/fakes/sumdb/log-effects.ts';
import { createLog, type FakeLog } from '../../../test/fakes/sumdb/transparency-log.ts';
import { systemClock } from '../../effects/clock.ts';
import { parseTilePath } from '../../tlog/tile-path.ts';
import { LogMemory } from './log-memory.ts';
import { LogVerifier } from './log-verifier.ts';
import { openHead } from './signed-head.ts';
import { TileSource } from './tile-source.ts';
import { Timeline } from './timeline.ts';

const tile = (path: string) => {
  const parsed = parseTilePath(path);
  if (!parsed) throw new Error(`no tile: ${path}`);
  return parsed;
};

/**
 * An isolate that knows the first 300 records of a log, and is then shown a fork. Another isolate
 * has published the log's own 600 meanwhile. The first look at that is held until `release`.
 */
async function duringComparison() {
  const log = logOf(300);
  const fork = log.fork(300);
  grow(log, 300, 7);
  grow(fork, 600, 9);
  let shown: Address = (path) => (path === '/latest' ? log.treeHead(300) : log.answer(path));
  const effects = fakeLogEffects((path) => shown(path));
  const memory = new LogMemory(systemClock);
  await clientOf(log, effects, memory).latest();
  effects.latest = bytes(log.treeHead());
  shown = (path) => fork.answer(path);
  const { readLatest } = effects;
  const held = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  let reads = 0;
  effects.readLatest = async () => {
    reads += 1;
    if (reads === 1) {
      reached.resolve();
      await held.promise;
    }
    return readLatest();
  };
  const first = clientOf(log, effects, memory).latest();
  await reached.promise;
  expect(memory.latest?.head.size).toBe(900);
  return {
    fork,
    log,
    effects,
    memory,
    show: (other: Address) => void (shown = other),
    async release() {
      held.resolve();
      await first;
      expect(text(memory.latest?.note ?? new Uint8Array())).toBe(log.treeHead());
    },
  };
}

describe('while a newer tree head is not yet compared with the common one', () => {
  it('its size is not observed, nor is it later when it proves to be that of a fork', async () => {
    const { effects, release } = await duringComparison();
    expect(effects.observed).toEqual([300]);
    await release();
    expect(effects.observed).toEqual([300]);
  });

  it('no tile is proven by it', async () => {
    const { effects, fork, log, memory, release } = await duringComparison();
    const path = 'tile/8/0/002';
    expect(fork.answer(`/${path}`)).toBeDefined();
    const answer = await clientOf(log, effects, memory).tile(tile(path));
    expect(answer.kind).not.toBe('proven');
    const stored = new Uint8Array(Buffer.from(fork.answer(`/${path}`) ?? ''));
    expect(await clientOf(log, effects, memory).isStoredTileProven(tile(path), stored)).toBe(false);
    expect([...effects.cache.keys()]).toEqual([]);
    await release();
  });

  it('no stored tile is proven by it', async () => {
    const { effects, fork, log, memory, release } = await duringComparison();
    const path = 'tile/8/0/002';
    const stored = new Uint8Array(Buffer.from(fork.answer(`/${path}`) ?? ''));
    expect(await clientOf(log, effects, memory).isStoredTileProven(tile(path), stored)).toBe(false);
    await release();
  });

  it('no look-up is proven by it', async () => {
    const { effects, fork, log, memory, release } = await duringComparison();
    const module = modulePath('more.example/m700-9');
    expect(fork.answer(`/lookup/${module}@v1.0.0`)).toBeDefined();
    const client = clientOf(log, effects, memory);
    expect(await client.lookup(module, v1)).toMatchObject({ kind: 'failed' });
    await release();
    expect(kinds(effects)).toContain('fork');
  });

  it('a tile of the log is given by the head that all isolates have in common', async () => {
    const { effects, log, memory, release, show } = await duringComparison();
    show((path) => log.answer(path));
    const path = 'tile/8/0/001.p/44';
    const answer = await clientOf(log, effects, memory).tile(tile(path));
    const value = new Uint8Array(Buffer.from(log.answer(`/${path}`) ?? ''));
    expect(answer).toMatchObject({ kind: 'proven', value });
    await release();
  });
});

it('a tile that was proven under a head which is taken back is proven anew', async () => {
  const log = logOf(300);
  const fork = log.fork(300);
  grow(fork, 600, 9);
  let onTile: (() => void) | undefined;
  const effects = fakeLogEffects((path) => {
    if (path === '/tile/8/0/002') onTile?.();
    return fork.answer(path);
  });
  const memory = new LogMemory(systemClock);
  await clientOf(log, effects, memory).latest();
  const common = memory.latest;
  grow(log, 600, 7);
  const { head, note } = common ?? { head: undefined, note: bytes('') };
  if (!head) throw new Error('no head');
  // What the publication of the head does when it finds a fork.
  onTile = () => {
    onTile = undefined;
    memory.goBackTo({ head: { size: 900, hash: log.treeHash() }, note });
  };
  const answer = await clientOf(log, effects, memory).tile(tile('tile/8/0/002'));
  expect(answer.kind).toBe('failed');
  expect([...effects.cache.keys()]).toEqual([]);
});

/** A fork of the same key, whose look-ups and heads are right in themselves. */
function forked(): { readonly log: FakeLog; readonly fork: FakeLog } {
  const log = logOf(300);
  const fork = createLog({ keyFrom: log });
  for (let at = 0; at < 700; at++) fork.add(record(`fork.example/m${at}`, at % 200));
  return { log, fork };
}

describe('tree heads that are no continuation of one another', () => {
  it.each([
    ['a look-up', modulePath('fork.example/m20')],
    ['the newest head', undefined],
  ])('are compared for %s, also where no head is stored', async (_, module) => {
    const { fork, log } = forked();
    let shown = log;
    const effects = fakeLogEffects((path) => shown.answer(path));
    effects.readLatest = async () => undefined;
    effects.swapLatest = async () => true;
    const memory = new LogMemory(systemClock);
    await clientOf(log, effects, memory).latest();
    shown = fork;
    const client = clientOf(log, effects, memory);
    const answer = await (module ? client.lookup(module, v1) : client.latest());
    expect(answer).toMatchObject({ kind: 'failed' });
    expect(kinds(effects)).toEqual(['fork']);
    expect(memory.latest?.head.size).toBe(300);
    expect([...effects.cache.keys()]).toEqual([]);
  });

  it('are compared also where another request has just taken over the other one', async () => {
    const log = logOf(300);
    const [one, other] = [log.fork(300), log.fork(300)];
    grow(one, 300, 7);
    grow(other, 400, 9);
    let shown = one;
    const effects = fakeLogEffects((path) => shown.answer(path));
    effects.readLatest = async () => undefined;
    effects.swapLatest = async () => true;
    const memory = new LogMemory(systemClock);
    const key = verifierKeyOf(log);
    const verifier = new LogVerifier(key, new TileSource(effects, memory));
    const timeline = new Timeline({ key, memory, effects, verifier, report: (proof) => proof });
    const place = async (of: FakeLog) => {
      shown = of;
      const opened = await openHead(bytes(of.treeHead()), { key, path: 'latest' });
      if (opened.kind !== 'proven') throw new Error(opened.reason);
      const placed = await timeline.place(opened.value);
      expect((await placed.compared).kind).toBe('proven');
      return placed;
    };
    await (await place(log)).adopt();
    const [first, second] = [await place(one), await place(other)];
    expect((await first.adopt()).kind).toBe('proven');
    expect(await second.adopt()).toMatchObject({ kind: 'refuted', evidence: { kind: 'fork' } });
    expect(text(memory.latest?.note ?? new Uint8Array())).toBe(one.treeHead());
  });

  it('of the size of one that was found right are compared nevertheless', async () => {
    const log = logOf(600);
    const fork = log.fork(200);
    grow(fork, 100, 9);
    let shown = log.treeHead(300);
    const effects = fakeLogEffects((path) => (path === '/latest' ? shown : log.answer(path)));
    const client = clientOf(log, effects);
    for (const head of [log.treeHead(300), log.treeHead()]) {
      shown = head;
      expect((await client.latest()).kind).toBe('proven');
    }
    shown = fork.treeHead(300);
    expect((await client.latest()).kind).toBe('failed');
    expect(new Set(kinds(effects))).toEqual(new Set(['fork']));
  });
});

it('of a look-up that is no continuation of the common head no tile is kept', async () => {
  const log = logOf(300);
  const fork = log.fork(300);
  grow(log, 300, 7);
  grow(fork, 600, 9);
  const memory = new LogMemory(systemClock);
  const before = fakeLogEffects((path) =>
    path === '/latest' ? log.treeHead(300) : log.answer(path),
  );
  await clientOf(log, before, memory).latest();
  const effects = fakeLogEffects((path) => fork.answer(path));
  effects.latest = bytes(log.treeHead());
  const module = modulePath('more.example/m700-9');
  expect(await clientOf(log, effects, memory).lookup(module, v1)).toMatchObject({ kind: 'failed' });
  expect([...effects.cache.keys()]).toEqual([]);
  expect(memory.tile('tile/8/0/001')).toBeUndefined();
});
