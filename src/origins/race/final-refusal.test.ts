import { describe, expect, it } from 'vitest';
import { originOf, redirectTo } from '../../../test/fakes/effects/fetch.ts';
import { after, ok, type Reply, Scene } from '../../../test/fakes/effects/race-scene.ts';
import { failed } from '../../effects/result.ts';
import { wrongContent } from '../failure.ts';
import type { Origin } from '../origin.ts';
import type { Question } from '../request/question.ts';

const KNOWN = '/known.example/@v/v1.0.0.mod';
const FILE = '/m.example/@v/v1.0.0.zip';
const SECOND = 1_000;

const final = originOf('f', { refusal: 'final' });
const mirror = originOf('m');
const other = originOf('n');

const status =
  (code: number, text = 'blocked for security reasons'): Reply =>
  () =>
    new Response(text, { status: code, headers: { 'Content-Type': 'text/plain' } });
const refuses = () => new Response('blocked for security reasons', { status: 403 });
const page: Reply = () => new Response('<html>', { status: 403 });

/** Origins that are known to have a file. */
const withKnownFile = () => new Scene(() => ({ path: KNOWN, isExpected: () => true }));

interface Ask {
  /** Replies by the start of an address without its scheme, longer ones first. */
  readonly replies: Readonly<Record<string, Reply>>;
  readonly origins?: readonly Origin[];
  readonly asks?: Partial<Question<string>>;
  readonly ms?: number;
}

/** Asks for a file of a version, and lets some time pass. */
async function ask(at: Scene, { asks, ms = SECOND, origins = [final, mirror], replies }: Ask) {
  const sorted = Object.entries(replies).toSorted(([x], [y]) => y.length - x.length);
  at.ask(Object.fromEntries(sorted), {
    origins,
    asks: { path: FILE, policy: { mayBeTakenDown: true }, ...asks },
  });
  await at.clock.advance(ms);
  return at.answer;
}

const TAKEN_DOWN = {
  kind: 'missing',
  isUnanimous: false,
  missing: { status: 403, origin: 'f', text: 'blocked for security reasons', isFinal: true },
};

/** The host and path of each request. */
const askedFor = (at: Scene) => at.fetch.calls.map(({ url }) => url.slice('https://'.length));

describe('a 403 of an origin whose refusals are final', () => {
  it('is the answer although a mirror has the file, which is not asked', async () => {
    const at = withKnownFile();
    const replies = { 'f/known.example': ok, f: refuses, m: ok };
    expect(await ask(at, { replies })).toMatchObject(TAKEN_DOWN);
    expect(askedFor(at)).toEqual([`f${FILE}`, `f${KNOWN}`]);
  });

  it('is the answer where a mirror is ranked first and is slower', async () => {
    const at = withKnownFile();
    const replies = { 'f/known.example': ok, f: refuses, m: after(at.clock, 600, ok) };
    expect(await ask(at, { origins: [mirror, final], replies })).toMatchObject(TAKEN_DOWN);
    expect(askedFor(at)).toEqual([`m${FILE}`, `f${FILE}`, `f${KNOWN}`]);
  });

  it('is the answer although a mirror gives the file while it is confirmed, and that is discarded', async () => {
    const at = withKnownFile();
    const discarded: string[] = [];
    const answer = await ask(at, {
      origins: [mirror, final],
      replies: {
        'f/known.example': after(at.clock, 300, ok),
        f: refuses,
        m: after(at.clock, 600, ok),
      },
      asks: { discard: (value) => void discarded.push(value) },
      ms: 2 * SECOND,
    });
    expect(answer).toMatchObject(TAKEN_DOWN);
    expect(discarded).toEqual(['ok']);
  });

  it('keeps other mirrors unasked while it is confirmed, however long that takes', async () => {
    const at = withKnownFile();
    const replies = { 'f/known.example': after(at.clock, 4_000, ok), f: refuses, m: ok, n: ok };
    const answer = await ask(at, { origins: [final, mirror, other], replies, ms: 5 * SECOND });
    expect(answer).toMatchObject(TAKEN_DOWN);
    expect(at.asked).toBe('ff');
  });

  it('is the answer after a 404 of a mirror, and after a wrong file across a comma', async () => {
    const at = withKnownFile();
    const replies = { 'f/known.example': ok, f: refuses, m: status(404) };
    expect(await ask(at, { origins: [mirror, final], replies })).toMatchObject(TAKEN_DOWN);

    const wrong = withKnownFile();
    const hashes = { database: 'd', expected: 'h1:x', found: 'h1:y' };
    const answer = await ask(wrong, {
      origins: [originOf('m', { fallback: 'missing' }), final],
      replies: { 'f/known.example': ok, f: refuses, m: ok },
      asks: { accept: async () => ({ ok: false, reason: { kind: 'mismatch', hashes } }) },
    });
    expect(answer).toMatchObject(TAKEN_DOWN);
  });

  it('is found out too when the origin is asked once more, after an answer that was wrong', async () => {
    const at = withKnownFile();
    const answers = [ok, refuses];
    const replies = { 'f/known.example': ok, f: () => (answers.shift() ?? refuses)() };
    const asks = { accept: async () => failed(wrongContent('a page')) };
    const answer = await ask(at, { origins: [final], replies, asks });
    expect(answer).toMatchObject(TAKEN_DOWN);
  });
});

