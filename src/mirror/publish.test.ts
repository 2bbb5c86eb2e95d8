import { describe, expect, it } from 'vitest';
import { bytes, modulePath, version } from '../../test/fakes/effects/values.ts';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeContext, memoryTiers } from '../../test/fakes/mirror/context.ts';
import type { WriteMode } from '../store/contract.ts';
import { type StoreKey, versionKey } from '../store/key.ts';
import { type FileToPublish, publish } from './publish.ts';

const hello = modulePath('example.com/hello');
const v1 = version('v1.0.0');
const mod = versionKey(hello, v1, 'mod');
const hashFile = versionKey(hello, v1, 'ziphash');
const zip = versionKey(hello, v1, 'zip');

const filesToPublish = (mode: WriteMode): readonly FileToPublish[] =>
  [mod, hashFile, zip].map((key) => ({
    key,
    file: { bytes: bytes(`new ${key}`), etag: '"new"' },
    mode,
  }));
const FILES = filesToPublish('create');

/** A store whose write to `failsAt` fails, with the keys in the order of their writes. */
function setup(failsAt?: StoreKey) {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const { durable } = tiers;
  const written: string[] = [];
  const write = durable.write.bind(durable);
  durable.write = (key, file, mode) => {
    written.push(key);
    return key === failsAt ? Promise.reject(new Error('R2 is away')) : write(key, file, mode);
  };
  const context = fakeContext({ clock, tiers });
  return { ...tiers, written, context };
}

describe('several files', () => {
  it('are written one after the other, the last one last', async () => {
    const { context, durable, written } = setup();
    expect(await publish(FILES, context.store)).toBe(true);
    expect(written).toEqual([mod, hashFile, zip]);
    expect([...durable.files.keys()]).toEqual([mod, hashFile, zip]);
  });

  it('are not written at the same time: the last one waits for the others', async () => {
    const { context, durable, written } = setup();
    const gate = Promise.withResolvers<void>();
    const write = durable.write.bind(durable);
    durable.write = async (key, file, mode) => {
      if (key === mod) await gate.promise;
      return write(key, file, mode);
    };
    const publishing = publish(FILES, context.store);
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toEqual([]);
    gate.resolve();
    expect(await publishing).toBe(true);
  });

  it.each([
    ['first', mod, [mod]],
    ['second', hashFile, [mod, hashFile]],
    ['last', zip, [mod, hashFile, zip]],
  ])('are all absent when the %s write fails', async (_, failsAt, tried) => {
    const { context, durable, written } = setup(failsAt);
    expect(await publish(FILES, context.store)).toBe(false);
    expect(written).toEqual(tried);
    expect([...durable.files.keys()]).toEqual([]);
    expect(context.troubles).toEqual(['r2: R2 is away']);
  });

  it('are absent where there is no durable tier', async () => {
    const context = fakeContext({ tiers: {} });
    expect(await publish(FILES, context.store)).toBe(false);
    expect(context.troubles).toEqual([]);
  });

  it('that fail to be removed again are no reason to reject', async () => {
    const { context, durable } = setup(zip);
    durable.remove = () => Promise.reject(new Error('R2 is still away'));
    expect(await publish(FILES, context.store)).toBe(false);
    expect(context.troubles).toEqual([
      'r2: R2 is away',
      'r2: R2 is still away',
      'r2: R2 is still away',
    ]);
  });

  it('may be none', async () => {
    const { context, written } = setup();
    expect(await publish([], context.store)).toBe(true);
    expect(written).toEqual([]);
  });
});

describe('a file that is there already', () => {
  const old = { bytes: bytes('old'), etag: '"old"' };

  it('stays and counts as there', async () => {
    const { context, durable } = setup();
    durable.files.set(mod, old);
    expect(await publish(FILES, context.store)).toBe(true);
    expect(durable.files.get(mod)).toEqual(old);
    expect(durable.files.size).toBe(3);
  });

  it('is not removed when a later write fails', async () => {
    const { context, durable } = setup(zip);
    durable.files.set(mod, old);
    expect(await publish(FILES, context.store)).toBe(false);
    expect([...durable.files]).toEqual([[mod, old]]);
  });

  it('is replaced where the mode says so', async () => {
    const { context, durable } = setup();
    durable.files.set(mod, old);
    const files = filesToPublish('replace');
    expect(await publish(files, context.store)).toBe(true);
    expect(durable.files.get(mod)?.etag).toBe('"new"');
  });
});

it("what replaced a file stays when a later write fails: it may be another isolate's by now", async () => {
  const { context, durable } = setup(zip);
  const [first, second, last] = FILES;
  if (!first || !second || !last) throw new Error('no files');
  const files = [{ ...first, mode: 'replace' as const }, second, last];
  expect(await publish(files, context.store)).toBe(false);
  expect([...durable.files.keys()]).toEqual([mod]);
});
