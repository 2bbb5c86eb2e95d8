import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Fault, FaultOptions } from '../fakes/origin/faults.ts';
import { type FakeModule, filePath, makeModule, makeVersion } from '../fakes/origin/module.ts';
import { bigZip } from '../fakes/zip/zip-writer.ts';
import {
  failure,
  FILE_HEADERS,
  STALE,
  NEGATIVE,
  NO_STORE,
  type Stage,
  startStage,
  summary,
  withFault,
  STALE_STATUS,
} from './conformance.ts';

// Rows 37 to 58, 67 and 68 of the conformance list: what an origin answers when it has nothing, or
// nothing good. The shape of every error is asserted by `ask` itself. A lone origin that failed is
// asked a second time (row 44).

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());

const ENDS = [
  '@v/list',
  '@latest',
  '@v/main.info',
  '@v/v1.0.0.info',
  '@v/v1.0.0.mod',
  '@v/v1.0.0.zip',
];
/**
 * A module with a fault on all of its files: others are not touched, so that tests can run side by
 * side.
 */
function faultyModule(fault: Fault, options: FaultOptions = {}): FakeModule {
  const module = stage.freshModule();
  stage.origin.fault(fault, { ...options, match: `/${module.path}/` });
  return module;
}

const STORED_ENDS = ['@v/list', '@latest', '@v/main.info'] as const;
/** The keys of a module in the bucket. */
const storedOf = async (path: string) =>
  (await stage.bucketKeys()).filter((key) => key.startsWith(`${path}/`));

const NEWLY = '@v/v1.2.0.info';

it.each(ENDS)(
  'rows 37 and 39: %s that the origin does not have is 404 with its text',
  async (end) => {
    const answer = await stage.ask(`/example.com/unknown/${end}`);
    expect(summary(answer)).toEqual(failure(404, 1, NEGATIVE));
    expect(answer.text).toContain('module example.com/unknown: no matching versions');
    expect(answer.headers['cache-status']).toContain('fwd=uri-miss; fwd-status=404');
  },
);

it.each(ENDS)('row 38: a 410 for %s stays a 410', async (end) => {
  const { path } = faultyModule({ status: 410, text: 'not found: gone for good' });
  const answer = await stage.ask(`/${path}/${end}`);
  expect(summary(answer)).toEqual(failure(410, 1, NEGATIVE));
  expect(answer.text).toContain('gone for good');
});

it('row 40: a version that is published after a 404 is visible within a minute', async () => {
  const { path } = stage.freshModule();
  const absent = await stage.ask(`/${path}/${NEWLY}`);
  const edgeSeconds = await stage.edgeEntry('missing', `${path}/${NEWLY}`);
  const clientSeconds = Number(/max-age=(\d+)/.exec(absent.headers['cache-control'] ?? '')?.[1]);
  expect(clientSeconds + edgeSeconds).toBeLessThanOrEqual(60);

  stage.origin.add(makeModule(path, { 'v1.2.0': makeVersion(path, 'v1.2.0', {}) }));
  const believed = await stage.ask(`/${path}/${NEWLY}`);
  expect(summary(believed)).toEqual(failure(404, 0, NEGATIVE));
  expect(believed.headers['cache-status']).toBe('modferry; hit; detail=edge');
  await stage.expire();
  expect(summary(await stage.ask(`/${path}/${NEWLY}`))).toEqual({
    status: 200,
    ...FILE_HEADERS.info,
    asked: 1,
  });
});

it.each(['not found: fetch timed out', 'not found: temporarily unavailable'])(
  'row 41: a 404 that says "%s" is no answer: 504, and nobody keeps it',
  async (text) => {
    const { path } = stage.freshModule();
    stage.origin.fault({ status: 404, text });
    expect(summary(await stage.ask(`/${path}/@v/v1.1.0.info`))).toEqual(failure(504, 1));
    stage.origin.fault(undefined);
    expect((await stage.ask(`/${path}/@v/v1.1.0.info`)).status).toBe(200);
  },
);

