import { describe, expect, it } from 'vitest';
import { settled } from '../../test/fakes/effects/clock.ts';
import { modulePath, version } from '../../test/fakes/effects/values.ts';
import { fakeContext } from '../../test/fakes/mirror/context.ts';
import { versionKey } from '../store/key.ts';
import type { RequestContext } from './context.ts';
import { malformed } from './messages.ts';
import type { Kept, Outcome } from './outcome.ts';
import { type Delivery, fetchOnce, type SharedFile } from './shared-fetch.ts';

const key = versionKey(modulePath('example.com/hello'), version('v1.0.0'), 'mod');
const OUTCOME = malformed('an outcome');
const STORED = malformed('the stored copy');

/** A fetch of which the test decides what it comes to. */
interface Fetch {
  readonly deliver: (delivery: Delivery) => void;
  readonly fail: (error: Error) => void;
  /** Ends a stream. */
  readonly keep: (kept: Kept) => void;
  readonly end: () => void;
  /** The bytes that have arrived of the stream; undefined while none are waited for. */
  received: number | undefined;
  stream(): void;
}

function setup(signal?: AbortSignal) {
  const context = fakeContext(signal ? { signal } : {});
  const { clock } = context;
  const fetches: Fetch[] = [];
  let isStored = false;
  const file: SharedFile = {
    key,
    subject: 'example.com/hello@v1.0.0',
    find: async () => (isStored ? STORED : undefined),
    fetch(leader) {
      const gate = Promise.withResolvers<Delivery>();
      const kept = Promise.withResolvers<Kept>();
      const ended = Promise.withResolvers<void>();
      const fetch: Fetch = {
        deliver: gate.resolve,
        fail: gate.reject,
        keep(how) {
          isStored ||= how === 'stored';
          kept.resolve(how);
        },
        end: ended.resolve,
        received: 0,
        stream() {
          leader.stream(() => fetch.received);
          gate.resolve({ outcome: OUTCOME, stream: { kept: kept.promise, ended: ended.promise } });
        },
      };
      fetches.push(fetch);
      return gate.promise;
    },
  };
  /** A request with its own deadline, 25 s from now. */
  const ask = (change: Partial<RequestContext & SharedFile> = {}): Promise<Outcome> => {
    const deadline = clock.now() + 25_000;
    const timeLeftMs = () => deadline - clock.now();
    return fetchOnce({ ...file, ...change }, { ...context, timeLeftMs, ...change });
  };
  return { context, clock, ask, fetches };
}

const BUSY = { kind: 'unavailable', status: 503, retryAfterSeconds: 5 };

describe('a shared fetch', () => {
  it('gives its outcome to its own request and to those that wait', async () => {
    const { ask, fetches } = setup();
    const asked = [ask(), ask(), ask()];
    fetches[0]?.deliver({ outcome: OUTCOME });
    expect([await Promise.all(asked), fetches.length]).toEqual([[OUTCOME, OUTCOME, OUTCOME], 1]);
  });

  it('is joined until its file is stored, and not after', async () => {
    const { ask, context, fetches } = setup();
    const gate = Promise.withResolvers<void>();
    const first = ask();
    fetches[0]?.deliver({ outcome: OUTCOME, settled: gate.promise });
    expect(await first).toBe(OUTCOME); // its own answer does not wait for the store
    expect(await ask()).toBe(OUTCOME);
    gate.resolve();
    await context.idle();
    void ask();
    expect(fetches.length).toBe(2);
  });

  it('of a stream that is stored is found in the store by the requests that wait', async () => {
    const { ask, fetches } = setup();
    const asked = [ask(), ask()];
    fetches[0]?.stream();
    fetches[0]?.keep('stored');
    expect([await Promise.all(asked), fetches.length]).toEqual([[OUTCOME, STORED], 1]);
  });

  it('that rejects leaves the file to one of the requests that wait, and says so', async () => {
    const { ask, context, fetches } = setup();
    const [first, ...waiting] = [ask(), ask(), ask()];
    fetches[0]?.fail(new Error('a bug'));
    await expect(first).rejects.toThrow('a bug');
    await settled();
    expect(fetches.length).toBe(2);
    fetches[1]?.deliver({ outcome: OUTCOME });
    expect(await Promise.all(waiting)).toEqual([OUTCOME, OUTCOME]);
    expect(context.troubles).toEqual(['fetch: a bug']);
  });

  it('whose client left shares no failure, as only its client ended it', async () => {
    const client = new AbortController();
    const { ask, context, fetches } = setup(client.signal);
    const first = ask();
    const waiting = ask({ signal: new AbortController().signal });
    client.abort();
    fetches[0]?.deliver({ outcome: OUTCOME });
    await first;
    await settled();
    fetches[1]?.deliver({ outcome: STORED });
    expect(await waiting).toBe(STORED);
    await context.idle();
  });
});

