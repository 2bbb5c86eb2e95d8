import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Body } from '../fakes/origin/answer.ts';
import type { FakeServer } from '../fakes/origin/fake-server.ts';
import { goSum } from '../fakes/origin/module.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type Fault, flipStreamedBit } from '../fakes/origin/faults.ts';
import { createLog, startLogServer } from '../fakes/sumdb/transparency-log.ts';
import { MB, serveBigZip, type Served, whole } from './big-zip.ts';
import { download } from './download.ts';
import { type Modferry, startModferry } from './modferry.ts';
import { eventually } from '../eventually.ts';

// The origin breaks a zip off in the middle, and the client gets one whole body all the same.

const MIB = 1024 * 1024;
const SIZE = 24 * MB;

const log = createLog();
let database: FakeServer;
let first: FakeOrigin;
let second: FakeOrigin;
let modferry: Modferry;

beforeAll(async () => {
  first = await startOrigin();
  second = await startOrigin();
  database = await startLogServer(log);
});
beforeEach(() => {
  for (const server of [first, second, database]) server.reset();
});
// Each test has its own, because one avoids an origin that broke off.
afterEach(() => modferry.close());
afterAll(async () => {
  for (const server of [first, second, database]) await server.close();
});

/** With `isProven` every zip is verified, and the digest of what was delivered is available. */
async function start(isProven: boolean): Promise<void> {
  modferry = await startModferry({
    variables: {
      ORIGINS: `${first.url}|${second.url}`,
      TIMEOUT_STALL: '1s',
      ...(isProven ? { SUMDBS: `${log.verifierKey} ${database.url}` } : {}),
    },
  });
}

const moduleOf = (name: string) => `big.example/${name}`;
const pathOf = (name: string) => `/${moduleOf(name)}/@v/v1.0.0.zip`;

function publish(name: string): Served {
  const served = serveBigZip(name, SIZE, { at: [first, second], by: modferry });
  log.add(goSum(moduleOf(name), 'v1.0.0', { info: '', mod: served.zip.mod, zip: served.zip }));
  return served;
}

async function kept(name: string): Promise<string[]> {
  const bucket = await modferry.miniflare.getR2Bucket('FILES');
  const { objects } = await bucket.list({ prefix: `${moduleOf(name)}/` });
  return objects.map(({ key }) => key.slice(key.lastIndexOf('.') + 1));
}

const ranges = ({ requests }: FakeOrigin) =>
  requests.filter(({ path }) => path.endsWith('.zip')).map(({ headers }) => headers.range ?? 'all');

const zipRequests = () => ({ first: first.count('.zip'), second: second.count('.zip') });

const lines = (name: string) =>
  modferry.log.filter(({ event, path }) => event === 'resume' && path === pathOf(name));

/** The client has the right file, and the store too, with its hash where it was verified. */
async function expectRight(name: string, served: Served, isProven = true): Promise<void> {
  expect(await download(served.url)).toMatchObject(await whole(served));
  const stored = isProven ? ['zip', 'ziphash'] : ['zip'];
  await eventually(async () => expect(await kept(name)).toEqual(stored));
  const asked = zipRequests();
  expect(await download(served.url)).toMatchObject(await whole(served));
  expect(zipRequests()).toEqual(asked);
}

/**
 * What the second origin sends: under its own tag from the start, under the first one's also by
 * range.
 */
function setSecond(name: string, body: Body, firstTag?: string): void {
  const headers = {
    'content-type': 'application/zip',
    etag: firstTag ?? '"other"',
    ...(firstTag === undefined ? {} : { 'accept-ranges': 'bytes' }),
  };
  second.set(pathOf(name), { body, headers });
}

/** The first origin breaks off once, and answers 500 from then on. */
function breakForGood(fault: Fault = 'truncate'): void {
  first.fault(500, { match: '.zip' });
  first.fault(fault, { match: '.zip', times: 1 });
}

