import { expect, it } from 'vitest';
import { pattern } from '../../test/fakes/effects/byte-source.ts';
import { seededRandom } from '../../test/fakes/effects/seeded-random.ts';
import { FakeUpload, receive, startRelay } from '../../test/fakes/effects/relay.ts';
import { CHUNK_BYTES } from './ring.ts';

const SOURCE = pattern(48 * CHUNK_BYTES);
const RUNS = 300;
/** Set it to the seed that a failure names, to run that one alone. */
const ONLY = Number(process.env['RELAY_SEED']);

interface Plan {
  readonly size: number;
  readonly pieces: readonly number[];
  readonly hasStore: boolean;
  readonly declares: boolean;
  readonly failsAt: number | undefined;
  readonly breaks: boolean;
  /** What comes of the proof of the stored copy, where one is asked for. */
  readonly proof: 'none' | 'right' | 'wrong';
  readonly leavesAfter: number;
  /** Others wait for the stored copy. */
  readonly isWanted: boolean;
  readonly pauses: Readonly<Record<'origin' | 'store' | 'client', () => Promise<void>>>;
}

function planOf(seed: number): Plan {
  const { below: upTo, next: random, pick } = seededRandom(seed);
  const chance = (part: number) => random() < part;
  const whole = chance(0.3);
  const size = whole ? (1 + upTo(48)) * CHUNK_BYTES : 1 + upTo(SOURCE.length);
  /** Lets others run for a few turns, every now and then. */
  const pause = () => {
    const how = random() ** 3;
    return async () => {
      if (random() > how) return;
      for (let turn = upTo(12); turn >= 0; turn--)
        await new Promise((resolve) => setImmediate(resolve));
    };
  };
  return {
    size,
    pieces: Array.from(
      { length: 1 + upTo(5) },
      () => 1 + Math.floor(random() ** 2 * 900_000) + 4_000,
    ),
    hasStore: chance(0.75),
    declares: chance(0.6),
    failsAt: chance(0.2) ? upTo(50) : undefined,
    breaks: chance(0.2),
    proof: pick(['none', 'none', 'right', 'wrong'] as const),
    leavesAfter: chance(0.15) ? upTo(40) : Infinity,
    isWanted: chance(0.5),
    pauses: { origin: pause(), store: pause(), client: pause() },
  };
}

/** What went wrong in the relay of a seed; nothing, it is to be hoped. */
async function complaints(seed: number): Promise<readonly string[]> {
  const plan = planOf(seed);
  const bytes = SOURCE.subarray(0, plan.size);
  const upload = plan.hasStore ? new FakeUpload() : undefined;
  if (upload) {
    upload.failsAt = plan.failsAt;
    upload.pause = plan.pauses.store;
  }
  const isProven = plan.hasStore && plan.proof !== 'none';
  const isWrong = isProven && plan.proof === 'wrong';
  const run = await startRelay({
    bytes,
    upload,
    pieces: plan.pieces,
    pause: plan.pauses.origin,
    isWanted: plan.isWanted,
    ...(plan.declares ? {} : { declared: undefined }),
    ...(isProven ? { prove: async () => proveOr(plan.proof === 'wrong') } : {}),
    ...(plan.breaks ? { breaksWith: new Error('connection lost') } : {}),
  }).catch(() => undefined);
  // It may break in the first chunk, before the relay.
  if (!run) return plan.breaks ? [] : ['did not start'];
  let reads = 0;
  const received = await receive(run.reader, async () => {
    await plan.pauses.client();
    if (reads++ >= plan.leavesAfter) await run.reader.cancel();
  });
  const stored = await run.stored;
  await run.done;

  const left = reads > plan.leavesAfter;
  const isWhole = received.end === 'whole' && !left;
  const storeWorks =
    plan.hasStore && !(upload?.failsAt !== undefined && upload.state === 'aborted');
  const mayBeGivenUp = left && !plan.isWanted;
  const clientMustHaveIt = !plan.breaks && !left && !isWrong && (storeWorks || !plan.hasStore);
  const claims = {
    'what the client has is right as far as it goes': same(
      received.bytes,
      bytes.subarray(0, received.bytes.length),
    ),
    'an end that looks good is the end': !isWhole || received.bytes.length === bytes.length,
    'a body that breaks looks broken': !plan.breaks || !isWhole,
    'of a wrong file the end is missing': !isWrong || received.bytes.length < bytes.length,
    'a client that stays has it all, unless the store let it down': !clientMustHaveIt || isWhole,
    'a whole body is stored where that works, unless nobody wants it, and no other one':
      stored === (storeWorks && !plan.breaks && !isWrong) || (mayBeGivenUp && !stored),
    'the store has all of it or nothing':
      !upload || upload.state === (stored ? 'committed' : 'aborted'),
    'the store has the right bytes': !stored || !upload || same(upload.bytes(), bytes),
  };
  return Object.entries(claims).flatMap(([claim, holds]) => (holds ? [] : [claim]));
}

function proveOr(isWrong: boolean): void {
  if (isWrong) throw new Error('another hash');
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

it(`${RUNS} relays of random bodies at random paces give everybody the same bytes, or break`, async () => {
  const wrong: Record<string, readonly string[]> = {};
  for (let seed = 1; seed <= RUNS; seed++) {
    if (ONLY && seed !== ONLY) continue;
    const found = await complaints(seed);
    if (found.length > 0) wrong[`RELAY_SEED=${seed}`] = found;
  }
  expect(wrong).toEqual({});
}, 60_000);
