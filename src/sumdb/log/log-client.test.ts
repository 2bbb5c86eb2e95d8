import { describe, expect, it } from 'vitest';
import { bytes, modulePath, text } from '../../../test/fakes/effects/values.ts';
import {
  clientOf,
  flipping,
  grow,
  hash,
  hashesOf,
  hello,
  kinds,
  logOf,
  lookupsOf,
  record,
  right,
  serves,
  v1,
} from '../../../test/fakes/sumdb/log-client.ts';
import { type Address, fakeLogEffects } from '../../../test/fakes/sumdb/log-effects.ts';
import { createLog } from '../../../test/fakes/sumdb/transparency-log.ts';
import { systemClock } from '../../effects/clock.ts';
import { parseTilePath } from '../../tlog/tile-path.ts';
import { LogMemory } from './log-memory.ts';

const down: Address = () => {
  throw new TypeError('refused');
};

describe('the hashes of a version', () => {
  it.each([1, 2, 255, 256, 257, 600, 70_000])('are proven in a log of %i records', async (size) => {
    const log = logOf(size);
    const effects = fakeLogEffects(serves(log));
    expect(await hashesOf(log, effects)).toMatchObject(right);
    expect(text(effects.latest ?? new Uint8Array())).toBe(log.treeHead());
    expect(kinds(effects)).toEqual([]);
  });

  it('come from the cache the next time, and only partial tiles are asked for to prove them', async () => {
    const log = logOf(600);
    const effects = fakeLogEffects(serves(log));
    await hashesOf(log, effects);
    expect([...effects.cache.keys()]).toEqual(['tile/8/0/001', `lookup/${hello}@v1.0.0`]);
    const before = effects.requests().length;
    expect(await hashesOf(log, effects)).toMatchObject(right);
    expect(effects.requests().slice(before).toSorted()).toEqual([
      'https://a/tile/8/0/002.p/88',
      'https://a/tile/8/1/000.p/2',
    ]);
  });

  it('come from the cache in an outage, where they were proven before', async () => {
    const log = logOf(600);
    const first = fakeLogEffects(serves(log));
    await hashesOf(log, first);
    const effects = fakeLogEffects(down);
    for (const [path, body] of first.cache) effects.cache.set(path, body);
    expect(await hashesOf(log, effects)).toMatchObject(right);
    const { readLookup } = effects;
    effects.readLookup = async (path) => {
      const stored = await readLookup(path);
      return stored && { ...stored, wasProven: false };
    };
    expect(await hashesOf(log, effects)).toMatchObject({ kind: 'failed' });
  });

  it('come from the cache in an outage also where a carrier says that there is no record', async () => {
    const log = logOf(600);
    const first = fakeLogEffects(serves(log));
    await hashesOf(log, first);
    const effects = fakeLogEffects(down, () => undefined);
    for (const [path, body] of first.cache) effects.cache.set(path, body);
    expect(await hashesOf(log, effects)).toMatchObject(right);
  });

  it('do not come from the cache in an outage where remembered tiles refute them', async () => {
    const log = logOf(900);
    let address = serves(log);
    const effects = fakeLogEffects((path) => address(path));
    const memory = new LogMemory(systemClock);
    await hashesOf(log, effects, memory);
    const changed = log.lookup(hello, 'v1.0.0', 600).replace(hash(1), hash(77));
    effects.cache.clear();
    effects.cache.set(`lookup/${hello}@v1.0.0`, bytes(changed));
    address = down;
    expect(await hashesOf(log, effects, memory)).toMatchObject({ kind: 'failed' });
  });

  it('do not come from the cache in an outage where their tree head is not signed', async () => {
    const log = logOf(600);
    const effects = fakeLogEffects(down);
    const stranger = logOf(600, { name: log.name });
    const forged = stranger.lookup(hello, 'v1.0.0');
    effects.cache.set(`lookup/${hello}@v1.0.0`, bytes(forged));
    expect(await hashesOf(log, effects)).toMatchObject({ kind: 'failed' });
  });

  it('need no tile twice in an isolate', async () => {
    const log = logOf(600);
    const effects = fakeLogEffects(serves(log));
    const memory = new LogMemory(systemClock);
    await hashesOf(log, effects, memory);
    effects.cache.clear();
    const before = effects.requests().length;
    await hashesOf(log, effects, memory);
    expect(effects.requests().slice(before)).toEqual([`https://a/lookup/${hello}@v1.0.0`]);
  });

  it('are missing where the log has no record, and failed where no address answers', async () => {
    const log = logOf(10);
    const none = modulePath('example.com/none');
    const missing = await lookupsOf(log, fakeLogEffects(serves(log))).find(none, v1);
    expect(missing).toMatchObject({ kind: 'missing', missing: { status: 404 } });
    expect(await hashesOf(log, fakeLogEffects(down, down))).toMatchObject({
      kind: 'failed',
    });
  });

  it('are proven in an older tree head as well, which a cache on the way may have', async () => {
    const log = logOf(600);
    const old = log.lookup(hello, 'v1.0.0', 400);
    const effects = fakeLogEffects((path) => (path.startsWith('/lookup') ? old : log.answer(path)));
    const memory = new LogMemory(systemClock);
    await clientOf(log, effects, memory).latest();
    expect(await hashesOf(log, effects, memory)).toMatchObject(right);
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
    expect(text(effects.latest)).toBe(log.treeHead(200));
    await effects.clock.advance(5_000);
    await effects.idle();
    expect(text(effects.latest)).toBe(newer);
    expect(kinds(effects)).toEqual([]);
  });

  it('is swapped every five seconds at most, also when the store takes nothing', async () => {
    const log = logOf(300);
    const effects = fakeLogEffects(serves(log));
    const memory = new LogMemory(systemClock);
    let swaps = 0;
    effects.swapLatest = async () => {
      swaps += 1;
      return false;
    };
    const answer = await clientOf(log, effects, memory).latest();
    grow(log, 10);
    await clientOf(log, effects, memory).latest();
    expect([answer.kind, swaps]).toEqual(['proven', 1]);
    await effects.clock.advance(4_999);
    expect(swaps).toBe(1);
    await effects.clock.advance(1);
    expect(swaps).toBe(2);
  });

  it('becomes that of the last look-up of a burst, by two swaps', async () => {
    const log = logOf(300);
    const effects = fakeLogEffects(serves(log));
    const memory = new LogMemory(systemClock);
    let swaps = 0;
    effects.meanwhile = () => void (swaps += 1);
    for (let at = 0; at < 5; at++) {
      await hashesOf(log, effects, memory);
      effects.cache.clear();
      grow(log, 1, at);
    }
    expect(text(effects.latest ?? new Uint8Array())).toBe(log.treeHead(300));
    await effects.clock.advance(5_000);
    await effects.idle();
    expect(text(effects.latest ?? new Uint8Array())).toBe(log.treeHead(304));
    expect(swaps).toBe(2);
    await effects.clock.advance(60_000);
    expect(swaps).toBe(2);
  });

  it('that was not published yet is what the next one is compared with', async () => {
    const log = logOf(300);
    const effects = fakeLogEffects((path) => shown.answer(path));
    const memory = new LogMemory(systemClock);
    let shown = log;
    await clientOf(log, effects, memory).latest();
    const fork = log.fork(300);
    grow(log, 100, 7);
    grow(fork, 200, 9);
    await clientOf(log, effects, memory).latest();
    expect(text(effects.latest ?? new Uint8Array())).toBe(log.treeHead(300));
    shown = fork;
    expect(await clientOf(log, effects, memory).latest()).toMatchObject({ kind: 'failed' });
    expect(new Set(kinds(effects))).toEqual(new Set(['fork']));
  });

  it('that contradicts a head which was not published yet is reported when its turn comes', async () => {
    const log = logOf(300);
    const effects = fakeLogEffects((path) => shown.answer(path));
    const memory = new LogMemory(systemClock);
    let shown = log;
    await clientOf(log, effects, memory).latest();
    const fork = log.fork(300);
    grow(log, 100, 7);
    grow(fork, 200, 9);
    shown = fork;
    await clientOf(log, effects, memory).latest();
    effects.latest = bytes(log.treeHead());
    await effects.clock.advance(5_000);
    await effects.idle();
    expect(kinds(effects)).toContain('fork');
    expect(text(effects.latest)).toBe(log.treeHead());
    expect(text(memory.latest?.note ?? new Uint8Array())).toBe(log.treeHead());
  });

  it('is taken over where another isolate has moved it further', async () => {
    const log = logOf(300);
    const effects = fakeLogEffects((path) =>
      path === '/latest' ? log.treeHead(100) : log.answer(path),
    );
    effects.meanwhile = () => {
      effects.latest = bytes(log.treeHead());
      effects.meanwhile = () => undefined;
    };
    const memory = new LogMemory(systemClock);
    const answer = await clientOf(log, effects, memory).latest();
    expect(answer.kind === 'proven' && text(answer.value)).toBe(log.treeHead());
    expect(text(memory.latest?.note ?? new Uint8Array())).toBe(log.treeHead());
    expect(memory.isUnpublished).toBe(false);
  });

  it('is given where the database shows an older one, which is reported', async () => {
    const log = logOf(300);
    let size = 300;
    const effects = fakeLogEffects((path) =>
      path === '/latest' ? log.treeHead(size) : log.answer(path),
    );
    const client = clientOf(log, effects);
    await client.latest();
    size = 120;
    const answer = await client.latest();
    expect(answer.kind === 'proven' && text(answer.value)).toBe(log.treeHead());
    expect(effects.events).toMatchObject([
      { kind: 'rollback', proof: expect.stringContaining(log.treeHead(120)) },
    ]);
    expect(text(effects.latest ?? new Uint8Array())).toBe(log.treeHead());
  });

  it('is refused where it is not signed by the key, and replaced', async () => {
    const log = logOf(300);
    const effects = fakeLogEffects(serves(log));
    effects.latest = bytes(logOf(500, { name: log.name }).treeHead());
    expect(await hashesOf(log, effects)).toMatchObject(right);
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
    expect(answer.kind === 'proven' && Buffer.from(answer.value)).toEqual(expected);
  });

  it.each(['tile/8/0/000', 'tile/8/0/000.p/29', 'tile/8/data/001.p/9'])(
    '%s with a flipped bit is refused',
    async (path) => {
      const evil = flipping(serves(log), /^\/tile/);
      expect(await clientOf(log, fakeLogEffects(evil)).tile(tile(path))).toMatchObject({
        kind: 'failed',
      });
      const mended = await clientOf(log, fakeLogEffects(evil, serves(log))).tile(tile(path));
      expect(mended).toMatchObject({ kind: 'proven' });
    },
  );

  it('of records with a flipped bit is refused', async () => {
    const evil = flipping(serves(log), /^\/tile\/8\/data/);
    const effects = fakeLogEffects(evil);
    const path = 'tile/8/data/001.p/9';
    expect(await clientOf(log, effects).tile(tile(path))).toMatchObject({ kind: 'failed' });
    const reason = 'records that are not those of the log';
    expect(effects.events).toEqual([
      { event: 'security', kind: 'forged', database: log.name, path, reason },
    ]);
  });

  it('of another length is a failure of its address', async () => {
    const effects = fakeLogEffects((path) =>
      path.startsWith('/tile') ? 'short' : log.answer(path),
    );
    expect(await clientOf(log, effects).tile(tile('tile/8/0/000'))).toMatchObject({
      kind: 'failed',
      failures: [{ origin: 'a', reason: { text: 'a tile of 5 bytes instead of 64' } }],
    });
  });

  it('of records that is a page is refused, which shows nothing of the database', async () => {
    const effects = fakeLogEffects((path) =>
      path.startsWith('/tile/8/data') ? '<html>\n\n' : log.answer(path),
    );
    expect(await clientOf(log, effects).tile(tile('tile/8/data/001.p/9'))).toMatchObject({
      kind: 'failed',
    });
    expect(kinds(effects)).toEqual([]);
  });

  it('that is stored and does not fit is refused without a request', async () => {
    const effects = fakeLogEffects(serves(log));
    const memory = new LogMemory(systemClock);
    const path = 'tile/8/0/000';
    await clientOf(log, effects, memory).tile(tile(path));
    const right = new Uint8Array(Buffer.from(log.answer(`/${path}`) ?? ''));
    const wrong = right.with(40, (right[40] ?? 0) ^ 1);
    const before = effects.requests().length;
    const client = clientOf(log, effects, memory);
    expect(await client.isStoredTileProven(tile(path), right)).toBe(true);
    expect(await client.isStoredTileProven(tile(path), wrong)).toBe(false);
    expect(effects.requests().length).toBe(before);
  });

  it('is neither read from the cache nor written to it, which is for what serves it', async () => {
    const effects = fakeLogEffects(serves(log));
    await clientOf(log, effects).tile(tile('tile/8/0/000'));
    expect([...effects.cache.keys()]).toEqual([]);
    expect(effects.cacheReads).not.toContain('tile/8/0/000');
  });

  it('is refused where the newer tree head cannot be shown to be the same log', async () => {
    const growing = logOf(300);
    const damaged = flipping(serves(growing), /^\/tile\/8\/0/);
    let address = serves(growing);
    const effects = fakeLogEffects((path) => address(path));
    const client = clientOf(growing, effects);
    await client.latest();
    grow(growing, 300);
    address = damaged;
    expect(await client.tile(tile('tile/8/0/001'))).toMatchObject({ kind: 'failed' });
    expect(kinds(effects)).toContain('forged');
  });

  it('that the database has no more in part is cut from the full one', async () => {
    const effects = fakeLogEffects((path) =>
      path.endsWith('.p/88') ? undefined : log.answer(path),
    );
    const growing = log.fork(600);
    grow(growing, 400);
    const outgrown = fakeLogEffects((path) =>
      path === '/latest' ? log.treeHead() : /002\.p/.test(path) ? undefined : growing.answer(path),
    );
    expect(await clientOf(log, outgrown).tile(tile('tile/8/0/002.p/80'))).toMatchObject({
      kind: 'proven',
    });
    expect(await clientOf(log, effects).tile(tile('tile/8/0/002.p/80'))).toMatchObject({
      kind: 'missing',
    });
  });
});