describe.each([
  ['that is verified', true],
  ['that is not verified', false],
])('a large zip %s', (kind, isProven) => {
  it.each<[string, Fault]>([
    ['breaks off in the middle', 'truncate'],
    ['freezes after a mebibyte', { 'freeze-after': MIB }],
  ])('whose origin %s is continued from there, and stored', async (what, fault) => {
    await start(isProven);
    const name = `${what} ${kind}`.replaceAll(' ', '-');
    const served = publish(name);
    first.fault(fault, { match: '.zip', times: 1 });
    await expectRight(name, served, isProven);
    expect(ranges(first)).toEqual(['all', expect.stringMatching(/^bytes=[1-9]\d+-$/)]);
    expect(ranges(second)).toEqual([]);
    await eventually(() =>
      expect(lines(name)).toMatchObject([
        { outcome: 'resumed', tries: 1, offset: expect.any(Number) },
      ]),
    );
  });

  it('whose origin fails for good is continued by another one with an equal ETag, by range', async () => {
    await start(isProven);
    const name = `equal-tag-${isProven}`;
    const served = publish(name);
    breakForGood();
    await expectRight(name, served, isProven);
    expect(ranges(second)).toEqual([expect.stringMatching(/^bytes=[1-9]\d+-$/)]);
    expect(second.requests.at(-1)?.status).toBe(206);
  });
});

describe('another origin', () => {
  it('with another ETag for the same file continues it, as its bytes begin with what was delivered', async () => {
    await start(true);
    const served = publish('other-tag');
    setSecond('other-tag', served.zip);
    breakForGood();
    await expectRight('other-tag', served);
    expect(second.requests.map(({ status }) => status)).toEqual([200]);
  });

  it.each([
    ['in what was delivered', MB],
    ['in what is missing', -3 * MB],
  ])('with other content %s never completes a wrong file', async (what, bit) => {
    await start(true);
    const name = `differs-${what}`.replaceAll(' ', '-');
    const served = publish(name);
    setSecond(name, flipStreamedBit(served.zip, bit));
    breakForGood();
    const answer = await download(served.url);
    expect(answer).toMatchObject({ status: 200, broken: true });
    expect(answer.bytes).toBeLessThan(SIZE);
    expect(await kept(name)).toEqual([]);
    for (const origin of [first, second]) origin.reset();
    await expectRight(name, served);
  });

  it('with an equal ETag for other content is detected, and the log names both', async () => {
    await start(true);
    const name = 'lying-tag';
    const served = publish(name);
    const etag =
      (await fetch(first.url + pathOf(name), { method: 'HEAD' })).headers.get('etag') ?? '';
    first.reset();
    setSecond(name, flipStreamedBit(served.zip, -3 * MB), etag);
    breakForGood();
    expect(await download(served.url)).toMatchObject({ status: 200, broken: true });
    expect(await kept(name)).toEqual([]);
    const hosts = [first, second].map(({ url }) => new URL(url).host);
    await eventually(() => {
      const named = modferry.log.filter(
        ({ subject }) => subject === `${moduleOf(name)}@v1.0.0.zip`,
      );
      expect(named.map(({ origin }) => origin)).toEqual(hosts);
    });
  });
});

it.each<[string, Fault]>([
  ['breaks off', 'truncate'],
  ['freezes', { 'freeze-after': 12 * MB }],
])(
  'a zip that %s, and whose rest no origin has, ends in a broken connection, and nothing is stored',
  async (how, fault) => {
    await start(false);
    const name = `gone-${how.replaceAll(' ', '-')}`;
    const served = publish(name);
    second.fault(500);
    breakForGood(fault);
    expect(await download(served.url)).toMatchObject({ status: 200, broken: true });
    expect(await kept(name)).toEqual([]);
    await eventually(() => expect(lines(name)).toMatchObject([{ outcome: 'given up', tries: 6 }]));
    for (const origin of [first, second]) origin.fault(undefined);
    await expectRight(name, served, false);
  },
);

it('a zip whose connections break off every few megabytes arrives whole', async () => {
  await start(true);
  const served = publish('flapping');
  first.fault({ 'freeze-after': 5 * MIB }, { match: '.zip' });
  await expectRight('flapping', served);
  expect(ranges(first).length).toBeGreaterThan(3);
});
