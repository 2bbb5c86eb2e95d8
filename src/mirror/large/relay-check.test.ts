import { expect, it } from 'vitest';
import { pattern } from '../../../test/fakes/effects/byte-source.ts';
import { settled } from '../../../test/fakes/effects/clock.ts';
import { receive, startRelay } from '../../../test/fakes/mirror/relay.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import { type FailureReason, wrongContent } from '../../origins/failure.ts';
import type { Committed } from './relayed-file.ts';
import { CHUNK_BYTES } from './ring.ts';

// A file that is compared with nothing, and whose end does not show whether it can be the file.

const bytes = pattern(20 * CHUNK_BYTES + 5);
const checkEnd = () => success('needs more' as const);

it('its client gets the last bytes only when the stored copy was checked', async () => {
  const gate = Promise.withResolvers<Result<void, FailureReason>>();
  let committed: Committed | undefined;
  const run = await startRelay({
    bytes,
    checkEnd,
    async checkStored(asked) {
      committed = asked;
      return gate.promise;
    },
  });
  let size = 0;
  const reading = (async () => {
    for (;;) {
      const { done, value } = await run.reader.read();
      if (done) return 'whole';
      size += value.length;
    }
  })();
  for (let turn = 0; turn < 50; turn += 1) await settled();
  expect([committed?.size, committed?.isOurs, size < bytes.length]).toEqual([
    bytes.length,
    true,
    true,
  ]);
  gate.resolve(success(undefined));
  expect([await reading, size, await run.stored]).toEqual(['whole', bytes.length, true]);
});

it.each([
  ['is wrong', async () => failed(wrongContent('a broken zip')), 'refused'],
  ['cannot be read', () => Promise.reject(new Error('R2 is away')), 'broken'],
])('its stream breaks where the stored copy %s', async (_, checkStored, state) => {
  const run = await startRelay({ bytes, checkEnd, checkStored });
  const received = await receive(run.reader);
  expect([received.end, received.bytes.length < bytes.length]).toEqual(['broken', true]);
  expect([(await run.end).state, await run.stored]).toEqual([state, false]);
});

it('its stream breaks where it is not stored', async () => {
  const run = await startRelay({ bytes, checkEnd, upload: undefined });
  expect((await receive(run.reader)).end).toBe('broken');
});
