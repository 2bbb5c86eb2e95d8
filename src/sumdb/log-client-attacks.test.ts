import { describe, expect, it } from 'vitest';
import {
  hello,
  v1,
  hash,
  record,
  logOf,
  grow,
  serves,
  flipping,
  clientOf,
  kinds,
  right,
} from '../../test/fakes/sumdb/log-client.ts';
import { type Address, fakeLogEffects } from '../../test/fakes/sumdb/log-effects.ts';
import { createLog } from '../../test/fakes/sumdb/transparency-log.ts';
import { bytes, modulePath, text } from '../../test/fakes/effects/values.ts';
import { LogMemory } from './log-memory.ts';

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

  const attacks: [name: string, evil: Address, alarm: string[]][] = [
    ['a flipped bit in the record', flipping(good, /^\/lookup/, 40, 2), ['forged']],
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

  it.each(attacks)('%s is refused, and nothing of it is kept', async (_, evil, alarm) => {
    const effects = fakeLogEffects(evil, evil);
    const client = clientOf(log, effects);
    const answer = await client.hashes(hello, v1);
    expect(answer).toMatchObject({ kind: 'failed' });
    expect([...new Set(kinds(effects))]).toEqual(alarm);
    expect([...effects.cache.keys()].filter((path) => path.startsWith('lookup'))).toEqual([]);
    for (const [path, body] of effects.cache)
      expect(Buffer.from(body)).toEqual(log.answer(`/${path}`));
  });

  it.each(attacks)('%s by one address does not hide what the next one says', async (_, evil) => {
    const effects = fakeLogEffects(evil, good);
    expect(await clientOf(log, effects).hashes(hello, v1)).toMatchObject(right);
  });

  it.each(attacks)('%s that lies in the cache is passed by and written over', async (_, evil) => {
    const first = fakeLogEffects(good);
    await clientOf(log, first).hashes(hello, v1);
    const effects = fakeLogEffects(good);
    for (const path of first.cache.keys()) {
      const body = evil(`/${path}`);
      if (body !== undefined)
        effects.cache.set(path, typeof body === 'string' ? bytes(body) : body);
    }
    expect(await clientOf(log, effects).hashes(hello, v1)).toMatchObject(right);
    for (const [path, body] of effects.cache)
      expect(Buffer.from(body)).toEqual(Buffer.from(log.answer(`/${path}`) ?? ''));
  });
});

describe('a fork', () => {
  const log = logOf(300);
  const fork = log.fork(200);
  grow(fork, 500, 9);
  grow(log, 300, 8);

  it('is refused with its proof, and the old timeline stays', async () => {
    let shown = log;
    const effects = fakeLogEffects((path) => shown.answer(path));
    const memory = new LogMemory();
    await clientOf(log, effects, memory).hashes(modulePath('more.example/m500-8'), v1);
    const kept = new Map(effects.cache);
    shown = fork;
    const answer = await clientOf(log, effects, memory).lookup(
      modulePath(`more.example/m250-9`),
      v1,
    );
    expect(answer).toMatchObject({
      kind: 'failed',
      failures: [{ text: expect.stringContaining('forked') }],
    });
    expect(effects.alarms[0]).toMatchObject({ kind: 'fork', database: log.name });
    const [alarm] = effects.alarms;
    const proof = alarm && 'proof' in alarm ? alarm.proof : '';
    expect(proof).toContain(log.treeHead());
    expect(proof).toContain(fork.treeHead());
    expect(text(effects.latest ?? new Uint8Array())).toBe(log.treeHead());
    // The tiles of the fork fit together, and must not take the place of the log's.
    for (const [path, body] of kept) expect(effects.cache.get(path)).toEqual(body);
    shown = log;
    expect(
      await clientOf(log, effects, memory).hashes(modulePath('more.example/m400-8'), v1),
    ).toMatchObject({
      kind: 'accepted',
    });
  });

  it.each([
    ['smaller', 250],
    ['of the same size', 600],
  ])('that is %s is refused as well', async (_, size) => {
    const effects = fakeLogEffects((path) =>
      path === '/latest' ? fork.treeHead(size) : log.answer(path),
    );
    effects.latest = bytes(log.treeHead());
    expect(await clientOf(log, effects).latest()).toMatchObject({ kind: 'failed' });
    expect(new Set(kinds(effects))).toEqual(new Set(['fork']));
    expect(text(effects.latest)).toBe(log.treeHead());
  });

  it('of what another isolate has seen is found when the common tree head is moved', async () => {
    const effects = fakeLogEffects(serves(fork), serves(log));
    effects.meanwhile = () => {
      effects.latest = bytes(log.treeHead());
      effects.meanwhile = () => undefined;
    };
    const memory = new LogMemory();
    await clientOf(log, effects, memory).latest();
    expect(kinds(effects)).toEqual(['fork']);
    expect(text(effects.latest ?? new Uint8Array())).toBe(log.treeHead());
    expect(text(memory.latest?.note ?? new Uint8Array())).toBe(log.treeHead());
  });

  it('that an isolate took for good stays refused after it went back to what all have in common', async () => {
    let shown = fork;
    const effects = fakeLogEffects((path) => shown.answer(path));
    const memory = new LogMemory();
    const client = clientOf(log, effects, memory);
    const head = fork.treeHead(400);
    effects.swapLatest = async () => true; // R2 is not there yet
    shown = { ...fork, answer: (path) => (path === '/latest' ? head : fork.answer(path)) };
    await client.latest();
    effects.latest = bytes(log.treeHead());
    shown = fork;
    expect(await client.latest()).toMatchObject({ kind: 'failed' });
    expect(text(memory.latest?.note ?? new Uint8Array())).toBe(log.treeHead());
    effects.alarms.length = 0;
    shown = { ...log, answer: (path) => (path === '/latest' ? head : log.answer(path)) };
    expect(await client.latest()).toMatchObject({ kind: 'failed' });
    expect(kinds(effects)).toContain('fork');
  });
});
