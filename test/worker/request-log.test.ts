import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Stage, startStage } from './stage.ts';
import { eventually } from '../eventually.ts';

// The log has one line of JSON a request, without anything that is private to the client.

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());

/** The log lines of a request, once they are there. */
async function linesOf(
  { modferry }: Stage,
  { headers }: Answer,
): Promise<Readonly<Record<string, unknown>>[]> {
  const lines = () => modferry.log.filter(({ request }) => request === headers['x-request-id']);
  await eventually(() => expect(lines().length).toBeGreaterThan(0));
  return lines();
}

const HELLO = '/example.com/hello';
const TOTAL = { ms: expect.any(Number), event: 'request', method: 'GET' };

it.each([
  [
    `${HELLO}/@v/list`,
    { kind: 'list', module: 'example.com/hello', status: 200, tier: 'origin', attempts: 1 },
  ],
  [
    `${HELLO}/@v/v1.1.0.zip`,
    {
      kind: 'zip',
      module: 'example.com/hello',
      version: 'v1.1.0',
      status: 200,
      tier: 'origin',
      attempts: 1,
    },
  ],
  [
    `${HELLO}/@v/%21dev.info`,
    {
      kind: 'query',
      module: 'example.com/hello',
      version: 'Dev',
      status: 200,
      tier: 'origin',
      attempts: 1,
    },
  ],
  [
    '/github.com/%21azure/%21thing/@v/v1.0.1-%21r%21c1.mod',
    {
      kind: 'mod',
      module: 'github.com/Azure/Thing',
      version: 'v1.0.1-RC1',
      status: 200,
      tier: 'origin',
      attempts: 1,
    },
  ],
  [
    '/example.com/none/@latest',
    { kind: 'latest', module: 'example.com/none', status: 404, tier: 'origin', attempts: 1 },
  ],
])(
  '%s leaves one line with what was requested and which tier answered',
  async (target, expected) => {
    const answer = await stage.ask(target);
    const lines = await linesOf(stage, answer);
    expect(lines).toHaveLength(1);
    const { origin, request, dataCentre, country, continent, text, ...line } = lines[0] ?? {};
    expect(line).toEqual({ ...TOTAL, ...expected, bytes: answer.body.length });
    expect(request).toBe(answer.headers['x-request-id']);
    expect(origin).toBe(new URL(stage.origin.url).host);
    expect(typeof text).toBe(answer.status === 200 ? 'undefined' : 'string');
    for (const place of [dataCentre, country, continent])
      expect(place ?? 'DFW').toMatch(/^[A-Z]{2,3}$/);
  },
);

it.each([
  ['/', 'GET', { kind: 'home', status: 200, tier: 'local' }],
  ['/example.com/..%5c/@v/list', 'GET', { kind: 'malformed', status: 404, tier: 'local' }],
  ['/sumdb/none/supported', 'GET', { kind: 'malformed', status: 404, tier: 'local' }],
  [`${HELLO}/@v/list`, 'POST', { kind: 'failure', method: 'POST', status: 405, tier: 'local' }],
  [`${HELLO}/@v/v1.1.0.info`, 'HEAD', { kind: 'info', method: 'HEAD', status: 200 }],
])('%s by %s leaves a line too', async (target, method, expected) => {
  const lines = await linesOf(stage, await stage.ask(target, { method }));
  expect(lines).toEqual([expect.objectContaining(expected)]);
});

it('the line of an answer from a store names the tier and no attempts', async () => {
  const { path } = stage.freshModule();
  await stage.ask(`/${path}/@v/v1.0.0.mod`);
  await stage.nearEntrySeconds('file', `${path}/@v/v1.0.0.mod`);
  const [line] = await linesOf(stage, await stage.ask(`/${path}/@v/v1.0.0.mod`));
  expect(line).toMatchObject({ status: 200, kind: 'mod' });
  expect(['edge', 'kv', 'r2']).toContain(line?.['tier']);
  expect(Object.keys(line ?? {})).not.toEqual(expect.arrayContaining(['attempts']));
});

it('the line of a stale answer is marked, and that of an error has what each origin did', async () => {
  const { path } = stage.freshModule();
  await stage.ask(`/${path}/@v/list`);
  await stage.expire();
  stage.origin.fault(500);
  const [stale] = await linesOf(stage, await stage.ask(`/${path}/@v/list`));
  const [failed] = await linesOf(stage, await stage.ask(`/${path}/@v/v1.1.0.zip`));
  stage.origin.fault(undefined);
  expect(stale).toMatchObject({ status: 200, stale: true, tier: 'r2', attempts: 2 });
  expect(failed).toMatchObject({
    status: 502,
    attempts: 2,
    text: expect.stringContaining('status 500'),
  });
});

describe('what a client sends', () => {
  const options = {
    headers: {
      Authorization: 'Bearer s3cret',
      Cookie: 'session=s3cret',
      'X-Token': 's3cret',
      'CF-Connecting-IP': '203.0.113.7',
    },
  };

  it('is not in the log: no query string, no credential and no address', async () => {
    for (const target of [
      `${HELLO}/@v/v1.0.0.mod`,
      '/example.com/none2/@v/list',
      '/malformed',
      '/',
      '/sumdb/x/y',
    ]) {
      await linesOf(stage, await stage.ask(`${target}?token=s3cret`, options));
    }
    expect(JSON.stringify(stage.modferry.log)).not.toMatch(/s3cret|token|203\.0\.113\.7|Bearer/);
  });

  it('is in the log as its address alone where LOG_CLIENT_ADDRESS is on', async () => {
    const curious = await startStage({ variables: { LOG_CLIENT_ADDRESS: 'on' } });
    try {
      const [line] = await linesOf(
        curious,
        await curious.ask(`${HELLO}/@v/list?token=s3cret`, options),
      );
      expect(line).toMatchObject({ client: '203.0.113.7', status: 401 });
      expect(JSON.stringify(curious.modferry.log)).not.toMatch(/s3cret|token|Bearer/);
    } finally {
      await curious.close();
    }
  });
});

it('every line of the log is JSON with an event', () => {
  expect(stage.modferry.log.filter(({ event }) => typeof event !== 'string')).toEqual([]);
});
