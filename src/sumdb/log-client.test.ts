import { describe, expect, it } from 'vitest';
import {
  hello,
  v1,
  logOf,
  grow,
  serves,
  flipping,
  clientOf,
  kinds,
  right,
} from '../../test/fakes/sumdb/log-client.ts';
import { type Address, fakeLogEffects } from '../../test/fakes/sumdb/log-effects.ts';
import { bytes, modulePath, text } from '../../test/fakes/effects/values.ts';
import { LogMemory } from './log-memory.ts';
import { parseTilePath } from '../tlog/tile-path.ts';

const down: Address = () => {
  throw new TypeError('refused');
};

describe('the hashes of a version', () => {
  it.each([1, 2, 255, 256, 257, 600, 70_000])('are proven in a log of %i records', async (size) => {
    const log = logOf(size);
    const effects = fakeLogEffects(serves(log));
    expect(await clientOf(log, effects).hashes(hello, v1)).toMatchObject(right);
    expect(text(effects.latest ?? new Uint8Array())).toBe(log.treeHead());
    expect(kinds(effects)).toEqual([]);
  });

  it('come from the cache the next time, and are proven again, without a question to the database', async () => {
    const log = logOf(600);
    const effects = fakeLogEffects(serves(log));
    await clientOf(log, effects).hashes(hello, v1);
    const before = effects.asked().length;
    expect(await clientOf(log, effects).hashes(hello, v1)).toMatchObject(right);
    expect(effects.asked().length).toBe(before);
  });

  it('need no tile twice in an isolate, while the tree grows within them', async () => {
    const log = logOf(600);
    const effects = fakeLogEffects(serves(log));
    const memory = new LogMemory();
    await clientOf(log, effects, memory).hashes(hello, v1);
    effects.cache.clear();
    const before = effects.asked().length;
    await clientOf(log, effects, memory).hashes(hello, v1);
    expect(effects.asked().slice(before)).toEqual([`https://a/lookup/${hello}@v1.0.0`]);
  });

  it('are missing where the log has no record, and failed where nobody can be asked', async () => {
    const log = logOf(10);
    const none = modulePath('example.com/none');
    const missing = await clientOf(log, fakeLogEffects(serves(log))).hashes(none, v1);
    expect(missing).toMatchObject({ kind: 'missing', missing: { status: 404 } });
    expect(await clientOf(log, fakeLogEffects(down, down)).hashes(hello, v1)).toMatchObject({
      kind: 'failed',
    });
  });

  it('of an older tree head, from some cache on the way, are as good', async () => {
    const log = logOf(600);
    const old = log.lookup(hello, 'v1.0.0', 400);
    const effects = fakeLogEffects((path) => (path.startsWith('/lookup') ? old : log.answer(path)));
    const client = clientOf(log, effects);
    await client.latest();
    expect(await client.hashes(hello, v1)).toMatchObject(right);
    expect(text(effects.latest ?? new Uint8Array())).toBe(log.treeHead());
  });
});

describe('the common tree head', () => {
  it('only ever moves forward, also when several isolates move it at once', async () => {
    const log = logOf(300);
    const effects = fakeLogEffects(serves(log));
    const newer = log.treeHead();
    const client = clientOf(log, effects);
    const older = log.treeHead(100);
    effects.latest = bytes(older);
    effects.meanwhile = () => {
      effects.latest = bytes(log.treeHead(200));
      effects.meanwhile = () => undefined;
    };
    await client.latest();
    expect(text(effects.latest)).toBe(newer);
    expect(kinds(effects)).toEqual([]);
  });

  it('is left alone when R2 takes nothing, after a few tries', async () => {
    const log = logOf(300);
    const effects = fakeLogEffects(serves(log));
    let swaps = 0;
    effects.swapLatest = async () => {
      swaps += 1;
      return false;
    };
    const answer = await clientOf(log, effects).latest();
    expect([answer.kind, swaps]).toEqual(['accepted', 5]);
  });

  it('that another isolate has moved further is taken over', async () => {
    const log = logOf(300);
    const effects = fakeLogEffects((path) =>
      path === '/latest' ? log.treeHead(100) : log.answer(path),
    );
    effects.meanwhile = () => {
      effects.latest = bytes(log.treeHead());
      effects.meanwhile = () => undefined;
    };
    const answer = await clientOf(log, effects).latest();
    expect(answer.kind === 'accepted' && text(answer.value)).toBe(log.treeHead());
  });

  it('rolled back by the database is reported, and the newer one is given', async () => {
    const log = logOf(300);
    let size = 300;
    const effects = fakeLogEffects((path) =>
      path === '/latest' ? log.treeHead(size) : log.answer(path),
    );
    const client = clientOf(log, effects);
    await client.latest();
    size = 120;
    const answer = await client.latest();
    expect(answer.kind === 'accepted' && text(answer.value)).toBe(log.treeHead());
    expect(effects.alarms).toMatchObject([
      { kind: 'rollback', proof: expect.stringContaining(log.treeHead(120)) },
    ]);
    expect(text(effects.latest ?? new Uint8Array())).toBe(log.treeHead());
  });

  it('that somebody else wrote without the key is not believed', async () => {
    const log = logOf(300);
    const effects = fakeLogEffects(serves(log));
    effects.latest = bytes(logOf(500, { name: log.name }).treeHead());
    expect(await clientOf(log, effects).hashes(hello, v1)).toMatchObject(right);
    expect(kinds(effects)).toContain('forged');
    expect(text(effects.latest)).toBe(log.treeHead());
  });
});

