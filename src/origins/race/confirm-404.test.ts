import { describe, expect, it } from 'vitest';
import { never, originOf } from '../../../test/fakes/effects/fetch.ts';
import { b, no, ok, type Reply, Scene } from '../../../test/fakes/effects/race-scene.ts';
import { modulePath, version } from '../../../test/fakes/effects/values.ts';
import { failureText } from '../failure.ts';

const KNOWN = '/known/@v/v1.0.0.mod';
const MINUTE = 60_000;
const authorization = 'Basic c2VjcmV0';
const probe = { module: modulePath('corp.example/known'), version: version('v1.0.0') };
const corp = originOf('a', { authorization, probe });

const isExpected = (start: Uint8Array) => start[0] !== '<'.charCodeAt(0);
const scene = () => new Scene(() => ({ path: KNOWN, isExpected }));
const status =
  (code: number): Reply =>
  () =>
    new Response('no', { status: code });
const page: Reply = () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } });

/** Asks for a file that the origin answers with 404, and what it is known to have as `known` says. */
async function ask(at: Scene, known: Reply, origin = corp) {
  at.ask({ 'a/known': known, a: no }, { origins: [origin] });
  await at.clock.advance(1_000);
  return at.answer;
}

const paths = (at: Scene) => at.fetch.calls.map(({ url }) => new URL(url).pathname);
const isMissing = expect.objectContaining({ kind: 'missing', isUnanimous: true });

describe('a 404 of an origin with credentials', () => {
  it('counts where the origin gives its probe file', async () => {
    const at = scene();
    expect(await ask(at, ok)).toEqual(isMissing);
    expect(paths(at)).toEqual(['/x', KNOWN]);
  });

  it.each([404, 410, 401, 403, 400])(
    'is a failure where the answer for its probe file is %i too',
    async (code) => {
      const at = scene();
      const answer = await ask(at, status(code));
      expect(
        answer?.kind === 'failed' && answer.failures.map(({ reason }) => failureText(reason)),
      ).toEqual([
        'status 404, and so for its probe file: it may refuse the credentials that modferry has for it',
      ]);
      // It is not asked once more: that would change nothing.
      expect(paths(at)).toEqual(['/x', KNOWN]);
    },
  );

  it.each<[string, Reply]>([
    ['status 500', status(500)],
    ['a page', page],
    ['nothing', never],
  ])('is a failure where the answer for its probe file is %s', async (_, known) => {
    const at = scene();
    await ask(at, known);
    await at.clock.advance(5_000);
    expect(at.answer?.kind).toBe('failed');
  });

  it.each([
    ['of an origin without credentials', originOf('a', { probe })],
    ['of an origin without a probe of its own', originOf('a', { authorization })],
  ])('%s counts as it is', async (_, origin) => {
    const at = scene();
    expect(await ask(at, no, origin)).toEqual(isMissing);
    expect(paths(at)).toEqual(['/x']);
  });

  it.each<[string, Reply]>([
    ['given', ok],
    ['not given', no],
  ])('asks for the probe file once a minute where that is %s', async (_, known) => {
    const at = scene();
    const first = await ask(at, known);
    const again = await ask(at, known);
    expect([again?.kind, paths(at)]).toEqual([first?.kind, ['/x']]);
    await at.clock.advance(MINUTE);
    await ask(at, known);
    expect(paths(at)).toEqual(['/x', KNOWN]);
  });

  it('is confirmed for several requests at a time by one request', async () => {
    const at = scene();
    let known = 0;
    const slow: Reply = async (call) => {
      known += 1;
      await at.clock.sleep(500, call.signal);
      return ok();
    };
    for (const _ of ['one', 'two', 'three'])
      at.ask({ 'a/known': slow, a: no }, { origins: [corp] });
    await at.clock.advance(2_000);
    expect([known, at.answer]).toEqual([1, isMissing]);
  });

  it('says nothing of another origin at the same address, whose credentials are others', async () => {
    const at = scene();
    await ask(at, no);
    const answer = await ask(at, ok, { ...corp, name: 'other', authorization: 'Bearer other' });
    expect(answer).toEqual(isMissing);
  });

  it('of a mirror that may be refused does not hide the file of another one', async () => {
    const at = scene();
    at.ask({ 'a/known': no, a: no, b: ok }, { origins: [corp, b] });
    await at.clock.advance(1_000);
    expect(at.answer).toEqual(expect.objectContaining({ kind: 'accepted', origin: 'b' }));
  });

  it('lets nobody behind a comma hear of the module', async () => {
    const at = scene();
    const first = { ...corp, fallback: 'missing' as const };
    at.ask({ 'a/known': no, a: no, b: ok }, { origins: [first, b] });
    await at.clock.advance(1_000);
    expect([at.answer?.kind, at.fetch.calls.filter(({ url }) => url.startsWith(b.url))]).toEqual([
      'failed',
      [],
    ]);
  });
});
