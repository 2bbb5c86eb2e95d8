import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Body, bodyBytes, bodySize } from '../fakes/origin/answer.ts';
import { alter, flipStreamedBit } from '../fakes/origin/faults.ts';
import { goSum } from '../fakes/origin/module.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import type { FakeServer } from '../fakes/origin/fake-server.ts';
import { createLog, startLogServer } from '../fakes/sumdb/transparency-log.ts';
import { type BigZip, noise, writeZip } from '../fakes/zip/zip-writer.ts';
import { MB, serveBigZip, type Served, whole } from './big-zip.ts';
import { type Download, download } from './download.ts';
import { type Modferry, startModferry } from './modferry.ts';
import { eventually } from '../eventually.ts';

// Zips that are too large to be checked before they are sent: a client never gets the end of a
// wrong one, and nothing of it stays in a store.

/**
 * The bytes that are held back until the stored copy was verified: 8 chunks of 256 KiB, of which
 * the last one may be short.
 */
const HELD_BACK_BYTES = 7 * 256 * 1024;

const log = createLog();
let database: FakeServer;
let first: FakeOrigin;
let second: FakeOrigin;
let modferry: Modferry;
let variables: Readonly<Record<string, string>>;

beforeAll(async () => {
  first = await startOrigin();
  second = await startOrigin();
  database = await startLogServer(log);
  variables = {
    ORIGINS: `${first.url}|${second.url}`,
    SUMDBS: `${log.verifierKey} ${database.url}`,
  };
});
// An origin that sent a wrong file once is not asked first any more: each test has a modferry
// without any history.
beforeEach(async () => {
  for (const server of [first, second, database]) server.reset();
  modferry = await startModferry({ variables });
  return () => modferry.close();
});
afterAll(async () => {
  for (const server of [first, second, database]) await server.close();
});

interface Publishing {
  readonly size?: number;
  readonly isCovered?: boolean;
  readonly by?: Modferry;
}

/** A module of its own for one test, at both origins and in the log. */
function publish(
  name: string,
  { size = 12 * MB, isCovered = true, by = modferry }: Publishing = {},
) {
  const served = serveBigZip(name, size, { at: [first, second], by });
  if (isCovered) record(name, served.zip);
  return served;
}

const moduleOf = (name: string) => `big.example/${name}`;
const pathOf = (name: string) => `/${moduleOf(name)}/@v/v1.0.0.zip`;
const record = (name: string, zip: BigZip) =>
  log.add(goSum(moduleOf(name), 'v1.0.0', { info: '', mod: zip.mod, zip }));

async function altered({ zip }: Served, fault: 'outside-prefix' | 'tampered'): Promise<Body> {
  const headers = { 'content-type': 'application/zip' };
  return (await alter({ status: 200, headers, body: zip }, fault, '')).body;
}

const bucketOf = () => modferry.miniflare.getR2Bucket('FILES');

async function kept(name: string): Promise<string[]> {
  const bucket = await bucketOf();
  const { objects } = await bucket.list({ prefix: `${moduleOf(name)}/` });
  return objects.map(({ key }) => key.slice(key.lastIndexOf('.') + 1));
}

const zipRequests = () => ({ first: first.count('.zip'), second: second.count('.zip') });

const events = (name: string) =>
  modferry.log.filter(({ subject }) => subject === `${moduleOf(name)}@v1.0.0.zip`);

/** The right zip is served, from the second origin or the store, and stored with its hash. */
async function expectHealed(name: string, served: Served): Promise<void> {
  expect(await download(served.url)).toMatchObject(await whole(served));
  await eventually(async () => expect(await kept(name)).toEqual(['zip', 'ziphash']));
  const mark = await (await bucketOf()).get(`${moduleOf(name)}/@v/v1.0.0.ziphash`);
  expect(await mark?.text()).toBe(served.zip.h1());
  const asked = second.count('.zip');
  expect(await download(served.url)).toMatchObject(await whole(served));
  expect(second.count('.zip')).toBe(asked);
}

function expectBroken(answer: Download, size: number): void {
  expect(answer).toMatchObject({ status: 200, broken: true });
  expect(answer.bytes).toBeLessThanOrEqual(size - HELD_BACK_BYTES);
}

