import { describe, expect, it } from 'vitest';
import { fakeClock, type FakeClock, settled } from '../../test/fakes/effects/clock.ts';
import { bytes, modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { fakeContext, untilDone } from '../../test/fakes/mirror/context.ts';
import { memoryCache, memoryEdge, memoryStore } from '../../test/fakes/store/memory-store.ts';
import { checksumKey, listKey, ownKey, versionKey } from './key.ts';
import { formatMarks, KnownMarks, NO_MARKS, parseMarks, withMark } from './marks.ts';

const module = modulePath('example.com/hello');
const key = versionKey(module, version('v1.0.0'), 'mod');
const otherFile = versionKey(module, version('v1.1.0'), 'mod');
const unrelated = versionKey(modulePath('example.com/other'), version('v1.0.0'), 'mod');
const DOCUMENT = ownKey('marks.json');
const file = (content: string) => ({ bytes: bytes(content), etag: `"${content}"` });
const KEEP = { inWorldTier: true, durable: 'replace' } as const;

/** Data centres with an edge cache each, and a bucket and a KV namespace for all. */
function world() {
  const clock = fakeClock();
  const shared = { world: memoryCache(), durable: memoryStore() };
  return { ...shared, clock, dataCentre: () => dataCentreOf(clock, shared) };
}

function dataCentreOf(
  clock: FakeClock,
  shared: Pick<ReturnType<typeof world>, 'world' | 'durable'>,
) {
  const tiers = { near: memoryEdge(clock), ...shared };
  const troubles: string[] = [];
  /** Requests of one isolate. */
  function isolate(known = new KnownMarks()) {
    return async function request<T>(
      ask: (store: ReturnType<typeof fakeContext>['store']) => Promise<T>,
    ): Promise<T> {
      const context = fakeContext({ clock, tiers, known });
      const answer = await untilDone(clock, ask(context.store));
      await untilDone(clock, context.idle());
      troubles.push(...context.troubles);
      return answer;
    };
  }
  return { ...tiers, isolate, troubles };
}

describe('a mark', () => {
  it('makes copies of its module worthless in every data centre within a minute', async () => {
    const { clock, dataCentre, durable } = world();
    const [here, there] = [dataCentre(), dataCentre()];
    const [inHere, inThere] = [here.isolate(), there.isolate()];
    for (const request of [inHere, inThere]) {
      await request(async (store) => {
        await store.keep(key, file('wrong'), KEEP);
        await store.keep(otherFile, file('other'), KEEP);
        await store.keep(unrelated, file('unrelated'), KEEP);
      });
    }
    await clock.advance(20_000);
    await inThere((store) => store.find(key, { inWorldTier: true }));
    await clock.advance(5_000);
    await inHere((store) => store.remove(key));
    await durable.write(key, file('right'), 'create');
    await clock.advance(60_000);
    for (const request of [inHere, inThere, there.isolate()]) {
      const hit = await request((store) => store.findWhole(key, { inWorldTier: true }));
      expect(text(hit?.file.bytes ?? new Uint8Array())).toBe('right');
    }
    const others = await inThere((store) => store.findNear(otherFile));
    expect(others).toBeUndefined();
    expect(await inThere((store) => store.findNear(unrelated))).toMatchObject({ tier: 'edge' });
  });

  it('is known to another isolate of the same data centre at once', async () => {
    const { dataCentre } = world();
    const here = dataCentre();
    await here.isolate()(async (store) => store.keep(key, file('wrong'), KEEP));
    await here.isolate()((store) => store.remove(otherFile));
    expect(await here.isolate()((store) => store.findNear(key))).toBeUndefined();
  });

  it('counts for a copy that is written after it by a request that began before it', async () => {
    const { clock, dataCentre, durable } = world();
    const here = dataCentre();
    await durable.write(key, file('wrong'), 'create');
    const known = new KnownMarks();
    const slow = fakeContext({ clock, tiers: here, known });
    await clock.advance(10_000);
    await here.isolate(known)((store) => store.remove(key));
    await clock.advance(10_000);
    await slow.store.keep(key, file('wrong'), { inWorldTier: true, durable: 'create' });
    await slow.idle();
    expect(await here.isolate(known)((store) => store.findNear(key))).toBeUndefined();
  });

  it('and the copy made after it are kept for as long as any copy', async () => {
    const { clock, dataCentre, durable } = world();
    const here = dataCentre();
    await here.isolate()((store) => store.remove(key));
    await clock.advance(3_000);
    await here.isolate()((store) => store.keep(key, file('right'), KEEP));
    await clock.advance(29 * 86_400_000);
    expect(await here.isolate()((store) => store.findNear(key))).toMatchObject({ tier: 'edge' });
    await here.isolate()((store) => store.remove(unrelated)); // leaves out marks that are too old
    expect(text(durable.files.get(DOCUMENT)?.bytes ?? new Uint8Array())).toContain(module);
    await clock.advance(3 * 86_400_000);
    await here.isolate()((store) => store.remove(unrelated));
    expect(text(durable.files.get(DOCUMENT)?.bytes ?? new Uint8Array())).not.toContain(module);
  });
});

describe('the document of marks', () => {
  it('is read beside the look-up of a fresh isolate, and then every 30 s', async () => {
    const { clock, dataCentre } = world();
    const here = dataCentre();
    const reads: string[] = [];
    const read = here.near.read.bind(here.near);
    here.near.read = (asked) => {
      reads.push(asked);
      return read(asked);
    };
    const request = here.isolate();
    const find = () => request((store) => store.findNear(key));
    await Promise.all([find(), find()].map((one) => one));
    expect(reads.filter((asked) => asked === DOCUMENT)).toHaveLength(2);
    await find();
    await clock.advance(29_000);
    await find();
    expect(reads.filter((asked) => asked === DOCUMENT)).toHaveLength(2);
    await clock.advance(1_000);
    await find();
    expect(reads.filter((asked) => asked === DOCUMENT)).toHaveLength(3);
  });

  it('is read at the same time as what it is about, and not after it', async () => {
    const { clock, dataCentre } = world();
    const here = dataCentre();
    const begun: string[] = [];
    here.near.read = (asked) => {
      begun.push(asked);
      return new Promise(() => undefined);
    };
    const { store } = fakeContext({ clock, tiers: here, known: new KnownMarks() });
    void store.find(key, { inWorldTier: true });
    await settled();
    expect(begun.toSorted()).toEqual([DOCUMENT, key].toSorted());
  });

  it('is read behind the answer for 50 s, and then beside its look-up', async () => {
    const { clock, dataCentre, durable } = world();
    const here = dataCentre();
    const known = new KnownMarks();
    await here.isolate(known)((store) => store.keep(key, file('x'), KEEP));
    await here.isolate(known)((store) => store.findNear(key));
    durable.read = () => new Promise(() => undefined);
    await clock.advance(49_000);
    const behind = fakeContext({ clock, tiers: here, known });
    expect(await behind.store.findNear(key)).toMatchObject({ tier: 'edge' });
    await clock.advance(1_000);
    await behind.idle();
    expect(behind.troubles).toEqual(['marks: No result within 1000 ms']);
    await clock.advance(31_000);
    const beside = fakeContext({ clock, tiers: here, known });
    let hasAnswer = false;
    void beside.store.findNear(key).then(() => (hasAnswer = true));
    await clock.advance(999);
    expect(hasAnswer).toBe(false);
    await clock.advance(1);
    expect(hasAnswer).toBe(true);
  });

  it('that comes after the second is known to the next request', async () => {
    const { clock, dataCentre, durable } = world();
    const here = dataCentre();
    const known = new KnownMarks();
    await here.isolate(known)((store) => store.keep(key, file('wrong'), KEEP));
    await clock.advance(1_000);
    const marks = formatMarks(withMark(NO_MARKS, module, clock.now()));
    await durable.write(DOCUMENT, { bytes: marks, etag: '"m"' }, 'replace');
    const read = durable.read.bind(durable);
    durable.read = async (...args) => {
      await clock.sleep(1_200);
      return read(...args);
    };
    const found: unknown[] = [];
    for (let at = 0; at < 2; at++) {
      await clock.advance(60_000);
      const context = fakeContext({ clock, tiers: here, known });
      const finding = context.store.findNear(key);
      await clock.advance(2_000);
      found.push((await finding)?.kind);
      await context.idle();
    }
    expect(found).toEqual(['file', undefined]);
  });

  it('takes the marks of ten modules at once, one write a second', async () => {
    const { clock, dataCentre, durable } = world();
    const here = dataCentre();
    const swap = durable.swap.bind(durable);
    let last = -Infinity;
    durable.swap = async (...args) => {
      if (clock.now() - last < 1_000) throw new Error('429');
      last = clock.now();
      return swap(...args);
    };
    const known = new KnownMarks();
    const names = Array.from({ length: 10 }, (_, n) => `example.com/m${n}`);
    const removals = names.map((name) =>
      here.isolate(known)((store) =>
        store.remove(versionKey(modulePath(name), version('v1.0.0'), 'mod')),
      ),
    );
    await Promise.all(removals);
    const parsed = parseMarks(durable.files.get(DOCUMENT)?.bytes ?? new Uint8Array());
    expect(parsed.ok && Object.keys(parsed.value.marks).toSorted()).toEqual(names);
  });

  it('that is silent costs a second, and what was known before counts', async () => {
    const { clock, dataCentre, durable } = world();
    const here = dataCentre();
    const known = new KnownMarks();
    await here.isolate(known)((store) => store.keep(key, file('wrong'), KEEP));
    await here.isolate(known)((store) => store.remove(otherFile));
    await clock.advance(51_000);
    durable.read = () => new Promise(() => undefined);
    const context = fakeContext({ clock, tiers: here, known });
    const found = context.store.findNear(key);
    await clock.advance(999);
    await clock.advance(1);
    expect(await found).toBeUndefined();
    expect(context.troubles).toEqual(['marks: No result within 1000 ms']);
  });

  it.each([
    ['damaged', '{"version":1,"marks":'],
    ['from a newer release', '{"version":2,"marks":{},"more":true}'],
  ])(
    'that is %s is reported once, answers nobody worse, and stays as it is',
    async (_, content) => {
      const { clock, dataCentre, durable } = world();
      const here = dataCentre();
      await durable.write(DOCUMENT, file(content), 'create');
      const request = here.isolate();
      await request((store) => store.keep(key, file('x'), KEEP));
      expect(await request((store) => store.findNear(key))).toMatchObject({ tier: 'edge' });
      await clock.advance(31_000);
      await request((store) => store.findNear(key));
      await request((store) => store.remove(otherFile));
      expect(text(durable.files.get(DOCUMENT)?.bytes ?? new Uint8Array())).toBe(content);
      expect(here.troubles).toEqual([
        `marks: The document of marks is damaged, or from a newer release of modferry. No mark is read or written while ${DOCUMENT} is in the bucket as it is`,
        `marks: Cannot write a mark for ${module} yet: until the next mark is written, other data centres may serve older copies`,
      ]);
      expect(await request((store) => store.findNear(key))).toBeUndefined();
    },
  );

  it('is written again after another isolate was faster, and after a refusal', async () => {
    const { dataCentre, durable } = world();
    const here = dataCentre();
    const swap = durable.swap.bind(durable);
    let calls = 0;
    durable.swap = async (...args) => {
      calls += 1;
      if (calls === 1) throw new Error('429');
      if (calls === 2) await durable.write(DOCUMENT, marksOf(unrelated), 'replace');
      return swap(...args);
    };
    await here.isolate()((store) => store.remove(key));
    const parsed = parseMarks(durable.files.get(DOCUMENT)?.bytes ?? new Uint8Array());
    expect(parsed.ok && Object.keys(parsed.value.marks).toSorted()).toEqual([module, unrelated]);
  });
});

function marksOf(subject: string) {
  const document = formatMarks(withMark(NO_MARKS, subject, Date.UTC(2026, 0, 1)));
  return { bytes: document, etag: '"marks"' };
}

describe('marks', () => {
  const at = Date.UTC(2026, 0, 1);

  it('of the isolate itself outlive an older document', () => {
    const known = new KnownMarks();
    known.add([module], at);
    known.take(NO_MARKS, at - 20_000);
    expect(known.isOutdated(key, at - 60_000)).toBe(true);
    known.take(withMark(NO_MARKS, module, at), at + 1_000);
    expect([known.isOutdated(key, at), known.unwritten]).toEqual([true, []]);
  });

  it('are about a module, and about the very file of a checksum database', () => {
    const known = new KnownMarks();
    known.add([module, 'sumdb/sum.example/tile/8/0/000'], at);
    const outdated = [
      key,
      listKey(module),
      unrelated,
      checksumKey('sum.example', 'tile/8/0/000'),
      checksumKey('sum.example', 'tile/8/0/001'),
    ].map((one) => known.isOutdated(one, at));
    expect(outdated).toEqual([true, true, false, true, false]);
  });

  it('leave two seconds for clocks that differ', () => {
    const known = new KnownMarks();
    known.add([module], at);
    expect([at + 2_000, at + 2_001].map((asOf) => known.isOutdated(key, asOf))).toEqual([
      true,
      false,
    ]);
  });

  it('of 2,000 subjects and more become one for every file', () => {
    const subjects = Array.from(
      { length: 2_009 },
      (_, n) => [`example.com/m${n}`, at + n] as const,
    );
    const marks = Object.fromEntries(subjects);
    const document = withMark({ ...NO_MARKS, marks }, 'example.com/last', at + 2_009);
    expect(Object.keys(document.marks)).toHaveLength(2_000);
    const known = new KnownMarks();
    known.take(document, at);
    expect(known.isOutdated(unrelated, at)).toBe(true);
    expect(known.isOutdated(unrelated, at + 60_000)).toBe(false);
  });

  it('keep what a later release has added to the document', () => {
    const parsed = parseMarks(bytes('{"version":1,"marks":{"a":1},"advisories":["x"]}'));
    expect(parsed.ok && text(formatMarks(withMark(parsed.value, 'b', 2)))).toBe(
      '{"version":1,"marks":{"b":2,"a":1},"advisories":["x"]}\n',
    );
  });
});