const page: Address = () => '<!DOCTYPE html>\n<p>Sign in</p>\n\n\n';

describe('an attack', () => {
  const log = logOf(600);
  const good = serves(log);
  const stranger = logOf(600, { name: log.name });
  const namesake = serves(stranger);
  const lied = (path: string) => {
    const forger = createLog({ keyFrom: log });
    for (let at = 0; at < 600; at++)
      forger.add(record(at === 300 ? hello : `filler.example/m${at}`, 99));
    return forger.answer(path);
  };
  const beyond: Address = (path) =>
    path.startsWith('/lookup') ? log.lookup(hello, 'v1.0.0', 200) : good(path);
  const mixed: Address = (path) =>
    path.startsWith('/lookup') ? log.lookup('filler.example/m7', 'v1.0.0') : good(path);
  const changed: Address = (path) => {
    const body = good(path);
    return typeof body === 'string' ? body.replace(hash(1), hash(77)) : body;
  };

  const resigned: Address = (path) => {
    const body = good(path);
    if (typeof body !== 'string' || !path.startsWith('/lookup')) return body;
    const at = body.length - 20; // base64 stays base64
    return body.slice(0, at) + (body[at] === 'A' ? 'B' : 'A') + body.slice(at + 1);
  };

  const attacks: [name: string, evil: Address, reported: string[]][] = [
    ['a flipped bit in the record', flipping(good, /^\/lookup/, { at: 40, bit: 2 }), ['forged']],
    ['a changed signature', resigned, ['forged']],
    ['a hash replaced in the record', changed, ['forged']],
    ['a flipped bit in a tile', flipping(good, /^\/tile/), []],
    ['a tile of another length', (path) => (path.startsWith('/tile') ? 'short' : good(path)), []],
    ['a log with another key', namesake, ['forged']],
    [
      'the tiles of another log',
      (path) => (path.startsWith('/tile') ? lied(path) : good(path)),
      [],
    ],
    ['the record of another version', mixed, []],
    ['a record beyond its tree', beyond, ['forged']],
    ['a page', page, []],
  ];

  it.each(attacks)('%s is refused, and nothing of it is kept', async (_, evil, reported) => {
    const effects = fakeLogEffects(evil, evil);
    const answer = await hashesOf(log, effects);
    expect(answer).toMatchObject({ kind: 'failed' });
    expect([...new Set(kinds(effects))]).toEqual(reported);
    expect([...effects.cache.keys()].filter((path) => path.startsWith('lookup'))).toEqual([]);
    for (const [path, body] of effects.cache)
      expect(Buffer.from(body)).toEqual(log.answer(`/${path}`));
  });

  it.each(attacks)(
    '%s by one address does not hide the answer of the next one',
    async (_, evil) => {
      const effects = fakeLogEffects(evil, good);
      expect(await hashesOf(log, effects)).toMatchObject(right);
    },
  );

  it.each(attacks)('%s that is in the cache is passed over and replaced', async (_, evil) => {
    const first = fakeLogEffects(good);
    await hashesOf(log, first);
    const effects = fakeLogEffects(good);
    for (const path of first.cache.keys()) {
      const body = evil(`/${path}`);
      if (body !== undefined)
        effects.cache.set(path, typeof body === 'string' ? bytes(body) : body);
    }
    expect(await hashesOf(log, effects)).toMatchObject(right);
    for (const [path, body] of effects.cache)
      expect(Buffer.from(body)).toEqual(Buffer.from(log.answer(`/${path}`) ?? ''));
  });
});

