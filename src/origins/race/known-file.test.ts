import { describe, expect, it } from 'vitest';
import { never, originOf } from '../../../test/fakes/effects/fetch.ts';
import { after, ok, type Reply, Scene } from '../../../test/fakes/effects/race-scene.ts';
import type { Origin } from '../origin.ts';
import type { Question } from '../request/question.ts';

const KNOWN = '/known/@v/v1.0.0.mod';
const SECOND = 1_000;

/** Origins with the default limits, of which the time of a request (25 s here) comes first. */
const limits = { headersMs: 65_000, stallMs: 20_000 };
const a = originOf('a', { limits });
const b = originOf('b', { limits });
const c = originOf('c', { limits });

const refused: Reply = () => Promise.reject(new Error('Network connection lost.'));
const status =
  (code: number, text = 'no'): Reply =>
  () =>
    new Response(text, { status: code, headers: { 'Content-Type': 'text/plain' } });

/** Origins that are known to have a file. */
function scene(): Scene {
  return new Scene(() => ({ path: KNOWN, isExpected: () => true }));
}

interface Ask {
  readonly replies: Readonly<Record<string, Reply>>;
  /** How the origins answer for the known file. Default: with the file. */
  readonly known?: Readonly<Record<string, Reply>>;
  readonly module?: string;
  readonly asks?: Partial<Question<string>>;
}

/** Asks for a version of `module`, and lets a second pass. */
async function ask(at: Scene, { known = {}, module = 'm', replies, asks }: Ask) {
  const byPath = Object.entries(replies).flatMap(([name, reply]) => [
    [`${name}/known`, known[name] ?? ok],
    [name, reply],
  ]);
  at.ask(sorted(Object.fromEntries(byPath)), {
    origins: [a, b, c].filter(({ name }) => name in replies),
    asks: { path: `/${module}/@v/v1.0.0.info`, ...asks },
  });
  await at.clock.advance(SECOND);
  return at.answer;
}

/** The fake answers with the first address that fits: the longest one goes first. */
function sorted(replies: Readonly<Record<string, Reply>>) {
  return Object.fromEntries(Object.entries(replies).toSorted(([x], [y]) => y.length - x.length));
}

const stateOf = (at: Scene, origin: Origin = a) => at.health.state(origin, 'reach');

describe('an origin that fails with files', () => {
  it.each<[what: string, reply: Reply]>([
    ['status 500', status(500)],
    ['status 401', status(401)],
    ['status 503', status(503)],
    ['a page', () => new Response('<html>')],
    ['a redirect to nowhere', () => new Response('', { status: 302, headers: { Location: 'x:' } })],
  ])('keeps its breaker closed after ten times %s for one module', async (_, reply) => {
    const at = scene();
    for (let time = 0; time < 10; time++) await ask(at, { replies: { a: reply } });
    expect(stateOf(at)).toBe('closed');
  });

  it('keeps it closed after failures of ten modules, as long as it gives the known file', async () => {
    const at = scene();
    for (let time = 0; time < 10; time++)
      await ask(at, { replies: { a: status(500) }, module: `m${time}` });
    expect(stateOf(at)).toBe('closed');
    // and is asked after the others
    expect(at.health.isSuspect(a, 'reach')).toBe(true);
  });

  it('opens it when it fails with those of three modules and with the known file', async () => {
    const at = scene();
    for (const module of ['m1', 'm2', 'm3']) {
      expect(stateOf(at)).toBe('closed');
      await ask(at, { replies: { a: status(500) }, known: { a: status(500) }, module });
    }
    expect(stateOf(at)).toBe('open');
  });

  it.each([403, 404])('keeps it closed where the known file is a %i', async (code) => {
    const at = scene();
    for (const module of ['m1', 'm2', 'm3', 'm4'])
      await ask(at, { replies: { a: status(500) }, known: { a: status(code) }, module });
    expect(stateOf(at)).toBe('closed');
  });

  it('is asked before a file that it alone has is called missing', async () => {
    const at = scene();
    for (let time = 0; time < 5; time++)
      await ask(at, { replies: { a: status(500), b: status(404), c: status(404) } });
    const slow = after(at.clock, 900, ok);
    const answer = await ask(at, {
      replies: { a: slow, b: status(404), c: status(404) },
      module: 'new',
    });
    expect(answer).toMatchObject({ kind: 'accepted', origin: 'a' });
  });

  it('without a known file never opens it', async () => {
    const at = new Scene();
    for (const module of ['m1', 'm2', 'm3', 'm4'])
      await ask(at, { replies: { a: status(500) }, known: { a: status(500) }, module });
    expect(stateOf(at)).toBe('closed');
  });
});

const busy: Reply = () => new Response('', { status: 503, headers: { 'Retry-After': '3600' } });

it('a pause that an origin asks for because of one path keeps no file from being found', async () => {
  const at = scene();
  await ask(at, { replies: { a: busy, b: status(404), c: status(404) } });
  expect([stateOf(at), at.health.isDown(a)]).toEqual(['open', false]);
  for (const module of ['m1', 'm2']) {
    const replies = { a: after(at.clock, 900, ok), b: status(404), c: status(404) };
    expect(await ask(at, { replies, module })).toMatchObject({ kind: 'accepted', origin: 'a' });
  }
});