async function bomb({ url }: Served): Promise<Body> {
  const prefix = `${new URL(url).pathname.slice(1, -'/@v/v1.0.0.zip'.length)}@v1.0.0/`;
  return writeZip([
    { name: `${prefix}noise.bin`, content: noise(12 * MB), method: 'store' },
    { name: `${prefix}bomb`, content: Buffer.alloc(50 * MB), lies: { size: 1000 } },
  ]);
}

type Forge = (served: Served) => Promise<Body>;
const ATTACKS: readonly (readonly [what: string, forge: Forge, found: RegExp])[] = [
  ['with one bit of a file flipped', async ({ zip }) => flipStreamedBit(zip, 5 * MB), /has CRC-32/],
  [
    'with one bit of its directory flipped',
    async ({ zip }) => flipStreamedBit(zip, -60),
    /, outside of /,
  ],
  [
    'with an entry of another module',
    (served) => altered(served, 'outside-prefix'),
    /entry "elsewhere/,
  ],
  [
    'that is well formed and has another hash',
    (served) => altered(served, 'tampered'),
    /^h1:\S{44}$/,
  ],
  ['with an entry that inflates to more than it declares', bomb, /declares 1000 bytes/],
];

describe.each([
  ['with a declared length', undefined],
  ['without a declared length', 'no-length'],
] as const)('a zip of 12 MB %s', (how, fault) => {
  it.each(ATTACKS)(
    '%s breaks off, leaves nothing in the store, and comes from the second origin next',
    async (what, forge, found) => {
      const name = `${what} ${how}`.replaceAll(' ', '-');
      const served = publish(name);
      const body = await forge(served);
      first.set(pathOf(name), { body });
      if (fault) first.fault(fault);
      expectBroken(await download(served.url), bodySize(body));
      await eventually(() => expect(events(name)).toHaveLength(1));
      expect(events(name)[0]).toMatchObject({
        event: 'security',
        kind: 'mismatch',
        origin: new URL(first.url).host,
        database: log.name,
        expected: served.zip.h1(),
        found: expect.stringMatching(found),
      });
      expect(await kept(name)).toEqual([]);
      await expectHealed(name, served);
      expect(zipRequests()).toEqual({ first: 1, second: 1 });
    },
  );
});

/** Near the end, so that it takes long to find. */
const flipped = ({ zip }: Served) => flipStreamedBit(zip, -3 * MB);

/** A zip of which one bit is flipped at the first origin. */
function publishFlipped(name: string, size = 12 * MB): Served {
  const served = publish(name, { size });
  first.set(pathOf(name), { body: flipped(served) });
  return served;
}

describe('a wrong large zip', () => {
  it.each([
    [
      'before it is checked',
      () => first.requests.filter(({ state }) => state === 'answered').length,
    ],
    ['after the fill has ended', (name: string) => events(name).length],
  ])('is never complete for a client that pauses and reads on %s', async (when, countSigns) => {
    const name = when.replaceAll(' ', '-');
    const served = publishFlipped(name, 40 * MB);
    let stopped = false;
    const untilThen = () => expect(countSigns(name)).toBeGreaterThan(0);
    const answer = await download(served.url, {
      pace(bytes) {
        if (stopped || bytes < MB) return undefined;
        stopped = true;
        return eventually(untilThen);
      },
    });
    expect(answer.bytes).toBeGreaterThan(MB);
    expectBroken(answer, served.zip.size);
    await expectHealed(name, served);
  });

  it('is detected also when the client hangs up', async () => {
    const served = publishFlipped('hung-up', 20 * MB);
    await download(served.url, { hangUpAfter: MB });
    await eventually(() => expect(events('hung-up')).toHaveLength(1));
    expect(await kept('hung-up')).toEqual([]);
    await expectHealed('hung-up', served);
  });

  it('is complete for none of 8 clients at a time, and right for all but one of them', async () => {
    const served = publishFlipped('eight');
    const answers = await Promise.all(Array.from({ length: 8 }, () => download(served.url)));
    const right = await whole(served);
    const [broken, ...others] = answers.toSorted((a, b) => a.bytes - b.bytes);
    for (const answer of others) expect(answer).toMatchObject(right);
    if (broken) expectBroken(broken, served.zip.size);
    expect(first.count('.zip')).toBe(1);
    await expectHealed('eight', served);
  });

  it('is not served by range either while its copy in the bucket is not verified', async () => {
    const served = publishFlipped('ranges', 40 * MB);
    const attacked = download(served.url);
    const over = attacked.then(() => 'over');
    const statuses = new Set<number>();
    do {
      const part = await download(served.cachedOnly, { headers: { Range: 'bytes=0-99' } });
      statuses.add(part.status);
    } while ((await Promise.race([over, Promise.resolve('not yet')])) !== 'over');
    expect([...statuses]).toEqual([404]);
    expectBroken(await attacked, served.zip.size);
    await expectHealed('ranges', served);
  });

  it('is never complete while every origin serves it, is then 502, and is right once an origin is', async () => {
    const served = publishFlipped('all-wrong');
    second.set(pathOf('all-wrong'), { body: flipped(served) });
    expectBroken(await download(served.url), served.zip.size);
    expectBroken(await download(served.url), served.zip.size);
    expect(await download(served.url)).toMatchObject({ status: 502, broken: false });
    expect(await kept('all-wrong')).toEqual([]);
    first.reset();
    await expectHealed('all-wrong', served);
  });

  it('in the bucket is removed and fetched again in one request', async () => {
    const served = publish('planted');
    const key = pathOf('planted').slice(1);
    await (await bucketOf()).put(key, await bodyBytes(flipped(served)));
    await expectHealed('planted', served);
    expect(events('planted').map(({ kind }) => kind)).toEqual(['stored-mismatch']);
  });

  it('that replaces a verified one in the bucket is detected in spite of the stored hash', async () => {
    const served = publish('replaced');
    await expectHealed('replaced', served);
    await modferry.miniflare.purgeCache();
    await (await bucketOf()).put(pathOf('replaced').slice(1), await bodyBytes(flipped(served)));
    await expectHealed('replaced', served);
    expect(events('replaced').map(({ kind }) => kind)).toEqual(['stored-mismatch']);
  });
});