describe('a cache that breaks while a proof reads it', () => {
  it('leaves no head behind that was not compared with the common one', async () => {
    const log = logOf(300);
    const memory = new LogMemory(systemClock);
    await clientOf(log, fakeLogEffects(serves(log)), memory).latest();
    const fork = log.fork(300);
    grow(log, 600, 7);
    grow(fork, 1000, 9);
    const effects = fakeLogEffects(serves(fork));
    effects.latest = bytes(log.treeHead());
    await effects.clock.advance(5_000);
    await effects.idle();
    let isBroken = false;
    const { readLatest } = effects;
    Object.assign(effects, {
      readLatest: () => {
        isBroken = true;
        return readLatest();
      },
      readCache: () =>
        isBroken ? Promise.reject(new TypeError('the stream broke')) : Promise.resolve(undefined),
    });
    expect((await clientOf(fork, effects, memory).latest()).kind).toBe('failed');
    expect(memory.latest?.head.size).toBe(900);
    Object.assign(effects, { readCache: async () => undefined });
    expect((await clientOf(fork, effects, memory).latest()).kind).toBe('failed');
    expect(kinds(effects)).toContain('fork');
  });
});

describe('a head that is not published yet', () => {
  it('is compared with the common one before anything is kept under it', async () => {
    const log = logOf(300);
    const other = log.fork(300);
    grow(log, 400, 7);
    grow(other, 300, 9);
    let shown: Address = (path) => (path === '/latest' ? log.treeHead(300) : log.answer(path));
    const effects = fakeLogEffects((path) => shown(path));
    const memory = new LogMemory(systemClock);
    await clientOf(log, effects, memory).latest();
    effects.latest = bytes(log.treeHead()); // by another isolate
    shown = serves(other); // within the five seconds
    effects.cache.clear();
    expect((await clientOf(log, effects, memory).latest()).kind).toBe('failed');
    expect([...effects.cache.keys()]).toEqual([]);
    expect(text(memory.latest?.note ?? new Uint8Array())).toBe(log.treeHead());
  });

  it('is compared when the store answers again that failed', async () => {
    const log = logOf(300);
    const other = log.fork(100);
    grow(other, 200, 9);
    const effects = fakeLogEffects(serves(other));
    effects.latest = bytes(log.treeHead());
    const { readLatest, swapLatest } = effects;
    effects.readLatest = async () => undefined;
    effects.swapLatest = async () => false;
    const memory = new LogMemory(systemClock);
    await clientOf(log, effects, memory).latest();
    Object.assign(effects, { readLatest, swapLatest });
    await effects.clock.advance(60_000);
    expect((await clientOf(log, effects, memory).latest()).kind).toBe('failed');
  });
});

