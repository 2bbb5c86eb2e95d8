import { describe, expect, it } from 'vitest';
import { type FakeModferry, fakeModferry } from '../../../test/fakes/modferry.ts';
import { fixtureModules } from '../../../test/fakes/origin/modules.ts';
import { answersOf } from '../../../test/fakes/origin/origin.ts';
import { as } from '../../../test/fakes/tokens.ts';
import { networkOf } from '../../../test/platform/upstream.ts';
import type { Variables } from '../../config/variables.ts';

const EXPLAIN = '/-/api/explain/';
const HELLO = `${EXPLAIN}example.com/hello@v1.1.0`;
const JSON_TYPE = { Accept: 'application/json' };

const network = networkOf({ 'https://a.example': answersOf(fixtureModules()) });

function setup(variables: Variables = {}): FakeModferry {
  return fakeModferry({
    variables: { ORIGINS: 'https://a.example', ...variables },
    replies: { 'https://a.example': ({ signal, url }) => network(url, { signal }) },
  });
}

describe('an explanation', () => {
  it('says who has a version, what the log says, and that no rule refuses it', async () => {
    const modferry = setup();
    const { headers, status, text } = await modferry.get(HELLO);
    expect([status, headers.get('Content-Type'), headers.get('Cache-Control')]).toEqual([
      200,
      'text/plain; charset=utf-8',
      'no-store',
    ]);
    expect(text.split('\n')).toEqual([
      'example.com/hello@v1.1.0',
      'policy: passes: no rule refuses it',
      'origins: a.example has it',
      'log: SUMDBS names no checksum database',
      '',
    ]);
    expect((await modferry.get(HELLO)).text).toContain('origins: it is stored here (edge)');
  });

  it('is JSON where Accept asks for it', async () => {
    const { headers, text } = await setup({ DENY: '*@>=v1.1.0' }).get(HELLO, JSON_TYPE);
    expect(headers.get('Content-Type')).toBe('application/json');
    expect(JSON.parse(text)).toEqual({
      module: 'example.com/hello',
      version: 'v1.1.0',
      policy: {
        verdict: 'refused',
        variable: 'DENY',
        entry: '*@>=v1.1.0',
        why: 'DENY has "*@>=v1.1.0"',
      },
      origin: { outcome: 'found', name: 'a.example', text: 'a.example has it' },
      log: { text: 'SUMDBS names no checksum database' },
    });
  });

  it.each([
    [{ DENY: 'example.com/hello' }, 'refused: DENY has "example.com/hello"'],
    [{ ALLOW: 'example.com/dep' }, 'refused: no entry of ALLOW covers it'],
    [{ ALLOW: 'example.com/hello/x' }, 'refused: ALLOW covers only modules below it'],
    [{ ALLOW: '*@v1.0.0' }, 'refused: ALLOW has "*@v1.0.0", which does not cover it'],
    [{ ALLOW: '*@v1.1.0' }, 'passes: ALLOW has "*@v1.1.0"'],
    [{ ALLOW: '*' }, 'passes: ALLOW has "*"'],
    [{ DENY: '*@v1.0.0' }, 'passes: no rule refuses it'],
  ])('with %j says "%s", with status 200', async (variables, verdict) => {
    const { status, text } = await setup(variables).get(HELLO);
    expect([status, text.split('\n')[1]]).toEqual([200, `policy: ${verdict}`]);
  });

  it.each([
    ['github.com/Azure/Thing@v1.0.1-RC1', 'github.com/Azure/Thing@v1.0.1-RC1'],
    ['github.com/!azure/!thing@v1.0.1-!r!c1', 'github.com/Azure/Thing@v1.0.1-RC1'],
    ['github.com/%21azure/%21thing@v1.0.1-%21r%21c1', 'github.com/Azure/Thing@v1.0.1-RC1'],
    ['example.com/legacy@v3.0.0%2Bincompatible', 'example.com/legacy@v3.0.0+incompatible'],
  ])('is had with %s', async (path, subject) => {
    const { text } = await setup().get(`${EXPLAIN}${path}`);
    expect(text.split('\n').slice(0, 3)).toEqual([
      subject,
      'policy: passes: no rule refuses it',
      'origins: a.example has it',
    ]);
  });

  it('says that no origin has a version, with status 200', async () => {
    const { status, text } = await setup().get(`${EXPLAIN}example.com/hello@v1.9.9`);
    expect(status).toBe(200);
    expect(text).toMatch(/\norigins: not found: .*\nlog: not asked about what no origin gives\n$/);
  });

  it.each([
    'example.com/hello',
    'example.com/hello@',
    'example.com/hello@latest',
    'example.com/hello@v1.1',
    'example.com/hello@v2.0.0',
    'hello@v1.0.0',
    'example.com/hello@v1.0.0@v1.1.0',
    '%zz@v1.0.0',
    '',
  ])('of %j is a 400 in JSON with the remedy', async (path) => {
    const modferry = setup();
    const { headers, status, text } = await modferry.get(`${EXPLAIN}${path}`);
    expect([status, headers.get('Content-Type')]).toEqual([400, 'application/json']);
    expect(JSON.parse(text)).toEqual({
      error: expect.stringMatching(/: write <module>@<version> with a whole version/),
    });
    expect(modferry.fetch.calls).toEqual([]);
  });
});

