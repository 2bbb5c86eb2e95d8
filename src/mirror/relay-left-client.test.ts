import { describe, expect, it } from 'vitest';
import { pattern } from '../../test/fakes/effects/byte-source.ts';
import { settled } from '../../test/fakes/effects/clock.ts';
import { FakeUpload, type RelaySetup, startRelay } from '../../test/fakes/effects/relay.ts';
import { CHUNK_BYTES } from './ring.ts';

const CHUNKS = 100;
const FILE = pattern(CHUNKS * CHUNK_BYTES);

/**
 * A relay whose origin takes `ms` milliseconds for a chunk, with a client that reads `chunks` of
 * them and goes away.
 */
async function leaving(
  ms: number,
  { chunks = 10, ...setup }: Partial<RelaySetup> & { chunks?: number } = {},
) {
  let now = 0;
  const run = await startRelay({
    bytes: FILE,
    pieces: [CHUNK_BYTES],
    clock: { now: () => now, sleep: () => Promise.resolve() },
    async pause() {
      now += ms;
      await settled(); // one chunk at a time: nobody is ahead of the others
    },
    ...setup,
  });
  for (let read = 0; read < chunks; read++) await run.reader.read();
  await run.reader.cancel();
  return run;
}

describe('a client that goes away', () => {
  it('takes a fill with it that would take too long: nothing is stored, and nothing goes on', async () => {
    const run = await leaving(1000);
    expect(await run.stored).toBe(false);
    await run.done;
    expect([run.upload.state, run.bodyCancelled()]).toEqual(['aborted', true]);
    const progress = run.progress();
    await settled();
    expect([run.progress(), progress < 20]).toEqual([progress, true]);
  });

  it('before anything came takes it, as nobody knows the pace', async () => {
    let pieces = 0;
    const pause = () =>
      (pieces += 1) > 1 ? new Promise<void>(() => undefined) : Promise.resolve();
    const run = await leaving(0, { chunks: 0, pause });
    expect(await run.stored).toBe(false);
    expect([run.upload.state, run.bodyCancelled()]).toEqual(['aborted', true]);
  });

  it.each([
    ['with 15 s to go', 100, {}],
    ['when most of it is there', 1000, { chunks: 90 }],
    ['that others wait for', 1000, { isWanted: true }],
    [
      'that others wait for and whose length nobody knows',
      10,
      { isWanted: true, declared: undefined },
    ],
  ])('leaves one %s to its end', async (_, ms, setup) => {
    const run = await leaving(ms, setup);
    expect(await run.stored).toBe(true);
    await run.done;
    expect([run.upload.state, Buffer.compare(run.upload.bytes(), FILE)]).toEqual(['committed', 0]);
  });

  it('takes one of unknown length with it', async () => {
    const run = await leaving(10, { declared: undefined });
    expect(await run.stored).toBe(false);
  });

  it.each([
    ['of known length', {}],
    ['of unknown length', { declared: undefined }],
  ])(
    'while the store takes its time takes one %s with it, and it does not look complete',
    async (_, how) => {
      const gate = Promise.withResolvers<void>();
      const upload = new FakeUpload();
      let writes = 0;
      upload.pause = async () => void ((writes += 1) === 5 && (await gate.promise));
      const run = await leaving(1000, { chunks: 2, upload, ...how });
      await settled();
      gate.resolve();
      expect(await run.stored).toBe(false);
      await run.done;
      expect([upload.state, run.progress() < 10]).toEqual(['aborted', true]);
    },
  );
});

it('a client that is only slow is not gone, however long the rest takes', async () => {
  let now = 0;
  const run = await startRelay({
    bytes: FILE,
    pieces: [CHUNK_BYTES],
    clock: { now: () => now, sleep: () => Promise.resolve() },
    pause: async () => void (now += 60_000),
  });
  await run.reader.read();
  expect(await run.stored).toBe(true);
  await run.reader.cancel();
  await run.done;
});