it.concurrent.each<[string, Fault, number, number, string]>([
  [
    'row 42: a 400 is a 404',
    { status: 400, text: 'bad request: invalid version' },
    404,
    1,
    NEGATIVE,
  ],
  ['row 43: a 401 is a quarrel of the origin with modferry: 502', 401, 502, 2, NO_STORE],
  ['row 43: a 403 is a quarrel of the origin with modferry: 502', 403, 502, 2, NO_STORE],
  ['row 46: 429 again and again is 503', 429, 503, 2, NO_STORE],
  ['row 46: 503 again and again is 503', 503, 503, 2, NO_STORE],
  ['row 46: 500 again and again is 502', 500, 502, 2, NO_STORE],
  ['row 46: 502 again and again is 502', 502, 502, 2, NO_STORE],
  ['row 46: 504 again and again is 502', 504, 502, 2, NO_STORE],
  ['row 46: a connection that is reset again and again is 502', 'reset', 502, 2, NO_STORE],
  ['rows 48 and 49: a page instead of the file is 502', 'html', 502, 2, NO_STORE],
])('%s, whatever is asked for', async (_row, fault, status, asked, cache) => {
  const { path } = faultyModule(fault);
  for (const answer of await stage.askAll(path, ENDS)) {
    expect(summary(answer)).toEqual(failure(status, asked, cache));
    expect(answer.text).toContain(new URL(stage.origin.url).host);
  }
  expect(await storedOf(path)).toEqual([]);
});

it.concurrent('rows 48 and 49: a page under the type of a text is 502, whatever is asked for', async () => {
  const { path } = stage.freshModule();
  const body = '\n<!DOCTYPE html>\n<title>Sign in</title>\n';
  for (const end of ENDS)
    stage.origin.set(`/${path}/${end}`, { headers: { 'content-type': 'text/plain' }, body });
  for (const answer of await stage.askAll(path, ENDS))
    expect(summary(answer)).toEqual(failure(502, 2));
  expect(await storedOf(path)).toEqual([]);
});

it.concurrent.each<Fault>([
  429,
  { status: 429, headers: { 'retry-after': '0' } },
  500,
  502,
  503,
  504,
  'reset',
  'truncate',
])('row 44: after one %j the lone origin is asked again, and the answer is 200', async (fault) => {
  const { path } = faultyModule(fault, { times: 1 });
  const answers = await stage.askAll(path, ['@v/v1.1.0.zip']);
  expect(answers.map(summary)).toEqual([{ status: 200, ...FILE_HEADERS.zip, asked: 2 }]);
});

it.concurrent.each<Fault>([401, 403, 429, 500, 502, 503, 504, 'reset', 'html', 'truncate'])(
  'row 45: while the origin answers with %j, what may change is the last good copy',
  async (fault) => {
    const { path } = stage.freshModule();
    const good = await stage.askAll(path, STORED_ENDS);
    await stage.expire();
    stage.origin.fault(fault, { match: `/${path}/` });
    const stale = await stage.askAll(path, STORED_ENDS);
    expect(stale.map(summary)).toEqual(
      good.map((answer) => ({ ...summary(answer), cache: STALE, asked: 2 })),
    );
    expect(stale.map(({ text }) => text)).toEqual(good.map(({ text }) => text));
    for (const { headers } of stale) expect(headers['cache-status']).toMatch(STALE_STATUS);
  },
);

it('row 46: an origin that wants more patience than a developer has is not asked again, and is quoted', async () => {
  const { path } = faultyModule({ status: 429, headers: { 'retry-after': '7' } });
  const answer = await stage.ask(`/${path}/@v/list`);
  expect(summary(answer)).toEqual(failure(503, 1));
  expect(answer.headers['retry-after']).toBe('7');
});

it.concurrent.each([
  ['row 49: a list without a version in it', '@v/list', 'please\nsign in\n'],
  ['row 50: an .info without a version', '@v/v1.0.0.info', '{}'],
  ['row 50: an .info of another version', '@v/v1.0.0.info', '{"Version":"v1.1.0"}'],
  ['row 51: a branch without a version', '@v/main.info', '{}'],
  ['row 51: a branch whose version is none', '@v/main.info', '{"Version":"nightly"}'],
  ['row 51: a branch that is a short version', '@v/main.info', '{"Version":"v1.1"}'],
  ['row 51: @latest that is a number', '@latest', '{"Version":1}'],
  ['row 51: @latest that is a list', '@latest', '["v1.0.0"]'],
  ['row 52: an empty Time', '@v/v1.0.0.info', '{"Version":"v1.0.0","Time":""}'],
  ['row 52: a Time that is a day', '@v/v1.0.0.info', '{"Version":"v1.0.0","Time":"2024-01-15"}'],
  [
    'row 52: a Time that cannot be',
    '@latest',
    '{"Version":"v1.0.0","Time":"2024-13-15T10:00:00Z"}',
  ],
  ['row 52: JSON with something after it', '@v/v1.0.0.info', '{"Version":"v1.0.0"} {}'],
])('%s is 502, and nothing of it is stored', async (_row, end, body) => {
  const { path } = stage.freshModule();
  stage.origin.set(`/${path}/${end}`, { body });
  expect((await stage.askAll(path, [end])).map(summary)).toEqual([failure(502, 2)]);
  expect(await storedOf(path)).toEqual([]);
});