describe('a fork', () => {
  const log = logOf(300);
  const fork = log.fork(200);
  grow(fork, 500, 9);
  grow(log, 300, 8);

  it('is refused with its proof, and the known timeline stays', async () => {
    let shown = log;
    const effects = fakeLogEffects((path) => shown.answer(path));
    const memory = new LogMemory(systemClock);
    await lookupsOf(log, effects, memory).find(modulePath('more.example/m500-8'), v1);
    const kept = new Map(effects.cache);
    shown = fork;
    const answer = await clientOf(log, effects, memory).lookup(
      modulePath(`more.example/m250-9`),
      v1,
    );
    expect(answer).toMatchObject({
      kind: 'failed',
      failures: [{ reason: { text: expect.stringContaining('forked') } }],
    });
    const [event] = effects.events;
    expect(event).toMatchObject({ event: 'security', kind: 'fork', database: log.name });
    const proof = event && 'proof' in event ? event.proof : '';
    expect(proof).toContain(log.treeHead());
    expect(proof).toContain(fork.treeHead());
    expect(text(effects.latest ?? new Uint8Array())).toBe(log.treeHead());
    // The tiles of the fork fit together, and must not take the place of the log's.
    for (const [path, body] of kept) expect(effects.cache.get(path)).toEqual(body);
    shown = log;
    expect(
      await lookupsOf(log, effects, memory).find(modulePath('more.example/m400-8'), v1),
    ).toMatchObject({
      kind: 'proven',
    });
  });

  it.each([
    ['a smaller tree', 250],
    ['a tree of the same size', 600],
  ])('with %s is refused', async (_, size) => {
    const effects = fakeLogEffects((path) =>
      path === '/latest' ? fork.treeHead(size) : log.answer(path),
    );
    effects.latest = bytes(log.treeHead());
    expect(await clientOf(log, effects).latest()).toMatchObject({ kind: 'failed' });
    expect(new Set(kinds(effects))).toEqual(new Set(['fork']));
    expect(text(effects.latest)).toBe(log.treeHead());
  });

  it('from the tree head that this isolate knows is found where none is stored', async () => {
    let shown = log;
    const effects = fakeLogEffects((path) => shown.answer(path));
    effects.readLatest = async () => undefined;
    effects.swapLatest = async () => true;
    const memory = new LogMemory(systemClock);
    await clientOf(log, effects, memory).latest();
    // Once more, so that the known head is remembered as consistent with itself.
    await clientOf(log, effects, memory).latest();
    shown = fork;
    expect(await clientOf(log, effects, memory).latest()).toMatchObject({ kind: 'failed' });
    expect(new Set(kinds(effects))).toEqual(new Set(['fork']));
    expect(text(memory.latest?.note ?? new Uint8Array())).toBe(log.treeHead());
  });

  it('from a newer tree head that another isolate has stored meanwhile is found', async () => {
    const effects = fakeLogEffects((path) =>
      path === '/latest' ? fork.treeHead(400) : log.answer(path),
    );
    effects.meanwhile = () => {
      effects.latest = bytes(log.treeHead());
      effects.meanwhile = () => undefined;
    };
    const memory = new LogMemory(systemClock);
    expect(await clientOf(log, effects, memory).latest()).toMatchObject({ kind: 'failed' });
    expect(new Set(kinds(effects))).toEqual(new Set(['fork']));
    expect(text(effects.latest ?? new Uint8Array())).toBe(log.treeHead());
    expect(text(memory.latest?.note ?? new Uint8Array())).toBe(log.treeHead());
  });

  it('from what another isolate has seen is found when the common tree head is moved', async () => {
    const effects = fakeLogEffects(serves(fork), serves(log));
    effects.meanwhile = () => {
      effects.latest = bytes(log.treeHead());
      effects.meanwhile = () => undefined;
    };
    const memory = new LogMemory(systemClock);
    await clientOf(log, effects, memory).latest();
    expect(kinds(effects)).toEqual(['fork']);
    expect(text(effects.latest ?? new Uint8Array())).toBe(log.treeHead());
    expect(text(memory.latest?.note ?? new Uint8Array())).toBe(log.treeHead());
  });

  it('that an isolate accepted is refused once it went back to the common tree head', async () => {
    let shown = fork;
    const effects = fakeLogEffects((path) => shown.answer(path));
    const memory = new LogMemory(systemClock);
    const client = clientOf(log, effects, memory);
    const head = fork.treeHead(400);
    effects.swapLatest = async () => true; // there is no durable tier yet
    shown = { ...fork, answer: (path) => (path === '/latest' ? head : fork.answer(path)) };
    await client.latest();
    effects.latest = bytes(log.treeHead());
    await effects.clock.advance(5_000);
    await effects.idle();
    shown = fork;
    expect(await client.latest()).toMatchObject({ kind: 'failed' });
    expect(text(memory.latest?.note ?? new Uint8Array())).toBe(log.treeHead());
    effects.events.length = 0;
    shown = { ...log, answer: (path) => (path === '/latest' ? head : log.answer(path)) };
    expect(await client.latest()).toMatchObject({ kind: 'failed' });
    expect(kinds(effects)).toContain('fork');
  });
});
