import { describe, expect, it } from 'vitest';
import { fakeClock, settled } from '../../../test/fakes/effects/clock.ts';
import { bytes, text } from '../../../test/fakes/effects/values.ts';
import { fakeContext } from '../../../test/fakes/mirror/context.ts';
import { memoryStore } from '../../../test/fakes/store/memory-store.ts';
import { ownKey } from '../../store/key.ts';
import { hashToken, type Token } from '../token.ts';
import { type NewToken, StoredTokens } from './stored-tokens.ts';

const KEY = ownKey('tokens.json');
const CONFIGURED: Token = { name: 'ann', scope: 'admin', hash: hashToken('the-token-of-ann') };
const CI: NewToken = { name: 'ci', scope: 'read' };

/** Isolates over one bucket, whose calls are counted. */
function setup() {
  const clock = fakeClock();
  const durable = memoryStore(clock);
  const calls = { reads: 0, writes: 0 };
  const { readForSwap, swap } = durable;
  durable.readForSwap = (key) => {
    calls.reads += 1;
    return readForSwap(key);
  };
  durable.swap = async (...args) => {
    const isWritten = await swap(...args);
    if (isWritten) calls.writes += 1;
    return isWritten;
  };
  function isolate() {
    const context = fakeContext({ clock, tiers: { durable } });
    const stored = new StoredTokens([CONFIGURED], clock);
    const open = () => stored.open(context);
    return {
      context,
      open,
      find: (token: string) => open().find(hashToken(token)),
      async make(token: NewToken): Promise<string> {
        const made = await open().make(token);
        if (made.kind !== 'made') throw new Error(made.kind);
        return made.text;
      },
    };
  }
  return { clock, durable, calls, isolate };
}

const document = (durable: ReturnType<typeof memoryStore>) =>
  JSON.parse(text(durable.files.get(KEY)?.bytes ?? bytes('null')));

const fail = (): Promise<never> => Promise.reject(new Error('down'));

/** The bucket fails from now on, until it is mended. */
function breakBucket(durable: ReturnType<typeof memoryStore>) {
  const { readForSwap, swap } = durable;
  Object.assign(durable, { readForSwap: fail, swap: fail });
  return function mend() {
    Object.assign(durable, { readForSwap, swap });
  };
}

describe('a token', () => {
  it('of TOKENS costs no read', async () => {
    const { calls, isolate } = setup();
    expect(await isolate().find('the-token-of-ann')).toBe(CONFIGURED);
    expect(calls).toEqual({ reads: 0, writes: 0 });
  });

  it('that was made has its scope, its end and its modules', async () => {
    const { isolate } = setup();
    const { find, make } = isolate();
    const made = await make({
      name: 'ci',
      scope: 'publish',
      expires: '2026-02-01T00:00:00+01:00',
      modules: 'corp.example',
    });
    expect(await find(made)).toMatchObject({
      name: 'ci',
      scope: 'publish',
      expiresAt: Date.UTC(2026, 0, 31, 23),
      modules: [{ depth: 1 }],
    });
  });

  it.each(['', 'x', 'the-token-of-anm', 'mf_0'])('%j is unknown', async (wrong) => {
    const { isolate } = setup();
    const { find, make } = isolate();
    const made = await make(CI);
    for (const token of [wrong, made.slice(0, -1), `${made}0`, made.toUpperCase()])
      expect(await find(token)).toBeUndefined();
  });

  it('is stored as its hash alone', async () => {
    const { durable, isolate } = setup();
    const made = await isolate().make(CI);
    expect([...durable.files.keys()]).toEqual([KEY]);
    expect(document(durable)).toEqual({
      version: 1,
      tokens: [
        {
          ...CI,
          hash: expect.stringMatching(/^[0-9a-f]{64}$/),
          made: '2026-01-01T00:00:00.000Z',
        },
      ],
    });
    expect(text(durable.files.get(KEY)?.bytes ?? bytes(''))).not.toContain(made.slice(3));
  });

  it('whose globs nobody can parse may publish nothing', async () => {
    const { durable, isolate } = setup();
    const made = await isolate().make({ name: 'ci', scope: 'publish', modules: 'corp.example' });
    const damaged = document(durable);
    damaged.tokens[0].modules = '[';
    await durable.write(KEY, { bytes: bytes(JSON.stringify(damaged)), etag: '"x"' }, 'replace');
    expect(await isolate().find(made)).toMatchObject({ modules: [] });
  });
});