it('explanations of what no origin has are limited as other requests are', async () => {
  const modferry = setup();
  for (let at = 0; at < 300; at++) {
    const { status } = await modferry.get(`${EXPLAIN}example.com/no${at}@v1.0.0`);
    expect(status).toBe(200);
  }
  const { headers, status, text } = await modferry.get(`${EXPLAIN}example.com/no300@v1.0.0`);
  expect([status, headers.get('Retry-After')]).toEqual([429, expect.stringMatching(/^\d+$/)]);
  expect(JSON.parse(text)).toEqual({ error: expect.stringContaining('too many requests') });
  expect((await modferry.get(HELLO)).status).toBe(200);
});

it('what an origin refuses does not pass', async () => {
  const modferry = fakeModferry({
    variables: { ORIGINS: 'https://a.example' },
    replies: { 'https://a.example': () => new Response('blocked', { status: 403 }) },
  });
  const { text } = await modferry.get(HELLO, JSON_TYPE);
  expect(JSON.parse(text)).toMatchObject({
    policy: { verdict: 'refused', why: expect.stringContaining('a.example says: blocked') },
    log: { text: 'SUMDBS names no checksum database' },
  });
});

it.each([
  'corp.example/tool',
  'corp.example/tool@main',
  'corp.example/!tool@',
  'corp.example/tool@v9.0.0',
])('nobody else hears what is wrong with %s, which is private', async (subject) => {
  const modferry = setup({ PRIVATE: 'corp.example' });
  const statuses: number[] = [];
  for (const headers of [{}, as('read'), as('private')])
    statuses.push((await modferry.get(EXPLAIN + subject, headers)).status);
  expect(statuses).toEqual([401, 403, 400]);
  expect((await modferry.get(EXPLAIN + subject, as('private'))).text).toContain(subject);
});

describe('an explanation is for whoever may ask for the module', () => {
  const PRIVATE = `${EXPLAIN}corp.example/x@v1.0.0`;

  it.each([
    ['public', HELLO, {}],
    ['public', PRIVATE, as('private')],
    ['private', HELLO, as('read')],
    ['private', PRIVATE, as('private')],
  ])('ACCESS=%s %s with %j is given, and kept by no cache', async (access, path, headers) => {
    const answer = await setup({ ACCESS: access, PRIVATE: 'corp.example' }).get(path, headers);
    expect([answer.status, answer.headers.get('Cache-Control')]).toEqual([200, 'no-store']);
  });

  it.each([
    ['public', PRIVATE, {}, 401],
    ['public', PRIVATE, as('read'), 403],
    ['private', HELLO, {}, 401],
    ['private', PRIVATE, as('read'), 403],
    ['private', `${EXPLAIN}nonsense`, {}, 401],
  ])(
    'ACCESS=%s %s with %j is %i in JSON, and nothing is asked',
    async (access, path, headers, status) => {
      const modferry = setup({ ACCESS: access, PRIVATE: 'corp.example' });
      const answer = await modferry.get(path, headers);
      expect([answer.status, JSON.parse(answer.text)]).toEqual([
        status,
        { error: expect.anything() },
      ]);
      expect(modferry.fetch.calls).toEqual([]);
    },
  );
});
