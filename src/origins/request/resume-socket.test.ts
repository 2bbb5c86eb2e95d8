import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { systemClock } from '../../effects/clock.ts';
import type { Fault } from '../../../test/fakes/origin/faults.ts';
import { originOf, socketFetch } from '../../../test/fakes/effects/fetch.ts';
import { makeModule } from '../../../test/fakes/origin/module.ts';
import { type FakeOrigin, startOrigin } from '../../../test/fakes/origin/origin.ts';
import { noise } from '../../../test/fakes/zip/zip-writer.ts';
import { attempt, type Resuming } from './attempt.ts';

const MIB = 1024 * 1024;
const CHUNK = 256 * 1024;
const FILE = noise(9 * MIB + 5);
const PATH = '/example.com/big/@v/v1.0.0.zip';

let first: FakeOrigin;
let second: FakeOrigin;
beforeAll(async () => {
  const module = makeModule('example.com/big', { 'v1.0.0': { info: '{}', mod: '', zip: FILE } });
  first = await startOrigin({ modules: [module] });
  second = await startOrigin({ modules: [module] });
});
beforeEach(() => {
  first.reset();
  second.reset();
});
afterAll(async () => {
  await first.close();
  await second.close();
});

const limits = { headersMs: 2000, stallMs: 200 };
const from = () => originOf('first', { url: first.url, limits, authorization: 'Bearer secret' });

async function download(options: Partial<Resuming> = {}): Promise<Uint8Array> {
  const others = [originOf('second', { url: second.url, limits })];
  const result = await attempt(
    from(),
    {
      path: PATH,
      resume: 'by-digest',
      accept: async (body) => ({ body, start: await body.start(CHUNK) }),
    },
    {
      fetch: socketFetch,
      clock: systemClock,
      ms: 25_000,
      resuming: { others, isAlone: false, random: () => 0, ...options },
    },
  );
  if (result.kind !== 'accepted') throw new Error(`it is ${result.kind}`);
  const { body, start } = result.value;
  const parts = [start];
  do parts.push(await body.fill(new ArrayBuffer(CHUNK)));
  while (parts.at(-1)?.length);
  return Buffer.concat(parts);
}

const ranges = ({ requests }: FakeOrigin) => requests.map(({ headers }) => headers.range);

it.each<[Fault]>([['truncate'], [{ 'freeze-after': 3 * MIB }]])(
  'over a real connection, %j is gone on from by range, and the old connection is closed',
  async (fault) => {
    first.fault(fault, { times: 1 });
    expect(Buffer.compare(await download(), FILE)).toBe(0);
    expect(ranges(first)).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d+-$/)]);
    expect(second.count()).toBe(0);
    await vi.waitUntil(() => first.requests.every(({ state }) => state !== 'open'));
  },
);

it('over a real connection, another origin sends the rest, and hears nothing of the Authorization', async () => {
  first.fault(500);
  first.fault('truncate', { times: 1 });
  expect(Buffer.compare(await download(), FILE)).toBe(0);
  expect(ranges(second)).toEqual([expect.stringMatching(/^bytes=[1-9]\d+-$/)]);
  expect(second.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
});

it('a redirect of the request for the rest is followed with its range, and without the Authorization', async () => {
  first.fault({ redirect: second.url });
  first.fault('truncate', { times: 1 });
  expect(Buffer.compare(await download({ others: [] }), FILE)).toBe(0);
  expect(
    second.requests.map(({ headers }) => [headers.authorization, headers['if-range']]),
  ).toEqual([[undefined, first.requests[1]?.headers['if-range']]]);
  expect(ranges(second)).toEqual([ranges(first)[1]]);
});

it('an answer with a whole file that begins otherwise is closed, not read to its end', async () => {
  const other = new Uint8Array(FILE);
  other[0] = 255 - (other[0] ?? 0);
  second.set(PATH, { body: other, headers: { etag: '"other"' } });
  first.fault(500);
  first.fault('truncate', { times: 1 });
  await expect(download()).rejects.toThrow(/terminated|aborted|closed/i);
  await vi.waitUntil(() => second.requests.every(({ state }) => state === 'broken'));
  expect(second.count()).toBe(3);
});
