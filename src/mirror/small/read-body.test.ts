import { describe, expect, it } from 'vitest';
import { pattern } from '../../../test/fakes/effects/byte-source.ts';
import { fakeContext } from '../../../test/fakes/mirror/context.ts';
import { sends } from '../../../test/fakes/mirror/large-file.ts';
import { OriginBody } from '../../origins/request/body.ts';
import { readBody } from './read-body.ts';

const MIB = 1024 * 1024;
const BUDGET = 40 * MIB;
const LIMIT = 16 * MIB;

function setup() {
  const context = fakeContext();
  const { clock } = context;
  const budget = context.shared.budgets.held;
  const read = (bytes: Uint8Array, declares = true) => {
    const body = new OriginBody(sends(bytes, { declares })(), { clock, stallMs: 20_000 });
    return readBody(body, LIMIT, context);
  };
  /** How many MiB of the budget are free. */
  const free = () => {
    for (let mib = 40; ; mib -= 1) {
      const release = budget.take(mib * MIB);
      release?.();
      if (release) return mib;
    }
  };
  return { budget, clock, free, read };
}

describe.each([
  ['declared', true],
  ['undeclared', false],
])('a body of %s length', (_, declares) => {
  it('of up to 256 KiB takes nothing of the budget', async () => {
    const { budget, read } = setup();
    budget.take(BUDGET);
    const bytes = pattern(256 * 1024 - 4);
    expect(await read(bytes, declares)).toEqual({ ok: true, value: { bytes, held: undefined } });
  });

  it('holds its own length of the budget until it is let go', async () => {
    const { free, read } = setup();
    const bytes = pattern(15 * MIB);
    const result = await read(bytes, declares);
    if (!result.ok) throw new Error(result.reason.kind);
    expect(Buffer.compare(result.value.bytes, bytes)).toBe(0);
    expect(free()).toBe(25);
    result.value.held?.drop();
    expect(free()).toBe(40);
  });

  it('over its limit is refused, and takes nothing', async () => {
    const { free, read } = setup();
    const reason = { kind: 'too long', limitBytes: LIMIT };
    await expect(read(pattern(LIMIT + 4), declares)).rejects.toMatchObject({ reason });
    expect(free()).toBe(40);
  });
});

it('of 24 bodies of 15 MiB at once two are in memory, and the others wait, or are refused after ten seconds', async () => {
  const { clock, free, read } = setup();
  const bytes = pattern(15 * MIB);
  const kinds: Record<string, number> = {};
  const reading = Array.from({ length: 24 }, async () => {
    const result = await read(bytes);
    const kind = result.ok ? 'read' : result.reason.kind;
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    if (!result.ok) return;
    expect(free()).toBeLessThanOrEqual(25);
    await clock.sleep(2_500); // until it is stored and sent
    result.value.held?.drop();
  });
  for (let ms = 0; ms < 20_000; ms += 500) await clock.advance(500);
  await Promise.all(reading);
  expect(kinds).toEqual({ read: 10, 'no memory': 14 });
  expect(free()).toBe(40);
});