const tile = (path: string) => {
  const parsed = parseTilePath(path);
  if (!parsed) throw new Error(`no tile: ${path}`);
  return parsed;
};

describe('a tile', () => {
  const log = logOf(600);

  it.each([
    'tile/8/0/000',
    'tile/8/0/000.p/29',
    'tile/8/0/002.p/88',
    'tile/8/1/000.p/2',
    'tile/8/data/001.p/9',
  ])('%s is proven', async (path) => {
    const answer = await clientOf(log, fakeLogEffects(serves(log))).tile(tile(path));
    const expected = Buffer.from(log.answer(`/${path}`) ?? '');
    expect(answer).toMatchObject({ kind: 'accepted', value: { isProven: true } });
    expect(answer.kind === 'accepted' && Buffer.from(answer.value.bytes)).toEqual(expected);
  });

  it.each(['tile/8/0/000', 'tile/8/0/000.p/29', 'tile/8/data/001.p/9'])(
    '%s with a flipped bit is refused',
    async (path) => {
      const evil = flipping(serves(log), /^\/tile/);
      expect(await clientOf(log, fakeLogEffects(evil)).tile(tile(path))).toMatchObject({
        kind: 'failed',
      });
      const mended = await clientOf(log, fakeLogEffects(evil, serves(log))).tile(tile(path));
      expect(mended).toMatchObject({ kind: 'accepted', value: { isProven: true } });
    },
  );

  it('beyond the tree that is known is looked for in a newer one, and else given unproven', async () => {
    const growing = logOf(300);
    const effects = fakeLogEffects(serves(growing));
    const client = clientOf(growing, effects);
    await client.latest();
    grow(growing, 300);
    expect(await client.tile(tile('tile/8/0/002.p/88'))).toMatchObject({
      value: { isProven: true },
    });
    const stuck = fakeLogEffects((path) =>
      path === '/latest' ? growing.treeHead(300) : growing.answer(path),
    );
    expect(await clientOf(growing, stuck).tile(tile('tile/8/0/002.p/88'))).toMatchObject({
      value: { isProven: false },
    });
  });

  it('is not passed on unproven when the newer tree head cannot be shown to be the same log', async () => {
    const growing = logOf(300);
    const damaged = flipping(serves(growing), /^\/tile\/8\/0/);
    let address = serves(growing);
    const effects = fakeLogEffects((path) => address(path));
    const client = clientOf(growing, effects);
    await client.latest();
    grow(growing, 300);
    address = damaged;
    expect(await client.tile(tile('tile/8/0/001'))).toMatchObject({ kind: 'failed' });
  });

  it('that the database no longer has in part is cut from the full one', async () => {
    const effects = fakeLogEffects((path) =>
      path.endsWith('.p/88') ? undefined : log.answer(path),
    );
    const growing = log.fork(600);
    grow(growing, 400);
    const outgrown = fakeLogEffects((path) =>
      path === '/latest' ? log.treeHead() : /002\.p/.test(path) ? undefined : growing.answer(path),
    );
    expect(await clientOf(log, outgrown).tile(tile('tile/8/0/002.p/80'))).toMatchObject({
      value: { isProven: true },
    });
    expect(await clientOf(log, effects).tile(tile('tile/8/0/002.p/80'))).toMatchObject({
      kind: 'missing',
    });
  });
});