describe('an origin that cannot be reached', () => {
  it('is confirmed with the known file before its breaker opens', async () => {
    const at = scene();
    for (let time = 0; time < 4; time++) await ask(at, { replies: { a: refused } });
    expect(stateOf(at)).toBe('closed');
    await at.clock.advance(10 * SECOND);
    await ask(at, { replies: { a: refused }, known: { a: refused } });
    expect(stateOf(at)).toBe('open');
  });

  it('keeps its time where it is the only one, while its breaker is open', async () => {
    const at = scene();
    for (let time = 0; time < 4; time++)
      await ask(at, { replies: { a: refused }, known: { a: refused } });
    expect(stateOf(at)).toBe('open');
    await ask(at, { replies: { a: after(at.clock, 7 * SECOND, ok) }, known: { a: refused } });
    await at.clock.advance(6 * SECOND);
    expect(at.answer).toMatchObject({ kind: 'accepted', origin: 'a' });
  });

  it('is not asked a second time by one request while its breaker is open', async () => {
    const at = scene();
    for (let time = 0; time < 4; time++)
      await ask(at, { replies: { a: refused }, known: { a: refused } });
    await ask(at, { replies: { a: refused }, known: { a: refused } });
    expect(at.answer).toMatchObject({ kind: 'failed', effort: { attempts: 1 } });
  });
});

describe('an outage in which all origins hang', () => {
  const hanging = { a: never, b: never, c: never };

  it.each<[what: string, replies: Readonly<Record<string, Reply>>]>([
    ['three origins', hanging],
    ['the only origin', { a: never }],
  ])(
    'costs a first request all of its time, and a later one five seconds: %s',
    async (_, replies) => {
      const at = scene();
      await ask(at, { replies, known: hanging });
      await at.clock.advance(23 * SECOND);
      expect(at.answer).toBeUndefined();
      await at.clock.advance(SECOND);
      expect(at.answer?.kind).toBe('failed');
      await ask(at, { replies, known: hanging });
      await at.clock.advance(3_500);
      expect(at.answer?.kind).toBe('failed');
    },
  );

  it('that is over for the known file leaves a request its time', async () => {
    const at = scene();
    await ask(at, { replies: { a: never }, known: hanging });
    await at.clock.advance(24 * SECOND);
    expect(stateOf(at)).toBe('open');
    await ask(at, { replies: { a: after(at.clock, 7 * SECOND, ok) } });
    await at.clock.advance(6 * SECOND);
    expect(at.answer).toMatchObject({ kind: 'accepted', origin: 'a' });
  });

  it('is none where a file takes long, and the known one does not', async () => {
    const at = scene();
    await ask(at, { replies: { a: never } });
    await at.clock.advance(24 * SECOND);
    expect([at.answer?.kind, stateOf(at)]).toEqual(['failed', 'closed']);
  });
});

describe('a refusal with 403', () => {
  it('is an answer about one path: it is asked for once, and nothing is recorded', async () => {
    const at = scene();
    const answer = await ask(at, { replies: { a: status(403, 'not here') } });
    expect(answer).toMatchObject({
      kind: 'missing',
      missing: { status: 403, text: 'not here', origin: 'a' },
      isUnanimous: true,
      effort: { attempts: 1 },
    });
    expect([at.asked, at.health.isSuspect(a, 'reach')]).toEqual(['a', false]);
  });

  it('of one mirror yields to the 404 of another, and to the file', async () => {
    const at = scene();
    const first = await ask(at, { replies: { a: status(403), b: status(404) } });
    expect(first).toMatchObject({ missing: { status: 404, origin: 'b' }, isUnanimous: true });
    expect(await ask(at, { replies: { a: status(403), b: ok } })).toMatchObject({ origin: 'b' });
  });

  it('does not pass a comma, as in the go command', async () => {
    const at = scene();
    at.ask({ a: status(403), b: ok }, { origins: [{ ...a, fallback: 'missing' }, b] });
    await at.clock.advance(SECOND);
    expect([at.asked, at.answer?.kind]).toEqual(['a', 'missing']);
  });

  it('is a failure where the question is none of module proxies', async () => {
    const at = scene();
    const asks = { policy: { areRefusalsAnswers: false } };
    const answer = await ask(at, { replies: { a: status(403) }, asks });
    expect(answer?.kind).toBe('failed');
  });
});

const breaks: Reply = () =>
  new Response('PK', { headers: { 'Content-Length': '900', 'Content-Type': 'application/zip' } });

it('a zip that always breaks off does not keep others from that origin', async () => {
  const at = scene();
  const asks: Partial<Question<string>> = {
    policy: { lane: 'bulk' },
    async accept(body) {
      await body.all(100);
      throw new Error('Network connection lost.');
    },
  };
  for (let time = 0; time < 5; time++) await ask(at, { replies: { a: breaks }, asks });
  expect(at.health.state(a, 'bulk')).toBe('closed');
});