describe('in another isolate', () => {
  it('a token counts within a minute after it was made, and at once where nothing was known', async () => {
    const { clock, isolate } = setup();
    const [here, there] = [isolate(), isolate()];
    expect(await there.find('wrong')).toBeUndefined();
    const made = await here.make(CI);
    expect(await isolate().find(made)).toMatchObject({ name: 'ci' });
    await clock.advance(59_999);
    expect(await there.find(made)).toBeUndefined();
    await clock.advance(1);
    expect(await there.find(made)).toMatchObject({ name: 'ci' });
  });

  it('a token counts for a minute at most after it was revoked, also where nobody asked meanwhile', async () => {
    const { clock, isolate } = setup();
    const [here, there] = [isolate(), isolate()];
    const made = await here.make(CI);
    await there.find(made);
    await there.context.idle();
    expect(await here.open().revoke('ci')).toBe('revoked');
    expect(await here.find(made)).toBeUndefined();
    await clock.advance(29_999);
    expect(await there.find(made)).toBeDefined();
    await clock.advance(30_001);
    expect(await there.find(made)).toBeUndefined();
  });

  it('a token that is used all the time is read again behind an answer, every 30 s', async () => {
    const { calls, clock, durable, isolate } = setup();
    const { context, find, make } = isolate();
    const made = await make(CI);
    await find(made);
    await context.idle();
    calls.reads = 0;
    const { readForSwap } = durable;
    const reading = Promise.withResolvers<void>();
    durable.readForSwap = async (key) => {
      await reading.promise;
      return readForSwap(key);
    };
    await clock.advance(29_000);
    await find(made);
    expect(calls.reads).toBe(0);
    await clock.advance(1_000);
    for (let request = 0; request < 5; request++) expect(await find(made)).toBeDefined();
    reading.resolve();
    await context.idle();
    expect(calls.reads).toBe(1);
  });
});

/** The answers to so many wrong tokens at once. */
const flood = async ({ find }: { find: (token: string) => Promise<unknown> }, count: number) =>
  new Set(
    await Promise.all(
      Array.from({ length: count }, (_, at) => find(`wrong ${Math.random()}${at}`)),
    ),
  );

describe('a flood of wrong tokens', () => {
  it('costs an isolate one read a minute', async () => {
    const { calls, clock, isolate } = setup();
    const there = isolate();
    for (let second = 0; second < 180; second++) {
      expect(await flood(there, 20)).toEqual(new Set([undefined]));
      await clock.advance(1_000);
    }
    expect(calls).toEqual({ reads: 3, writes: 0 });
  });

  it('shares the first read', async () => {
    const { calls, isolate } = setup();
    expect(await flood(isolate(), 1_000)).toEqual(new Set([undefined]));
    expect(calls.reads).toBe(1);
  });

  it('beside an outage is unknown, and costs a read every 5 s', async () => {
    const { clock, durable, isolate } = setup();
    let reads = 0;
    durable.readForSwap = async () => {
      reads += 1;
      throw new Error('down');
    };
    const there = isolate();
    for (let second = 0; second < 60; second++) {
      expect(await flood(there, 20)).toEqual(new Set(['unknown']));
      await clock.advance(1_000);
    }
    expect(reads).toBe(12);
  });

  it('beside a bucket that does not answer shares the read, and is not kept waiting', async () => {
    const { clock, durable, isolate } = setup();
    let reads = 0;
    durable.readForSwap = () => {
      reads += 1;
      return new Promise(() => undefined);
    };
    const answers = flood(isolate(), 100);
    await settled();
    await clock.advance(5_000);
    expect(await answers).toEqual(new Set(['unknown']));
    expect(reads).toBe(1);
  });
});

