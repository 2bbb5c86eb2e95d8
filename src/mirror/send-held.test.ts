import { describe, expect, it } from 'vitest';
import { pattern } from '../../test/fakes/effects/byte-source.ts';
import { fakeClock, settled } from '../../test/fakes/effects/clock.ts';
import { modulePath, version } from '../../test/fakes/effects/values.ts';
import { fakeContext, memoryTiers } from '../../test/fakes/mirror/context.ts';
import { receive } from '../../test/fakes/mirror/relay.ts';
import { Held } from '../effects/held.ts';
import { versionKey } from '../store/key.ts';
import { type Found, LOCAL } from './outcome.ts';
import { sendHeld } from './send-held.ts';

const MIB = 1024 * 1024;
const BUDGET = 40 * MIB;
const key = versionKey(modulePath('example.com/hello'), version('v1.0.0'), 'zip');
const etag = '"e"';
const bytes = pattern(7 * MIB);

/** A file of 7 MiB that is in memory, and may be stored as well. */
function setup({ isStored = true, hasStore = true } = {}) {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const context = fakeContext({ clock, tiers: hasStore ? tiers : {} });
  const { held: budget } = context.shared.budgets;
  const release = budget.take(bytes.length);
  const held = new Held(() => release?.());
  if (isStored) tiers.durable.files.set(key, { bytes, etag });
  const file = { body: bytes, size: bytes.length, etag, held };
  const found: Found = { kind: 'found', file, contentType: '', cache: 'immutable', source: LOCAL };
  const send = () => {
    const outcome = sendHeld(found, key, context);
    if (outcome.kind !== 'found' || outcome.file.body instanceof Uint8Array)
      throw new Error('It is no stream');
    return outcome.file.body.getReader();
  };
  const isFree = () => {
    const all = budget.take(BUDGET);
    all?.();
    return all !== undefined;
  };
  return { clock, context, tiers, send, isFree };
}

/** Whether a client gets the whole file. */
async function getsWhole(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<boolean> {
  const received = await receive(reader);
  return received.end === 'whole' && Buffer.compare(received.bytes, bytes) === 0;
}

describe('a file in memory', () => {
  it('reaches a client that reads, and its memory is free then', async () => {
    const { context, send, isFree } = setup();
    expect(await getsWhole(send())).toBe(true);
    await context.idle();
    expect(isFree()).toBe(true);
  });

  it('is held until the last of several clients has it', async () => {
    const { context, send, isFree } = setup();
    const [first, second] = [send(), send()];
    expect(await getsWhole(first)).toBe(true);
    await settled();
    expect(isFree()).toBe(false);
    expect(await getsWhole(second)).toBe(true);
    await context.idle();
    expect(isFree()).toBe(true);
  });

  it('is held for two seconds for a client that does not read, which gets the rest from the store', async () => {
    const { clock, context, send, isFree } = setup();
    const reader = send();
    await clock.advance(1_999);
    expect(isFree()).toBe(false);
    await clock.advance(1);
    expect(isFree()).toBe(true);
    expect(await getsWhole(reader)).toBe(true);
    await context.idle();
  });

  it('that is not stored is held for a slow client until it is', async () => {
    const { clock, send, isFree, tiers } = setup({ isStored: false });
    const reader = send();
    await clock.advance(5_000);
    expect(isFree()).toBe(false);
    tiers.durable.files.set(key, { bytes, etag });
    await clock.advance(2_000);
    expect(isFree()).toBe(true);
    expect(await getsWhole(reader)).toBe(true);
  });

  it('is not mixed with another one that was stored meanwhile', async () => {
    const { clock, send, tiers } = setup({ isStored: false });
    const reader = send();
    tiers.durable.files.set(key, { bytes: new Uint8Array(bytes.length), etag: '"other"' });
    await clock.advance(10_000);
    expect(await getsWhole(reader)).toBe(true);
  });

  it('is held for a minute without a store for a client that does not read, whose stream breaks then', async () => {
    const { clock, context, send, isFree } = setup({ hasStore: false });
    const reader = send();
    await clock.advance(60_000);
    expect((await receive(reader)).end).toBe('broken');
    await context.idle();
    expect(isFree()).toBe(true);
  });

  it('is free when its client leaves', async () => {
    const { context, send, isFree } = setup();
    const reader = send();
    await reader.read();
    await reader.cancel();
    await context.idle();
    expect(isFree()).toBe(true);
  });
});