describe('a 403 is no takedown', () => {
  it.each<[what: string, known: Reply]>([
    ['refuses its known file too', refuses],
    ['fails with its known file', status(500)],
    ['is silent meanwhile', () => new Promise(() => undefined)],
  ])('where the origin %s: its mirrors are asked', async (_, known) => {
    const at = withKnownFile();
    const replies = { 'f/known.example': known, f: refuses, m: ok };
    expect(await ask(at, { replies, ms: 7 * SECOND })).toMatchObject({
      kind: 'accepted',
      origin: 'm',
      failures: [{ origin: 'f', reason: { kind: 'status', status: 403 } }],
    });
    expect(at.health.isSuspect(final, 'reach')).toBe(true);
  });

  it('where the origin has no file that is known, until it gives one', async () => {
    const at = withKnownFile();
    const another = '/another.example/@v/v1.0.0.mod';
    const replies = { 'f/known.example': status(404), f: refuses, 'f/another.example': ok, m: ok };
    expect(await ask(at, { replies })).toMatchObject({ kind: 'accepted', origin: 'm' });
    expect(at.health.isSuspect(final, 'reach')).toBe(false);
    await ask(at, { origins: [final], replies, asks: { path: another } });
    expect(await ask(at, { replies })).toMatchObject(TAKEN_DOWN);
  });

  it('where an origin that is alone refuses everything: that is an outage', async () => {
    const at = withKnownFile();
    expect(await ask(at, { origins: [final], replies: { f: refuses } })).toMatchObject({
      kind: 'failed',
    });
  });

  it('of an origin that refuses the files of three modules: its breaker opens', async () => {
    const at = withKnownFile();
    for (const name of ['x', 'y', 'z', 'w']) {
      const path = `/${name}.example/@v/v1.0.0.info`;
      await ask(at, { replies: { f: refuses, m: ok }, asks: { path }, ms: 7 * SECOND });
      if (at.health.isTripped(final)) break;
      // Mirrors are asked first meanwhile: let it be asked first again.
      at.health.recordSuccess(mirror, { headersMs: 900, bytes: 1, lane: 'reach' });
      await ask(at, { origins: [final], replies: { f: refuses }, asks: { path } });
    }
    expect(at.health.isTripped(final)).toBe(true);
  });

  it.each<[what: string, ask: Partial<Ask>]>([
    ['for a list or a query', { asks: { policy: {} } }],
    ['behind a redirect', { replies: { f: redirectTo('https://s/x'), s: refuses } }],
    ['with a page', { replies: { f: page } }],
    ['of an origin whose refusals are ordinary', { origins: [originOf('f'), mirror] }],
  ])('%s', async (_, rest) => {
    const at = withKnownFile();
    const replies = { f: refuses, ...rest.replies, 'f/known.example': ok, m: ok };
    expect(await ask(at, { ...rest, replies })).toMatchObject({ kind: 'accepted', origin: 'm' });
  });

  it('where the only file that the origin is known to have is of the same module', async () => {
    const at = withKnownFile();
    const path = '/known.example/@v/v1.1.0.mod';
    const replies = {
      f: ({ url }: Parameters<Reply>[0]) => (url.endsWith(KNOWN) ? ok() : refuses()),
      m: ok,
    };
    expect(await ask(at, { replies, asks: { path } })).toMatchObject({ origin: 'm' });
  });
});

describe('an origin without a known file', () => {
  const GIVEN = '/given.example/@v/list';
  const replies = { 'f/given.example': ok, f: refuses, m: ok };

  it('is asked again for a file of another module that it gave before', async () => {
    const at = new Scene();
    await ask(at, { replies, asks: { path: GIVEN, policy: {} } });
    expect(await ask(at, { replies })).toMatchObject(TAKEN_DOWN);
    expect(askedFor(at)).toEqual([`f${FILE}`, `f${GIVEN}`]);
  });

  it('is broken where it does not give that any more', async () => {
    const at = new Scene();
    await ask(at, { replies, asks: { path: GIVEN, policy: {} } });
    expect(await ask(at, { replies: { f: refuses, m: ok } })).toMatchObject({ origin: 'm' });
  });

  it('is not believed where it gave files of this module alone', async () => {
    const at = new Scene();
    const path = '/m.example/@v/list';
    const own = {
      f: (call) => (call.url.endsWith('list') ? ok() : refuses()),
      m: ok,
    } satisfies Record<string, Reply>;
    await ask(at, { replies: own, asks: { path, policy: {} } });
    expect(await ask(at, { replies: own })).toMatchObject({ origin: 'm' });
  });
});