it('rows 50 to 52: an .info without Time, with a null Time, or with names in lower case is passed on', async () => {
  for (const body of [
    '{"Version":"v1.0.0"}',
    '{"Version":"v1.0.0","Time":null}',
    '{"version":"v1.0.0","x":1}',
  ]) {
    const { path } = stage.freshModule();
    stage.origin.set(`/${path}/@v/v1.0.0.info`, { body });
    expect(await stage.ask(`/${path}/@v/v1.0.0.info`)).toMatchObject({ status: 200, text: body });
  }
});

// What breaks off is asked for the rest three times in vain, and then once more from the start.
it.each<[string, Fault, number]>([
  ['row 53: a zip that breaks off', 'truncate', 8],
  ['row 54: a body that is no zip', 'not-a-zip', 2],
  ['row 55: a zip with an entry outside of its version', 'outside-prefix', 2],
])('%s is 502, nothing is stored, and the next request fetches it', async (_row, fault, asked) => {
  const { path } = stage.freshModule();
  stage.origin.fault(fault);
  expect(summary(await stage.ask(`/${path}/@v/v1.0.0.zip`))).toEqual(failure(502, asked));
  expect(await storedOf(path)).toEqual([]);
  stage.origin.fault(undefined);
  expect(summary(await stage.ask(`/${path}/@v/v1.0.0.zip`))).toEqual({
    status: 200,
    ...FILE_HEADERS.zip,
    asked: 1,
  });
});

it.each<[string, Fault, number]>([
  ['row 53: a large zip that breaks off', 'truncate', 9], // asked for the rest while that bears fruit
  ['row 55: a large zip with an entry outside of its version', 'outside-prefix', 1],
])('%s ends in a broken stream, and nothing is stored', async (_row, fault, most) => {
  const path = `example.com/big-${String(fault)}`;
  const zip = bigZip(`${path}@v1.0.0/`, 9 * 1024 * 1024);
  stage.origin.add(makeModule(path, { 'v1.0.0': { ...makeVersion(path, 'v1.0.0', {}), zip } }));
  stage.origin.fault(fault);
  const answer = await stage.ask(filePath(path, 'v1.0.0', 'zip'));
  expect(answer).toMatchObject({ status: 200, broken: true });
  expect(answer.asked).toBeLessThanOrEqual(most);
  expect(await storedOf(path)).toEqual([]);
  stage.origin.fault(undefined);
  const whole = await stage.ask(filePath(path, 'v1.0.0', 'zip'));
  expect(whole).toMatchObject({ status: 200, broken: false, asked: 1 });
  expect(whole.body.length).toBe(zip.size);
});

it('row 58: a zip over 500 MiB is refused by its declared length', async () => {
  const { path } = stage.freshModule();
  const body = bigZip(`${path}@v1.0.0/`, 500 * 1024 * 1024 + 1);
  stage.origin.set(`/${path}/@v/v1.0.0.zip`, { body });
  expect(summary(await stage.ask(`/${path}/@v/v1.0.0.zip`))).toEqual(failure(502, 2));
});

it.each<[string, string | Buffer]>([
  ['terminal escapes', 'not found: \u001b[31mred\u001b[0m\u0007\u0000'],
  ['many lines', `not found:\r\n\r\n${'line\n'.repeat(40)}`],
  ['a long line', `not found: ${'x'.repeat(5000)}`],
  ['a long line of wide characters', `not found: ${'é€😀'.repeat(500)}`],
  ['marks that turn the text around', 'not found: \u202eevil\u2028\u200b'],
  ['bytes that are no UTF-8', Buffer.from([0x6e, 0xff, 0xfe, 0xc0, 0xae, 0x6e])],
  ['nothing', ''],
])("row 67: an origin's text of %s arrives as one printable line", async (_what, body) => {
  const { path } = stage.freshModule();
  stage.origin.set(`/${path}/@v/list`, { status: 404, body });
  expect(summary(await stage.ask(`/${path}/@v/list`))).toEqual(failure(404, 1, NEGATIVE));
});

it('row 68: a list that was never asked for is made of the stored versions while the origin fails', async () => {
  const { path } = stage.freshModule();
  await stage.ask(`/${path}/@v/v1.1.0.info`);
  await stage.ask(`/${path}/@v/v1.0.0.info`);
  await expect.poll(() => stage.bucketKeys()).toContain(`${path}/@v/v1.0.0.info`);
  const answer = await withFault(stage.origin, 500, () => stage.ask(`/${path}/@v/list`));
  expect(summary(answer)).toEqual({ status: 200, ...FILE_HEADERS.list, cache: STALE, asked: 2 });
  expect(answer.text).toBe('v1.0.0\nv1.1.0\n');
  expect(answer.headers['cache-status']).toMatch(STALE_STATUS);
});
