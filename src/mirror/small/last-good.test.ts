import { describe, expect, it } from 'vitest';
import { type FakeClock, fakeClock } from '../../../test/fakes/effects/clock.ts';
import { bytes, modulePath, text } from '../../../test/fakes/effects/values.ts';
import { fakeContext, memoryTiers } from '../../../test/fakes/mirror/context.ts';
import { bytesOf } from '../../bytes/streams.ts';
import type { Missing } from '../../origins/race/answer.ts';
import { listKey } from '../../store/key.ts';
import type { Outcome } from '../outcome.ts';
import { serveSmall } from './serve-small.ts';
import type { Fetched, SmallFile } from './small-file.ts';

const SECOND = 1_000;
const DAY = 86_400_000;
const effort = { attempts: 1, hedged: false, breakers: {} };
const key = listKey(modulePath('example.com/hello'));

const DOWN: Fetched = {
  kind: 'failed',
  failures: [{ origin: 'a', reason: { kind: 'unreachable' } }],
  effort,
};

function list(content: string): Fetched {
  return { kind: 'found', bytes: bytes(content), source: { from: 'origin', origin: 'a', effort } };
}

function no(status: Missing['status'], isUnanimous = true): Fetched {
  return { kind: 'missing', missing: { status, text: 'no', origin: 'a' }, isUnanimous, effort };
}

/** A list whose fetches have these results, one after the other. */
function setup({ staleMaxMs }: { readonly staleMaxMs?: number } = {}) {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const context = fakeContext({ clock, tiers, ...(staleMaxMs && { staleMaxMs }) });
  async function serve(
    result: Fetched | Promise<Fetched>,
    rest: Partial<SmallFile> = {},
  ): Promise<Outcome> {
    const file: SmallFile = {
      subject: 'example.com/hello/@v/list',
      key,
      contentType: 'text/plain',
      cache: 'mutable',
      inWorldTier: false,
      fetch: async () => result,
      ...rest,
    };
    return serveSmall(file, context);
  }
  /** Serves the list well, and forgets it in the data centre. */
  async function keep(content: string): Promise<void> {
    await serve(list(content));
    await context.idle();
    await clock.advance(60 * SECOND);
  }
  return { clock, context, keep, serve, tiers };
}

async function shown(outcome: Outcome | undefined): Promise<string> {
  if (!outcome) return 'nothing yet';
  if (outcome.kind !== 'found') return outcome.text;
  const isStale = outcome.source.from === 'store' && outcome.source.isStale;
  return `${text(await bytesOf(outcome.file.body))}${isStale ? ' stale' : ''}`;
}

function after(clock: FakeClock, ms: number, result: Fetched): Promise<Fetched> {
  return clock.sleep(ms).then(() => result);
}

/** The value of a promise, as soon as it has one. */
function watch<T>(work: Promise<T>): { value: T | undefined } {
  const watched: { value: T | undefined } = { value: undefined };
  void work.then((value) => (watched.value = value));
  return watched;
}

const composeOffline = async () => bytes('v0\n');

describe('the last good copy', () => {
  it('is served after three seconds in which no origin answered, and replaced by what comes', async () => {
    const { clock, context, keep, serve, tiers } = setup();
    await keep('v1\n');
    const served = watch(serve(after(clock, 20 * SECOND, list('v1\nv2\n'))));
    await clock.advance(2_999);
    expect(served.value).toBeUndefined();
    await clock.advance(1);
    expect(await shown(served.value)).toBe('v1\n stale');
    await clock.advance(17 * SECOND);
    await context.idle();
    expect(text(tiers.durable.files.get(key)?.bytes ?? bytes(''))).toBe('v1\nv2\n');
  });

  it('is not made up for a slow origin: without one the answer is waited for', async () => {
    const { clock, serve } = setup();
    const served = watch(serve(after(clock, 20 * SECOND, list('v2\n'))));
    await clock.advance(20 * SECOND);
    expect(await shown(served.value)).toBe('v2\n');
  });

  it('is served at once when every origin has failed', async () => {
    const { keep, serve } = setup();
    await keep('v1\n');
    expect(await shown(await serve(DOWN))).toBe('v1\n stale');
  });

  it('is served however old it is', async () => {
    const { clock, keep, serve } = setup();
    await keep('v1\n');
    await clock.advance(4_000 * DAY);
    expect(await shown(await serve(DOWN))).toBe('v1\n stale');
  });

  it('is not served when it is older than STALE_MAX, and nothing is made up for it', async () => {
    const { clock, keep, serve } = setup({ staleMaxMs: 30 * DAY });
    await keep('v1\n');
    await clock.advance(29 * DAY);
    expect(await shown(await serve(DOWN))).toBe('v1\n stale');
    await clock.advance(2 * DAY);
    expect((await serve(DOWN, { composeOffline })).kind).toBe('unavailable');
  });

  it('that was seen again unchanged is as old as that', async () => {
    const { clock, keep, serve } = setup({ staleMaxMs: 30 * DAY });
    await keep('v1\n');
    await clock.advance(20 * DAY);
    await keep('v1\n');
    await clock.advance(25 * DAY);
    expect(await shown(await serve(DOWN))).toBe('v1\n stale');
  });

  it('is written again when it has not changed only if STALE_MAX needs its time', async () => {
    for (const [staleMaxMs, isWritten] of [
      [Infinity, false],
      [30 * DAY, true],
    ] as const) {
      const { clock, keep, tiers } = setup({ staleMaxMs });
      await keep('v1\n');
      const before = tiers.durable.files.get(key);
      await clock.advance(5 * DAY);
      await keep('v1\n');
      expect(tiers.durable.files.get(key) !== before).toBe(isWritten);
    }
  });
});

describe('a refusal of every origin (403)', () => {
  it('is the answer, whatever is stored', async () => {
    const { keep, serve } = setup();
    await keep('v1\n');
    const outcome = await serve(no(403), { composeOffline });
    expect(outcome).toMatchObject({ kind: 'refused' });
    expect(await shown(outcome)).toBe('refused: example.com/hello/@v/list: a says: no');
  });

  it('is remembered for a while, and for an outage', async () => {
    const { clock, context, serve } = setup();
    await serve(no(403));
    await context.idle();
    expect((await serve(list('v1\n'))).kind).toBe('refused');
    await clock.advance(30 * SECOND);
    expect(await serve(DOWN)).toMatchObject({
      kind: 'refused',
      source: { from: 'store', isStale: true },
    });
  });

  it('is not the answer while an origin is down that may have served it before', async () => {
    const { keep, serve } = setup();
    await keep('v1\n');
    expect(await shown(await serve(no(403, false)))).toBe('v1\n stale');
  });

  it('is shown where nothing is stored, and an origin is down', async () => {
    const { context, serve } = setup();
    expect((await serve(no(403, false))).kind).toBe('refused');
    await context.idle();
    expect(await shown(await serve(list('v1\n')))).toBe('v1\n');
  });
});
