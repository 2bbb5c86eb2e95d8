import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resetPeak, usageOf, workerdChildren } from '../bench/process-usage.ts';
import { eventually } from '../eventually.ts';
import { as } from '../fakes/tokens.ts';
import { moduleZip } from '../fakes/zip/module-zip.ts';
import { type BigZip, bigZip } from '../fakes/zip/zip-writer.ts';
import { download, sha256Of } from './download.ts';
import { type Modferry, startModferry } from './modferry.ts';
import { upload, type UploadOptions } from './upload.ts';

const MB = 1_000_000;
const VARIABLES = { ORIGINS: 'http://127.0.0.1:9', PRIVATE: 'corp.example/*' };
const FILES = ['@v/list', '@latest', '@v/v1.0.0.info', '@v/v1.0.0.mod', '@v/v1.0.0.zip'];

let modferry: Modferry;
beforeAll(async () => {
  modferry = await startModferry({ variables: VARIABLES });
});
afterAll(() => modferry.close());

function put(
  at: { readonly url: string },
  module: string,
  body: Uint8Array | BigZip,
  { headers, ...options }: Partial<UploadOptions> = {},
) {
  const url = `${at.url}/-/api/modules/${module}/@v/v1.0.0.zip`;
  return upload(url, body, { headers: { ...as('publish'), ...headers }, ...options });
}

const withLength = (body: { readonly length: number } | BigZip) => ({
  'Content-Length': String('size' in body ? body.size : body.length),
});

async function statuses(module: string): Promise<readonly number[]> {
  const headers = as('private');
  const answers = FILES.map((file) => download(`${modferry.url}/${module}/${file}`, { headers }));
  return (await Promise.all(answers)).map(({ status }) => status);
}

async function keys(): Promise<readonly string[]> {
  const bucket = await modferry.miniflare.getR2Bucket('FILES');
  return (await bucket.list()).objects.map(({ key }) => key);
}

async function untilKey(start: string): Promise<void> {
  await eventually(async () => {
    if (!(await keys()).some((key) => key.startsWith(start)))
      throw new Error(`Cannot find ${start} in the bucket`);
  });
}

describe('a PUT of a version over HTTP', () => {
  it.each([
    ['with its length', withLength],
    ['without its length', () => ({})],
  ])('%s is published', async (name, headersOf) => {
    const module = `corp.example/${name.split(' ')[0]}`;
    const zip = moduleZip(module, 'v1.0.0');
    const headers = headersOf(zip);
    expect(await put(modferry, module, zip, { headers })).toMatchObject({ status: 201 });
    expect(await put(modferry, module, zip, { headers })).toMatchObject({ status: 200 });
    expect(await statuses(module)).toEqual([200, 200, 200, 200, 200]);
  });

  it('answers 413 at once where the declared length is over the limit', async () => {
    const headers = { 'Content-Length': String(500 * 1024 * 1024 + 1) };
    const answer = await put(modferry, 'corp.example/huge', new Uint8Array(1000), { headers });
    expect(answer).toEqual({ status: 413, text: expect.stringMatching(/^{"error":"a module zip/) });
  });

  it.each([
    ['with', true],
    ['without', false],
  ])('that breaks off %s a declared length leaves nothing', async (name, isDeclared) => {
    const module = `corp.example/broken-${name}`;
    const zip = bigZip(`${module}@v1.0.0/`, 20 * MB);
    const headers = isDeclared ? withLength(zip) : {};
    const lines400 = () => modferry.log.filter(({ status }) => status === 400);
    const before = lines400().length;
    const broken = await put(modferry, module, zip, { headers, hangUpAfter: 10 * MB });
    expect(broken.status).toBe(0);
    await eventually(() => expect(lines400()).toHaveLength(before + 1));
    expect((await keys()).filter((key) => /uploads/.test(key) || key.includes(module))).toEqual([]);
    expect(await statuses(module)).toEqual([404, 404, 404, 404, 404]);
    expect(await put(modferry, module, zip, { headers })).toMatchObject({ status: 201 });
  });

  it('does not hold a zip of 100 MB in memory', async ({ skip }) => {
    if (!existsSync('/proc/self/status')) skip('there is no /proc here');
    const module = 'corp.example/big';
    const zip = bigZip(`${module}@v1.0.0/`, 100 * MB);
    const [pid = 0] = workerdChildren();
    resetPeak(pid);
    const before = usageOf(pid).resident;
    expect(await put(modferry, module, zip, { headers: withLength(zip) })).toMatchObject({
      status: 201,
    });
    expect((usageOf(pid).peak - before) / MB).toBeLessThan(90);
    const headers = as('private');
    const whole = await download(`${modferry.url}/${module}/@v/v1.0.0.zip`, { headers });
    expect(whole).toMatchObject({ status: 200, sha256: await sha256Of(zip), broken: false });
  });
});

/** A client that waits when it has sent so many bytes. */
function pauseAfter(limit: number) {
  const paused = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const pace = async (bytes: number) => {
    if (bytes < limit) return;
    paused.resolve();
    await gate.promise;
  };
  return { pace, paused: paused.promise, go: () => gate.resolve() };
}

describe('a process that is killed', () => {
  it.each([
    ['while it takes the zip', 'corp.example/taken', 20],
    ['when the version is claimed', 'corp.example/claimed', Infinity],
  ])('%s leaves a version whole or invisible, and the same PUT goes on', async (...row) => {
    const [, module, sentMB] = row;
    const zip = bigZip(`${module}@v1.0.0/`, 60 * MB);
    const pausing = pauseAfter(sentMB * MB);
    const headers = withLength(zip);
    const publishing = put(modferry, module, zip, { headers, pace: pausing.pace });
    await (sentMB === Infinity ? untilKey(`hosted/${module}`) : pausing.paused);
    await modferry.stop();
    pausing.go();
    await publishing;
    modferry = await startModferry({
      variables: VARIABLES,
      stateDirectory: modferry.stateDirectory,
    });
    const left = await statuses(module);
    const isVisible = left[2] === 200;
    expect(left).toEqual(FILES.map(() => (isVisible ? 200 : 404)));
    const again = await put(modferry, module, zip, { headers: withLength(zip) });
    expect(again).toMatchObject({ status: isVisible ? 200 : 201 });
    expect(await statuses(module)).toEqual([200, 200, 200, 200, 200]);
    const other = await put(modferry, module, moduleZip(module, 'v1.0.0'));
    expect(other).toMatchObject({ status: 409 });
  });
});
