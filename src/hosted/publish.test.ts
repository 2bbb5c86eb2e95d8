import { describe, expect, it } from 'vitest';
import { fakeClock, type FakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeContext } from '../../test/fakes/mirror/context.ts';
import { memoryStore, type MemoryStore } from '../../test/fakes/store/memory-store.ts';
import { stoppedStore } from '../../test/fakes/store/stopped-store.ts';
import { moduleZip } from '../../test/fakes/zip/module-zip.ts';
import { bytesOf } from '../bytes/streams.ts';
import type { ModuleRequest } from '../goproxy/request.ts';
import { LOCAL, type Outcome } from '../mirror/outcome.ts';
import { parseModulePath } from '../module/module-path.ts';
import { parsePatterns } from '../module/patterns.ts';
import { parseVersion } from '../module/version.ts';
import type { DurableStore } from '../store/contract.ts';
import { listedKey } from '../store/key.ts';
import { LEASE_MS } from './claim.ts';
import { publishVersion, type Publication } from './publish.ts';
import { removeHosted } from './remove.ts';
import { latestOfList } from '../goproxy/latest-of-list.ts';
import { withHosted } from './resolve.ts';

const module = defined(parseModulePath('corp.example/tool'));
const version = defined(parseVersion('v1.0.0'));
const FIRST = moduleZip(module, version);
const OTHER_MOD = `module ${module}\n\ngo 1.24\n`;
const OTHER = moduleZip(module, version, { 'go.mod': OTHER_MOD });
/** The same files as FIRST, and so the same h1, in other bytes. */
const REPACKED = Uint8Array.from([...FIRST.slice(0, -2), 1, 0, 0x21]);

const TAKEN: Publication = { kind: 'taken', hasSameFiles: false };

function defined<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('Cannot parse a fixture');
  return value;
}

interface World {
  readonly clock: FakeClock;
  readonly files: MemoryStore;
}

function newWorld(): World {
  const clock = fakeClock();
  return { clock, files: memoryStore(clock) };
}

/** Publishes as a process of its own, over `durable`. */
async function publish(
  { clock, files }: World,
  zip: Uint8Array,
  durable: DurableStore = files,
): Promise<Publication> {
  const context = fakeContext({ clock, tiers: { durable } });
  const body = new Blob([new Uint8Array(zip)]).stream();
  const published = await publishVersion(
    { module, version },
    { body, declaredBytes: zip.length },
    context,
  );
  await context.idle();
  return published;
}

const MISSING: Outcome = {
  kind: 'missing',
  status: 404,
  text: 'not found',
  cache: 'failure',
  source: LOCAL,
};

/** What a new process serves of the version, by the end of the path; `missing` for a 404. */
async function served({ clock, files }: World): Promise<Readonly<Record<string, unknown>>> {
  const patterns = parsePatterns(module);
  if (!patterns.ok) throw new Error(patterns.reason.join());
  const hosting = withHosted(async () => MISSING, patterns.value);
  const resolve = latestOfList(hosting, patterns.value);
  const context = fakeContext({ clock, tiers: { durable: files } });
  const requests: readonly ModuleRequest[] = [
    { kind: 'list', module },
    { kind: 'latest', module },
    { kind: 'info', module, version },
    { kind: 'mod', module, version },
    { kind: 'zip', module, version },
  ];
  const answers = requests.map(async (request) => {
    const outcome = await resolve(request, context);
    const body = outcome.kind === 'found' ? await bytesOf(outcome.file.body) : undefined;
    return [request.kind, body && (request.kind === 'zip' ? body : new TextDecoder().decode(body))];
  });
  return Object.fromEntries(await Promise.all(answers));
}

const NOTHING = {
  list: undefined,
  latest: undefined,
  info: undefined,
  mod: undefined,
  zip: undefined,
};

function whole(zip: Uint8Array) {
  return {
    list: 'v1.0.0\n',
    latest: expect.stringContaining('v1.0.0'),
    info: expect.stringContaining('"Version":"v1.0.0"'),
    mod: zip === OTHER ? OTHER_MOD : `module ${module}\n`,
    zip: new Uint8Array(zip),
  };
}

/** How many calls of the store a publish makes. */
async function callsOfPublish(): Promise<number> {
  const world = newWorld();
  const counted = stoppedStore(world.files, { at: Infinity, when: 'before' });
  expect(await publish(world, FIRST, counted.store)).toMatchObject({ kind: 'published' });
  return counted.calls();
}

const CALLS = await callsOfPublish();
const KILLS = Array.from({ length: CALLS }, (_, index) => index + 1).flatMap((at) =>
  (['before', 'after'] as const).map((when) => ({ at, when })),
);

