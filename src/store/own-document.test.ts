import { describe, expect, it } from 'vitest';
import { bytes } from '../../test/fakes/effects/values.ts';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeContext } from '../../test/fakes/mirror/context.ts';
import { memoryStore } from '../../test/fakes/store/memory-store.ts';
import { failed, success } from '../effects/result.ts';
import { ownKey } from './key.ts';
import { OwnDocument, type OwnDocumentKind, unreadDocument } from './own-document.ts';

const KIND: OwnDocumentKind<readonly string[]> = {
  name: 'tokens.json',
  empty: [],
  parse: (json) => (Array.isArray(json) ? success(json.map(String)) : failed('It is no array')),
};
const KEY = ownKey('tokens.json');

/** Isolates over one bucket. */
function setup() {
  const clock = fakeClock();
  const durable = memoryStore(clock);
  const open = () => {
    const known = unreadDocument<readonly string[]>();
    const context = fakeContext({ clock, tiers: { durable } });
    const request = () => new OwnDocument(KIND, known, context);
    return { known, context, request };
  };
  return { clock, durable, open };
}

const adding = (item: string) => (items: readonly string[]) => [...items, item];

it('what one isolate writes, another one reads', async () => {
  const { open } = setup();
  const [a, b] = [open(), open()];
  expect(await b.request().read(0)).toEqual([]);
  expect(await a.request().update(adding('x'))).toEqual(['x']);
  expect(await b.request().read(0)).toEqual(['x']);
});

it('a value that is new enough costs no read', async () => {
  const { clock, open } = setup();
  const [a, b] = [open(), open()];
  await b.request().read(0);
  await a.request().update(adding('x'));
  await clock.advance(29_999);
  expect(await b.request().read(30_000)).toEqual([]);
  await clock.advance(1);
  expect(await b.request().read(30_000)).toEqual(['x']);
});

it('a change of another isolate is not lost', async () => {
  const { clock, durable, open } = setup();
  const [a, b] = [open(), open()];
  const { swap } = durable;
  let isFirst = true;
  durable.swap = async (...args) => {
    if (isFirst) {
      isFirst = false;
      await b.request().update(adding('b'));
    }
    return swap(...args);
  };
  const updating = a.request().update(adding('a'));
  await clock.advance(1_000);
  expect(await updating).toEqual(['b', 'a']);
});

it('nothing is written where nothing changes', async () => {
  const { durable, open } = setup();
  expect(
    await open()
      .request()
      .update(() => undefined),
  ).toEqual([]);
  expect(durable.files.size).toBe(0);
});

describe.each([
  ['no JSON', 'x'],
  ['of another form', '{"version":2}'],
])('a document that is %s', (_, text) => {
  it('stays as it is, and is reported', async () => {
    const { durable, open } = setup();
    await durable.write(KEY, { bytes: bytes(text), etag: '"1"' }, 'create');
    const { context, request } = open();
    expect(await request().read(0)).toBeUndefined();
    expect(await request().update(adding('x'))).toBeUndefined();
    expect(durable.files.get(KEY)?.bytes).toEqual(bytes(text));
    expect(context.troubles[0]).toContain('.modferry/tokens.json: It is no');
  });
});

it('an outage leaves what is known, and is not asked about again for some seconds', async () => {
  const { clock, durable, open } = setup();
  const { request } = open();
  await request().update(adding('x'));
  let reads = 0;
  durable.readForSwap = async () => {
    reads += 1;
    throw new Error('down');
  };
  await clock.advance(60_000);
  expect(await request().read(0)).toEqual(['x']);
  expect(await request().read(0)).toEqual(['x']);
  expect(reads).toBe(1);
  await clock.advance(5_000);
  await request().read(0);
  expect(reads).toBe(2);
  expect(await request().update(adding('y'))).toBeUndefined();
});

it('without a bucket it lives in the isolate', async () => {
  const known = unreadDocument<readonly string[]>();
  const request = () => new OwnDocument(KIND, known, fakeContext({ tiers: {} }));
  expect(await request().read(0)).toEqual([]);
  await request().update(adding('x'));
  expect(await request().update(adding('y'))).toEqual(['x', 'y']);
  expect(await request().read(0)).toEqual(['x', 'y']);
});

it('a read beside a change of the same isolate does not undo it', async () => {
  const { clock, durable, open } = setup();
  const { readForSwap, swap } = durable;
  const { request } = open();
  for (const when of ['before the read ends', 'after the read has ended'] as const) {
    await clock.advance(60_000);
    const item = `changed ${when}`;
    const [swapping, reading] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    durable.swap = async (...args) => {
      await swapping.promise;
      return swap(...args);
    };
    const updating = request().update(adding(item));
    await clock.advance(10);
    durable.readForSwap = async (key) => {
      const file = await readForSwap(key);
      await reading.promise;
      return file;
    };
    const read = request().read(0);
    await clock.advance(10);
    const ends = { updating: [swapping, updating], reading: [reading, read] } as const;
    const order =
      when === 'before the read ends'
        ? [ends.updating, ends.reading]
        : [ends.reading, ends.updating];
    for (const [gate, work] of order) {
      gate.resolve();
      await work;
    }
    durable.readForSwap = readForSwap;
    durable.swap = swap;
    expect(await request().read(30_000)).toContain(item);
  }
});
