import { describe, expect, it } from 'vitest';
import { fakeCarrier, memoryTiers } from '../../test/fakes/effects/carrier.ts';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { bytes, modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { versionKey } from '../store/key.ts';
import { type Asked, serveSmallFile, type SmallFile } from './small-file.ts';

const key = versionKey(modulePath('example.com/hello'), version('v1.0.0'), 'mod');

const mod: Omit<SmallFile, 'ask'> = {
  subject: 'example.com/hello@v1.0.0.mod',
  key,
  contentType: 'text/plain',
  cache: 'immutable',
  kv: true,
};

/** A question that is answered with this. */
const got = (value: Asked) => async () =>
  ({ kind: 'accepted', value, origin: 'a', attempts: 1, failures: [] }) as const;

function setup() {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  return { tiers, carrier: fakeCarrier({ clock, tiers }) };
}

describe('a stored file that was never checked', () => {
  const verdicts = {
    right: { kind: 'checked', checked: 'h1:right' },
    uncovered: { kind: 'checked', checked: 'uncovered' },
    unknown: { kind: 'unknown', failures: [] },
    wrong: {
      kind: 'wrong',
      hashes: { database: 'sum.example', expected: 'h1:right', found: 'h1:wrong' },
    },
  } as const;

  async function serveStored(verdict: keyof typeof verdicts) {
    const { tiers, carrier } = setup();
    await tiers.r2.write(key, { bytes: bytes('module old'), etag: '"old"' }, 'create');
    const asked: string[] = [];
    const recheck = async (found: Uint8Array) => {
      asked.push(text(found));
      return verdicts[verdict];
    };
    const file = { ...mod, ask: got({ bytes: bytes('module new') }), recheck };
    const serve = () => serveSmallFile(file, { carrier, cachedOnly: false });
    const outcome = await serve();
    await carrier.idle();
    return { outcome, serve, asked, tiers, carrier };
  }

  it('and is right is served for ever, and marked in every tier', async () => {
    const { outcome, serve, asked, tiers } = await serveStored('right');
    expect(outcome).toMatchObject({
      kind: 'found',
      cache: 'immutable',
      file: { checked: 'h1:right' },
    });
    for (const tier of [tiers.r2, tiers.kv, tiers.edge]) {
      expect(await tier.read(key)).toMatchObject({ checked: 'h1:right', etag: '"old"' });
    }
    await serve();
    expect(asked).toEqual(['module old']);
  });

  it('and that no log covers is served for a day, and asked about again after it', async () => {
    const { outcome, serve, asked, tiers } = await serveStored('uncovered');
    expect(outcome).toMatchObject({ kind: 'found', cache: 'uncovered' });
    expect(await tiers.r2.head(key)).toEqual({ size: 10, etag: '"old"' });
    expect(tiers.kv.files.size).toBe(0);
    expect(await serve()).toMatchObject({ cache: 'uncovered', source: { tier: 'edge' } });
    expect(asked.length).toBe(1);
    tiers.edge.files.clear();
    await serve();
    expect(asked.length).toBe(2);
  });

  it('while nobody can say is served as a stale copy, and copied nowhere', async () => {
    const { outcome, tiers } = await serveStored('unknown');
    expect(outcome).toMatchObject({ kind: 'found', cache: 'stale' });
    expect([tiers.kv.files.size, tiers.edge.files.size]).toEqual([0, 0]);
  });

  it('and is wrong is removed, reported, and fetched anew', async () => {
    const { outcome, tiers, carrier } = await serveStored('wrong');
    expect(outcome).toMatchObject({ kind: 'found', source: { origin: 'a' } });
    expect(text(tiers.r2.files.get(key)?.bytes ?? new Uint8Array())).toBe('module new');
    expect(carrier.alarms).toEqual([
      {
        kind: 'stored-mismatch',
        subject: 'example.com/hello@v1.0.0.mod',
        hashes: verdicts.wrong.hashes,
      },
    ]);
  });
});

describe('what was got', () => {
  it.each([
    [{ checked: 'h1:right' }, 'immutable', { r2: 'h1:right', kv: 'h1:right', edge: 'h1:right' }],
    [{ checked: 'uncovered' }, 'uncovered', { r2: 'unmarked', kv: 'absent', edge: 'uncovered' }],
    [{ keep: 'no' }, 'failure', { r2: 'absent', kv: 'absent', edge: 'absent' }],
    [{ keep: 'near' }, 'immutable', { r2: 'absent', kv: 'absent', edge: 'unmarked' }],
    [{}, 'immutable', { r2: 'unmarked', kv: 'unmarked', edge: 'unmarked' }],
  ] as const)('as %j is %s, and kept as %j', async (said, cache, kept) => {
    const { carrier, tiers } = setup();
    const ask = got({ bytes: bytes('module m'), ...said });
    const outcome = await serveSmallFile({ ...mod, ask }, { carrier, cachedOnly: false });
    await carrier.idle();
    expect(outcome).toMatchObject({ kind: 'found', cache });
    const marks = await Promise.all(
      (['r2', 'kv', 'edge'] as const).map(async (tier) => {
        const file = await tiers[tier].read(key);
        return [tier, file ? (file.checked ?? 'unmarked') : 'absent'];
      }),
    );
    expect(Object.fromEntries(marks)).toEqual(kept);
  });
});

it.each(['mismatch', 'unchecked'] as const)(
  'a file that is there (%s) is no 404, whatever was said before',
  async (cause) => {
    const { carrier } = setup();
    carrier.store.keepMissing(key, { status: 404, text: 'no such version', origin: 'a' }, 30);
    await carrier.idle();
    await carrier.clock.advance(60_000);
    const failures = [{ origin: 'b', cause, text: 'wrong' }];
    const ask = async () => ({ kind: 'failed', failures, attempts: 1 }) as const;
    const outcome = await serveSmallFile({ ...mod, ask }, { carrier, cachedOnly: false });
    expect(outcome).toMatchObject({ kind: 'unavailable', status: 502 });
  },
);