describe('a right large zip', () => {
  it('is verified and stored also when the client hangs up', async () => {
    const served = publish('left', { size: 20 * MB });
    await download(served.url, { hangUpAfter: MB });
    await eventually(async () => expect(await kept('left')).toEqual(['zip', 'ziphash']));
    expect(await download(served.url)).toMatchObject(await whole(served));
    expect(first.count('.zip')).toBe(1);
  });

  it('is fetched once for 8 clients at a time, and arrives whole at each of them', async () => {
    const served = publish('shared', { size: 20 * MB });
    for (const answer of await Promise.all(Array.from({ length: 8 }, () => download(served.url))))
      expect(answer).toMatchObject(await whole(served));
    expect(zipRequests()).toEqual({ first: 1, second: 0 });
  });

  it('is 502 while the database is down, and served when it is up again', async () => {
    const served = publish('down');
    await database.stop();
    const { status } = await download(served.url);
    await database.restart();
    expect({ status, kept: await kept('down') }).toEqual({ status: 502, kept: [] });
    expect(await download(served.url)).toMatchObject(await whole(served));
  });

  it('that no log covers is stored without a hash, and is removed and fetched again once the log has another hash', async () => {
    const served = publish('uncovered', { isCovered: false });
    first.set(pathOf('uncovered'), { body: await altered(served, 'tampered') });
    const answer = await download(served.url);
    expect({ broken: answer.broken, cache: answer.headers['cache-control'] }).toEqual({
      broken: false,
      cache: 'public, max-age=86400, stale-if-error=0',
    });
    await eventually(async () => expect(await kept('uncovered')).toEqual(['zip']));
    record('uncovered', served.zip);
    await modferry.miniflare.purgeCache();
    // Which origin sent it was not recorded, so that one is asked once more.
    expectBroken(await download(served.url), served.zip.size);
    await expectHealed('uncovered', served);
    expect(events('uncovered').map(({ kind }) => kind)).toEqual(['stored-mismatch', 'mismatch']);
  });
});

it('without R2 a large zip is passed on unchecked, may not be stored, and the log has a line about it', async () => {
  const passing = await startModferry({ variables, without: ['FILES'] });
  try {
    const served = publish('passed-on', { by: passing });
    for (const times of [1, 2]) {
      const answer = await download(served.url);
      expect(answer).toMatchObject(await whole(served));
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(first.count('.zip')).toBe(times);
    }
    await eventually(() =>
      expect(passing.log).toContainEqual(
        expect.objectContaining({
          event: 'trouble',
          message: expect.stringContaining('is not checked: there is no durable store'),
        }),
      ),
    );
  } finally {
    await passing.close();
  }
});