describe('a publish that is killed', () => {
  it('is tried at many calls', () => {
    expect(CALLS).toBeGreaterThan(12);
  });

  it.each(KILLS)('$when call $at is visible whole or not at all, and goes on', async (kill) => {
    const world = newWorld();
    await publish(world, FIRST, stoppedStore(world.files, kill).store);
    const left = await served(world);
    const isVisible = left['info'] !== undefined;
    expect(left).toEqual(isVisible ? whole(FIRST) : NOTHING);
    expect(await publish(world, FIRST)).toMatchObject({
      kind: isVisible ? 'unchanged' : 'published',
    });
    expect(await served(world)).toEqual(whole(FIRST));
    expect(await publish(world, OTHER)).toEqual(TAKEN);
    expect(await served(world)).toEqual(whole(FIRST));
  });

  it.each(KILLS)('$when call $at makes way for other bytes after its lease', async (kill) => {
    const world = newWorld();
    await publish(world, FIRST, stoppedStore(world.files, kill).store);
    const isVisible = (await served(world))['info'] !== undefined;
    await world.clock.advance(LEASE_MS);
    const other = await publish(world, OTHER);
    expect(other).toMatchObject({ kind: isVisible ? 'taken' : 'published' });
    expect(await served(world)).toEqual(whole(isVisible ? FIRST : OTHER));
  });

  it('keeps other bytes out during its lease, and says for how long', async () => {
    const world = newWorld();
    const isClaimed = () => world.files.files.has(`hosted/${module}/@v/${version}.ziphash`);
    for (let at = 1; !isClaimed(); at++)
      await publish(world, FIRST, stoppedStore(world.files, { at, when: 'after' }).store);
    await world.clock.advance(10_000);
    expect(await publish(world, OTHER)).toEqual({ kind: 'held', forMs: LEASE_MS - 10_000 });
    expect(await publish(world, FIRST)).toMatchObject({ kind: 'published' });
  });

  it('leaves uploads that a publish after a day removes', async () => {
    const world = newWorld();
    const uploads = () => [...world.files.files.keys()].filter((key) => key.includes('uploads/'));
    for (let at = 1; uploads().length === 0; at++)
      await publish(world, FIRST, stoppedStore(world.files, { at, when: 'after' }).store);
    await world.clock.advance(86_400_000);
    await publish(world, FIRST);
    expect(uploads()).toHaveLength(1);
    await world.clock.advance(1);
    await publish(world, FIRST);
    expect(uploads()).toEqual([]);
  });
});

describe('two publishes at the same time', () => {
  it('with the same bytes both succeed', async () => {
    const world = newWorld();
    const both = await Promise.all([publish(world, FIRST), publish(world, FIRST)]);
    // One of them wrote the .info, and its Time never changes again.
    expect(both.map(({ kind }) => kind).toSorted()).toEqual(['published', 'unchanged']);
    expect(await served(world)).toEqual(whole(FIRST));
  });

  it.each([
    ['other files', OTHER],
    ['the same files in another zip', REPACKED],
  ])('with %s: one is published', async (_name, other) => {
    const world = newWorld();
    const both = await Promise.all([publish(world, FIRST), publish(world, other)]);
    const kinds = both.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'published')).toHaveLength(1);
    const [winner, loser] = kinds[0] === 'published' ? [FIRST, other] : [other, FIRST];
    expect((await served(world))['zip']).toEqual(new Uint8Array(winner));
    const hasSameFiles = other === REPACKED;
    expect(await publish(world, loser)).toEqual({ kind: 'taken', hasSameFiles });
  });

  it('leaves the .info alone that another one was faster with', async () => {
    const world = newWorld();
    const slow = slowInfo(world.files);
    const first = publish(world, FIRST, slow.store);
    await slow.waiting;
    expect(await publish(world, FIRST)).toMatchObject({ kind: 'published' });
    const { info } = await served(world);
    await world.clock.advance(5_000);
    slow.go();
    expect(await first).toMatchObject({ kind: 'unchanged' });
    expect((await served(world))['info']).toBe(info);
  });

  it('does not publish under a claim that somebody has taken over', async () => {
    const world = newWorld();
    const slow = slowUpload(world.files);
    const first = publish(world, FIRST, slow.store);
    await slow.waiting;
    const bytes = new TextEncoder().encode('h1:of-other-bytes');
    const claim = listedKey(`hosted/${module}/@v/${version}.ziphash`);
    await world.files.write(claim, { bytes, etag: '"of other bytes"' }, 'replace');
    slow.go();
    expect(await first).toEqual({ kind: 'held', forMs: LEASE_MS });
    expect(await served(world)).toEqual(NOTHING);
  });
});