it('a request whose client leaves ends no read that others wait for', async () => {
  const { durable, isolate } = setup();
  const { context, find, make } = isolate();
  const made = await make(CI);
  const { readForSwap } = durable;
  const reading = Promise.withResolvers<void>();
  durable.readForSwap = async (key) => {
    await reading.promise;
    return readForSwap(key);
  };
  const there = isolate();
  const labels: string[] = [];
  const tokens = new StoredTokens([], context.clock);
  const leaver = tokens.open({
    ...there.context,
    background: (label) => void labels.push(label),
  });
  void leaver.find(hashToken(made));
  expect(labels).toEqual(['tokens']);
  const waiting = tokens.open(there.context).find(hashToken(made));
  reading.resolve();
  expect(await waiting).toMatchObject({ name: 'ci' });
  await find(made);
});

describe('while the bucket fails', () => {
  it('a token that is known goes on to count, and of another nothing is known', async () => {
    const { clock, durable, isolate } = setup();
    const there = isolate();
    const made = await there.make(CI);
    const mend = breakBucket(durable);
    await clock.advance(3_600_000);
    expect(await there.find(made)).toMatchObject({ name: 'ci' });
    expect(await there.find('wrong')).toBe('unknown');
    expect(await there.find('the-token-of-ann')).toBe(CONFIGURED);
    expect(await isolate().find(made)).toBe('unknown');
    mend();
    await clock.advance(5_000);
    expect(await there.find('wrong')).toBeUndefined();
  });

  it('no token is made, revoked or listed', async () => {
    const { durable, isolate } = setup();
    const { make, open } = isolate();
    await make(CI);
    breakBucket(durable);
    expect(await open().make({ ...CI, name: 'other' })).toEqual({ kind: 'unavailable' });
    expect(await open().revoke('ci')).toBe('unavailable');
    expect(await open().list()).toBeUndefined();
  });
});

it('a document from a newer release stays, and its tokens are unknown', async () => {
  const { durable, isolate } = setup();
  const file = { bytes: bytes('{"version":2,"tokens":[]}'), etag: '"x"' };
  await durable.write(KEY, file, 'create');
  const { find, open } = isolate();
  expect(await find('wrong')).toBe('unknown');
  expect(await open().make(CI)).toEqual({ kind: 'unavailable' });
  expect(durable.files.get(KEY)?.bytes).toEqual(file.bytes);
});

const withoutBucket = () =>
  new StoredTokens([CONFIGURED], fakeClock()).open(fakeContext({ tiers: {} }));

describe('without a bucket', () => {
  it('TOKENS alone counts, and is listed', async () => {
    expect(await withoutBucket().find(CONFIGURED.hash)).toBe(CONFIGURED);
    expect(await withoutBucket().find(hashToken('wrong'))).toBeUndefined();
    expect(await withoutBucket().list()).toEqual([{ name: 'ann', scope: 'admin', from: 'TOKENS' }]);
  });

  it('no token is made', async () => {
    expect(await withoutBucket().make(CI)).toEqual({ kind: 'unkept' });
    expect([await withoutBucket().revoke('ci'), await withoutBucket().revoke('ann')]).toEqual([
      'none',
      'configured',
    ]);
  });
});

/** The first swap is done, and its answer is lost. */
function loseAnswer(durable: ReturnType<typeof memoryStore>) {
  const { swap } = durable;
  durable.swap = async (...args) => {
    durable.swap = swap;
    await swap(...args);
    throw new Error('lost');
  };
}

describe('a write that seems to fail and was done', () => {
  it('has made the token', async () => {
    const { clock, durable, isolate } = setup();
    const { find, open } = isolate();
    loseAnswer(durable);
    const making = open().make(CI);
    await clock.advance(1_000);
    const made = await making;
    expect(made.kind).toBe('made');
    expect(made.kind === 'made' && (await find(made.text))).toMatchObject({ name: 'ci' });
  });

  it('has revoked the token', async () => {
    const { clock, durable, isolate } = setup();
    const { make, open } = isolate();
    await make(CI);
    loseAnswer(durable);
    const revoking = open().revoke('ci');
    await clock.advance(1_000);
    expect(await revoking).toBe('revoked');
  });
});

