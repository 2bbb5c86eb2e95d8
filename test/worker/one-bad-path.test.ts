import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rawRequest } from '../conformance/raw-request.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import type { Fault } from '../fakes/origin/faults.ts';
import { eventually } from '../eventually.ts';
import { type Stage, startStage } from './stage.ts';

// What an origin does with one path says nothing of others: whoever asks for bad paths takes no
// origin out.

/** Times that a client asks for the bad path. */
const MANY = 12;
const BAD = '/example.com/hello/@v/v1.9.9';

let b: FakeOrigin;
let c: FakeOrigin;
let stage: Stage;
beforeAll(async () => {
  b = await startOrigin();
  c = await startOrigin();
  stage = await startStage({ others: [b, c] });
});
afterAll(async () => {
  await stage.close();
  await b.close();
  await c.close();
});
afterEach(() => {
  for (const server of [stage.origin, b, c]) server.reset();
});

async function isReady(of = stage): Promise<boolean> {
  return (await rawRequest(of.modferry.url, '/readyz')).status === 200;
}

async function askOften(of: Stage, ends: readonly string[]): Promise<number[]> {
  const statuses = [];
  for (let time = 0; time < MANY; time++)
    for (const end of ends) statuses.push((await of.ask(BAD + end)).status);
  return [...new Set(statuses)];
}

describe.each<[what: string, fault: Fault]>([
  ['500', 500],
  ['403', 403],
  ['a page', 'html'],
  ['401', 401],
])('a path that the only origin answers with %s', (_, fault) => {
  it('leaves it all of its time, and modferry ready', async () => {
    stage.origin.fault(fault, { match: 'v1.9.9' });
    await askOften(stage, ['.info', '.mod', '.zip']);
    expect(await isReady()).toBe(true);
    const { path, list } = stage.freshModule();
    stage.origin.fault({ 'delay-headers': 6_000 }, { match: path });
    expect(await stage.ask(`/${path}/@v/list`)).toMatchObject({ status: 200, text: list });
  });
});

it('a module that one mirror alone has is never a 404, whatever that mirror answers elsewhere', async () => {
  const mirrors = await startStage({
    variables: { ORIGINS: [b, c, stage.origin].map(({ url }) => url).join('|') },
    others: [stage.origin, b, c],
  });
  try {
    stage.origin.fault(500, { match: 'v1.9.9' });
    await askOften(mirrors, ['.info']);
    const { path } = stage.freshModule();
    for (const end of ['@v/list', '@v/v1.0.0.info', '@v/v1.0.0.mod', '@v/v1.0.0.zip'])
      expect((await mirrors.ask(`/${path}/${end}`)).status).toBe(200);
  } finally {
    await mirrors.close();
  }
});

it('an origin that fails with everything is down', async () => {
  const lone = await startStage();
  try {
    lone.origin.fault(500);
    for (const module of ['hello', 'dep', 'nogomod']) {
      expect(await isReady(lone)).toBe(true);
      await lone.ask(`/example.com/${module}/@v/list`);
    }
    await eventually(async () => expect(await isReady(lone)).toBe(false));
  } finally {
    await lone.close();
  }
});

describe('a refusal (403)', () => {
  it('of every origin is passed on with its words, asked for once, and kept for a while', async () => {
    stage.origin.fault(
      { status: 403, text: 'blocked by policy\nsecond line' },
      { match: 'v1.9.9' },
    );
    const target = `${BAD}.info`;
    await stage.expire();
    const first = await stage.ask(target);
    expect(first).toMatchObject({ status: 403, asked: 1 });
    expect(first.text).toMatch(
      /^refused: example\.com\/hello@v1\.9\.9\.info: .* says: blocked by policy/,
    );
    expect(await stage.ask(target)).toMatchObject({ status: 403, asked: 0 });
  });

  it('of a list makes up none from what is stored', async () => {
    const { path } = stage.freshModule();
    await stage.ask(`/${path}/@v/v1.0.0.info`);
    await stage.stored(`${path}/@v/v1.0.0.info`);
    stage.origin.fault(403, { match: `${path}/@v/list` });
    expect((await stage.ask(`/${path}/@v/list`)).status).toBe(403);
    stage.origin.fault(403, { match: `${path}/@latest` });
    expect((await stage.ask(`/${path}/@latest`)).status).toBe(403);
  });
});

it('the words of an origin pass through two modferries', async () => {
  const outer = await startStage({ variables: { ORIGINS: stage.modferry.url } });
  try {
    stage.origin.fault({ status: 500, text: 'the disk is full' }, { match: 'v1.9.9' });
    const { status, text } = await outer.ask(`${BAD}.mod`);
    expect(status).toBe(502);
    expect(text).toContain('status 500: the disk is full');
    stage.origin.fault({ status: 403, text: 'blocked by policy' }, { match: 'v1.9.9' });
    const refused = await outer.ask(`${BAD}.zip`);
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('says: blocked by policy');
  } finally {
    await outer.close();
  }
});

describe('a 404 that is no word of a module proxy', () => {
  it.each<[what: string, answer: { body: string; headers?: Record<string, string> }]>([
    ['a page', { body: '<html>not found' }],
    [
      'a page without a tag at its start',
      { body: 'Not Found', headers: { 'content-type': 'text/html' } },
    ],
    ['the XML of an object storage', { body: '<?xml version="1.0"?><Code>NoSuchKey</Code>' }],
  ])('is a failure: %s', async (_, { body, headers = {} }) => {
    const { path } = stage.freshModule();
    const target = `/${path}/@v/v1.0.0.info`;
    stage.origin.set(target, { status: 404, body, headers });
    expect((await stage.ask(target)).status).toBe(502);
  });

  it('is a failure from behind a redirect', async () => {
    stage.origin.fault('redirect', { match: 'v7.7.7' });
    const { status, text } = await stage.ask('/example.com/hello/@v/v7.7.7.info');
    expect(status).toBe(502);
    expect(text).toContain('status 404: after a redirect');
  });
});
