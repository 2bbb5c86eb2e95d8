import { describe, expect, it } from 'vitest';
import { askEffects } from '../../../test/fakes/effects/ask.ts';
import { type FakeFetch, fakeFetch, originOf } from '../../../test/fakes/effects/fetch.ts';
import { bytes } from '../../../test/fakes/effects/values.ts';
import { systemClock } from '../../effects/clock.ts';
import { success } from '../../effects/result.ts';
import { askOrigins } from '../../origins/race/ask.ts';
import { remoteReader } from './remote-reader.ts';

const origins = [originOf('a'), originOf('b')];
const accept = async (body: Uint8Array) => success(body);

function readerOf(fetch: FakeFetch) {
  return remoteReader({ origins }, (asked, question) =>
    askOrigins(asked, question, askEffects({ fetch, clock: systemClock })),
  );
}

describe('the reader of a database', () => {
  it.each([
    [400, 'failed'],
    [404, 'missing'],
    [410, 'missing'],
  ])('takes status %i of every address for "%s"', async (status, kind) => {
    const fetch = fakeFetch({ 'https://': () => new Response('no', { status }) });
    const answer = await readerOf(fetch)('lookup/x', { limitBytes: 10, accept });
    expect(answer).toMatchObject({ kind });
  });

  it('does not ask the addresses that it is to avoid', async () => {
    const fetch = fakeFetch({ 'https://': () => new Response('body') });
    const avoid = new Set(['a']);
    const answer = await readerOf(fetch)('latest', { limitBytes: 10, avoid, accept });
    expect(answer).toMatchObject({ kind: 'accepted', value: bytes('body'), origin: 'b' });
    expect(fetch.calls.map(({ url }) => url)).toEqual(['https://b/latest']);
  });

  it('reads no more of an answer than its limit', async () => {
    const fetch = fakeFetch({ 'https://': () => new Response('a body of 21 bytes...') });
    const answer = await readerOf(fetch)('latest', { limitBytes: 10, accept });
    expect(answer).toMatchObject({ kind: 'failed' });
  });
});