/** The store, where the write of an .info begins when the test says so. */
function slowInfo(files: MemoryStore) {
  const waiting = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const store: DurableStore = {
    ...files,
    async write(key, file, mode) {
      if (key.endsWith('.info')) {
        waiting.resolve();
        await gate.promise;
      }
      return files.write(key, file, mode);
    },
  };
  return { store, waiting: waiting.promise, go: () => gate.resolve() };
}

/** The store, where the upload of the hosted zip begins when the test says so. */
function slowUpload(files: MemoryStore) {
  const waiting = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const store: DurableStore = {
    ...files,
    async upload(key, file) {
      const upload = await files.upload(key, file);
      if (!key.startsWith('hosted/')) return upload;
      waiting.resolve();
      await gate.promise;
      return upload;
    },
  };
  return { store, waiting: waiting.promise, go: () => gate.resolve() };
}

describe('publishVersion', () => {
  it.each([
    ['a body that breaks off', 'broken off', FIRST.slice(0, 50), FIRST.length],
    ['a declared length over the limit', 'too large', FIRST, 500 * 1024 * 1024 + 1],
  ] as const)('stores nothing of %s', async (_name, why, sent, declaredBytes) => {
    const { clock, files } = newWorld();
    const context = fakeContext({ clock, tiers: { durable: files } });
    const body = new Blob([new Uint8Array(sent)]).stream();
    const published = await publishVersion({ module, version }, { body, declaredBytes }, context);
    expect(published).toEqual({ kind: 'not staged', why });
    expect([...files.files.keys()]).toEqual([]);
  });

  it('stores nothing of a body that fails', async () => {
    const { clock, files } = newWorld();
    const context = fakeContext({ clock, tiers: { durable: files } });
    const body = new ReadableStream({
      type: 'bytes',
      start: (controller) => controller.enqueue(FIRST.slice(0, 50)),
      pull: (controller) => controller.error(new Error('the client is gone')),
    });
    const zip = { body, declaredBytes: undefined };
    const published = await publishVersion({ module, version }, zip, context);
    expect(published).toEqual({ kind: 'not staged', why: 'broken off' });
    expect([...files.files.keys()]).toEqual([]);
  });

  it('ends a body without a declared length at the limit', async () => {
    const { clock, files } = newWorld();
    const context = fakeContext({ clock, tiers: { durable: discarding(files) } });
    let sent = 0;
    const body = new ReadableStream({
      type: 'bytes',
      pull(controller) {
        sent += 1;
        controller.enqueue(new Uint8Array(1024 * 1024));
      },
    });
    const zip = { body, declaredBytes: undefined };
    const published = await publishVersion({ module, version }, zip, context);
    expect(published).toEqual({ kind: 'not staged', why: 'too large' });
    expect(sent).toBeLessThan(510);
  });

  it('knows the same bytes again in a bucket that was copied without its metadata', async () => {
    const world = newWorld();
    await publish(world, FIRST);
    const key = `hosted/${module}/@v/${version}.zip`;
    world.files.files.set(key, { bytes: FIRST, etag: '"of the copy"' });
    expect(await publish(world, FIRST)).toMatchObject({ kind: 'unchanged' });
    expect(await publish(world, OTHER)).toEqual(TAKEN);
  });

  it('replaces what a wrong hand left at the key of the zip', async () => {
    const world = newWorld();
    const key = listedKey(`hosted/${module}/@v/${version}.zip`);
    await world.files.write(key, { bytes: OTHER, etag: '"x"' }, 'create');
    expect(await publish(world, FIRST)).toMatchObject({ kind: 'published' });
    expect(await served(world)).toEqual(whole(FIRST));
  });
});

/** The store, whose uploads go nowhere. */
function discarding(files: MemoryStore): DurableStore {
  return {
    ...files,
    upload: async () => ({
      write: async () => {},
      commit: async () => true,
      abort: async () => {},
    }),
  };
}

describe('removeHosted', () => {
  it.each([1, 2, 3].flatMap((at) => (['before', 'after'] as const).map((when) => ({ at, when }))))(
    'that is killed $when call $at leaves the version whole or invisible',
    async (kill) => {
      const world = newWorld();
      await publish(world, FIRST);
      const { store } = stoppedStore(world.files, kill);
      await removeHosted(
        { module, version },
        fakeContext({ clock: world.clock, tiers: { durable: store } }),
      );
      const left = await served(world);
      expect(left).toEqual(left['info'] === undefined ? NOTHING : whole(FIRST));
      const again = fakeContext({ clock: world.clock, tiers: { durable: world.files } });
      expect(await removeHosted({ module, version }, again)).toBe(true);
      expect([...world.files.files.keys()]).toEqual([]);
      expect(await publish(world, OTHER)).toMatchObject({ kind: 'published' });
      expect(await served(world)).toEqual(whole(OTHER));
    },
  );
});