/** How many requests got each outcome; 503 stands for every refusal. */
async function kinds(asked: readonly Promise<Outcome>[]) {
  const counts = new Map<Outcome | 503, number>();
  for (const outcome of await Promise.all(asked)) {
    const kind = outcome.kind === 'unavailable' ? 503 : outcome;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

const sixty = (ask: () => Promise<Outcome>) => Array.from({ length: 60 }, ask);

describe('sixty requests for one file', () => {
  it('whose first fetch is broken are led by one of them, and the others join it', async () => {
    const { ask, fetches } = setup();
    const asked = sixty(ask);
    fetches[0]?.stream();
    fetches[0]?.keep('broken');
    fetches[0]?.end();
    await settled();
    expect(fetches.length).toBe(2);
    fetches[1]?.stream();
    fetches[1]?.keep('stored');
    expect(await kinds(asked)).toEqual(
      new Map([
        [OUTCOME, 2],
        [STORED, 58],
      ]),
    );
  });

  it('give up when three fetches of others were broken', async () => {
    const { ask, fetches } = setup();
    const asked = sixty(ask);
    for (let at = 0; at < 3; at += 1) {
      fetches[at]?.stream();
      fetches[at]?.keep('broken');
      fetches[at]?.end();
      await settled();
    }
    expect(await kinds(asked)).toEqual(
      new Map<Outcome | 503, number>([
        [OUTCOME, 3],
        [503, 57],
      ]),
    );
    expect(fetches.length).toBe(3);
  });

  it('wait as long as bytes arrive, and are answered from the store', async () => {
    const { ask, clock, fetches } = setup();
    const asked = sixty(ask);
    fetches[0]?.stream();
    for (let seconds = 0; seconds < 16; seconds += 1) {
      if (fetches[0]) fetches[0].received = seconds;
      await clock.advance(1_000);
    }
    expect(fetches.length).toBe(1);
    fetches[0]?.keep('stored');
    expect(await kinds(asked)).toEqual(
      new Map([
        [OUTCOME, 1],
        [STORED, 59],
      ]),
    );
  });

  it('are three fetches when the stream takes longer than they have, and 503 with Retry-After for the rest', async () => {
    const { ask, clock, fetches } = setup();
    const asked = sixty(ask);
    fetches[0]?.stream();
    for (let seconds = 0; seconds < 27; seconds += 1) {
      for (const fetch of fetches) {
        fetch.stream();
        fetch.received = seconds;
      }
      await clock.advance(1_000);
    }
    expect(fetches.length).toBe(3);
    expect(await kinds(asked)).toEqual(
      new Map<Outcome | 503, number>([
        [OUTCOME, 3],
        [503, 57],
      ]),
    );
    expect(await asked[59]).toMatchObject(BUSY);
  });

  it('are at most three fetches at a time also where nothing is stored', async () => {
    const { ask, clock, fetches } = setup();
    const asked = sixty(ask);
    const stream = async (fetch: Fetch | undefined) => {
      fetch?.stream();
      fetch?.keep('not stored');
      await clock.advance(100);
    };
    for (let at = 0; at < 5; at += 1) await stream(fetches[at]);
    expect(fetches.length).toBe(3);
    fetches[0]?.end();
    await clock.advance(250);
    expect(fetches.length).toBe(4);
    await stream(fetches[3]);
    await clock.advance(26_000);
    expect((await kinds(asked)).get(503)).toBe(56);
  });
});

describe('a request that waits', () => {
  it('for a leader that the platform has ended leads after three seconds', async () => {
    const { ask, clock, context, fetches } = setup();
    context.shared.flights.lead(key);
    const waiting = ask();
    await clock.advance(2_999);
    expect(fetches.length).toBe(0);
    await clock.advance(100);
    fetches[0]?.deliver({ outcome: OUTCOME });
    expect(await waiting).toBe(OUTCOME);
  });

  it('and whose client leaves is not waited for: it keeps no fetch alive', async () => {
    const { ask, clock, context } = setup();
    const leader = context.shared.flights.lead(key);
    const client = new AbortController();
    void ask({ signal: client.signal });
    void ask();
    await clock.advance(500);
    expect(leader.waiting).toBe(2);
    client.abort();
    await clock.advance(300);
    expect(leader.waiting).toBe(1);
  });

  it('does not lead when another one that waited has stored the file meanwhile', async () => {
    const { ask, clock, context, fetches } = setup();
    context.shared.flights.lead(key);
    const early = ask();
    await clock.advance(50);
    const late = ask();
    await clock.advance(2_950);
    fetches[0]?.stream();
    fetches[0]?.keep('stored');
    fetches[0]?.end();
    await clock.advance(100);
    expect([await early, await late, fetches.length]).toEqual([OUTCOME, STORED, 1]);
  });

  it('for a stream without bytes leads three seconds after the last one', async () => {
    const { ask, clock, fetches } = setup();
    void ask();
    const waiting = ask();
    fetches[0]?.stream();
    await clock.advance(2_500);
    if (fetches[0]) fetches[0].received = 1;
    await clock.advance(3_300); // seen 500 ms later
    expect(fetches.length).toBe(1);
    await clock.advance(300);
    expect(fetches.length).toBe(2);
    fetches[1]?.deliver({ outcome: OUTCOME });
    expect(await waiting).toBe(OUTCOME);
  });

  it('for a leader that waits for the headers of a slow origin goes on waiting', async () => {
    const { ask, clock, fetches } = setup();
    void ask();
    const waiting = ask();
    await clock.advance(24_900);
    expect(fetches.length).toBe(1);
    fetches[0]?.deliver({ outcome: OUTCOME });
    expect(await waiting).toBe(OUTCOME);
  });

  it('has an answer also where the leader gives it a moment after its deadline', async () => {
    const { ask, clock, fetches } = setup();
    void ask();
    const waiting = ask();
    await clock.advance(25_500);
    fetches[0]?.deliver({ outcome: OUTCOME });
    expect(await waiting).toBe(OUTCOME);
    expect(fetches.length).toBe(1);
  });

  it('longer than it may is told to try again', async () => {
    const { ask, clock } = setup();
    void ask();
    const waiting = ask();
    await clock.advance(26_100);
    expect(await waiting).toMatchObject(BUSY);
  });
});