it('of two isolates that make a token of one name at the same time, one does', async () => {
  const { clock, durable, isolate } = setup();
  const making = [isolate(), isolate(), isolate()].map(({ open }) => open().make(CI));
  await clock.advance(5_000);
  const kinds = (await Promise.all(making)).map(({ kind }) => kind);
  expect(kinds.toSorted()).toEqual(['made', 'taken', 'taken']);
  expect(document(durable).tokens).toHaveLength(1);
});

describe('the day of last use', () => {
  const DAY_MS = 86_400_000;

  it('is written once a day, over all isolates', async () => {
    const { calls, clock, durable, isolate } = setup();
    const isolates = [isolate(), isolate(), isolate()];
    const made = await isolates[0]?.make(CI);
    const days: (readonly [day: string | undefined, writes: number])[] = [];
    for (let hour = 0; hour < 72; hour++) {
      calls.writes = hour % 24 === 0 ? 0 : calls.writes;
      const finding = isolates.map(({ find }) => find(made ?? ''));
      await clock.advance(10_000); // one of them loses a swap, and looks again
      await Promise.all(finding);
      await Promise.all(isolates.map(({ context }) => context.idle()));
      const { lastUsed } = document(durable).tokens[0];
      if (hour % 24 === 23) days.push([lastUsed, calls.writes]);
      await clock.advance(3_590_000);
    }
    expect(days).toEqual([
      ['2026-01-01', 1],
      ['2026-01-02', 1],
      ['2026-01-03', 1],
    ]);
  });

  it('is that in UTC', async () => {
    const { clock, isolate } = setup();
    const { context, find, make, open } = isolate();
    const made = await make(CI);
    const used = async () => {
      await find(made);
      await context.idle();
      return (await open().list())?.at(-1)?.lastUsed;
    };
    expect(await used()).toBe('2026-01-01');
    await clock.advance(DAY_MS - 1);
    expect(await used()).toBe('2026-01-01');
    await clock.advance(1);
    expect(await used()).toBe('2026-01-02');
  });

  it('is written behind the answer, and its failure costs none', async () => {
    const { calls, clock, durable, isolate } = setup();
    const { context, find, make } = isolate();
    const made = await make(CI);
    const { swap } = durable;
    let tries = 0;
    durable.swap = async () => {
      tries += 1;
      throw new Error('full');
    };
    for (let request = 0; request < 10; request++) expect(await find(made)).toBeDefined();
    await clock.advance(10_000);
    await context.idle();
    expect(tries).toBe(5);
    durable.swap = swap;
    calls.writes = 0;
    await find(made);
    await context.idle();
    expect(calls.writes).toBe(0);
    await clock.advance(20_000);
    await find(made);
    await context.idle();
    expect(document(durable).tokens[0].lastUsed).toBe('2026-01-01');
  });

  it('of tokens that are used at the same time is written for each', async () => {
    const { clock, durable, isolate } = setup();
    const { context, find, make } = isolate();
    const names = ['a', 'b', 'c'];
    const made: string[] = [];
    for (const name of names) made.push(await make({ ...CI, name }));
    const finding = made.map(find);
    await clock.advance(5_000);
    await Promise.all(finding);
    await context.idle();
    expect(
      document(durable).tokens.map(({ lastUsed }: NewToken & { lastUsed?: string }) => lastUsed),
    ).toEqual(names.map(() => '2026-01-01'));
  });

  it('is not that of a token that has expired', async () => {
    const { clock, durable, isolate } = setup();
    const { context, find, make } = isolate();
    const made = await make({ ...CI, expires: '2026-01-01T00:00:01Z' });
    await clock.advance(1_000);
    await find(made);
    await context.idle();
    expect(document(durable).tokens[0].lastUsed).toBeUndefined();
  });

  it('brings back no token that was revoked meanwhile', async () => {
    const { durable, isolate } = setup();
    const [here, there] = [isolate(), isolate()];
    const made = await here.make(CI);
    await there.find('wrong');
    await here.open().revoke('ci');
    await there.find(made);
    await there.context.idle();
    expect(document(durable).tokens).toEqual([]);
  });
});
