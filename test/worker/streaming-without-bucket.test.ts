import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { MB, serveBigZip, whole } from './big-zip.ts';
import { download } from './download.ts';
import { type Modferry, startModferry } from './modferry.ts';
import { eventually } from '../eventually.ts';

describe('without a bucket', () => {
  let first: FakeOrigin;
  let passing: Modferry;
  beforeAll(async () => {
    first = await startOrigin();
    const variables = { ORIGINS: first.url, TIMEOUT_STALL: '2s' };
    passing = await startModferry({ variables, without: ['FILES'] });
  });
  beforeEach(() => first.reset());
  afterAll(async () => {
    await passing.close();
    await first.close();
  });

  const serve = (name: string, size: number) =>
    serveBigZip(name, size, { at: [first], by: passing });

  it('a zip of 100 MB passes through, each time from the origin', async () => {
    const served = serve('passing', 100 * MB);
    expect(await download(served.url)).toMatchObject(await whole(served));
    expect(await download(served.url)).toMatchObject(await whole(served));
    expect(first.count()).toBe(2);
  });

  it('a client may stop reading for longer than TIMEOUT_STALL', async () => {
    const served = serve('passing-slow', 60 * MB);
    let stopped = false;
    const answer = await download(served.url, {
      pace(bytes) {
        if (stopped || bytes < MB) return undefined;
        stopped = true;
        return sleep(4_500);
      },
    });
    expect(answer).toMatchObject(await whole(served));
  });

  it('a client that hangs up ends the request to the origin', async () => {
    const served = serve('passing-hang-up', 100 * MB);
    first.fault({ drip: { bytesPerSecond: 20 * MB } });
    await download(served.url, { hangUpAfter: MB });
    await eventually(() => expect(first.requests.at(-1)?.state).toBe('broken'), 4_000);
  });

  it('a zip that breaks off is continued by its origin', async () => {
    const served = serve('passing-truncated', 30 * MB);
    first.fault('truncate', { times: 1 });
    expect(await download(served.url)).toMatchObject(await whole(served));
    expect(first.count()).toBe(2);
  });

  it('a zip that breaks off and cannot be continued ends in a broken connection', async () => {
    const served = serve('passing-gone', 30 * MB);
    first.fault(500);
    first.fault('truncate', { times: 1 });
    expect(await download(served.url)).toMatchObject({ status: 200, broken: true });
  });
});
