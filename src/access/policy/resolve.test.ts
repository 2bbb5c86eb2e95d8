import { describe, expect, it } from 'vitest';
import { bytes, text } from '../../../test/fakes/effects/values.ts';
import { fakeContext } from '../../../test/fakes/mirror/context.ts';
import { bodyBytes } from '../../../test/fakes/origin/answer.ts';
import {
  type FakeModule,
  infoJSON,
  makeModule,
  makeVersion,
} from '../../../test/fakes/origin/module.ts';
import { answersOf } from '../../../test/fakes/origin/origin.ts';
import { fakeAges, NO_LIMITS } from '../../../test/fakes/policy/ages.ts';
import { bytesOf } from '../../bytes/streams.ts';
import { type ModuleRequest, parseModuleRequest } from '../../goproxy/request.ts';
import { LOCAL, type Outcome } from '../../mirror/outcome.ts';
import { etagOf } from '../../store/etag.ts';
import { latestKey, listKey, versionKey } from '../../store/key.ts';
import type { Age, AgeLimits } from './age.ts';
import { byPolicy } from './resolve.ts';
import { parseRules } from './rules.ts';
import { absence } from './texts.ts';

const YOUNG: Age = { kind: 'young', from: Date.UTC(2026, 10, 24, 9, 0, 0, 1) };
const UNKNOWN: Age = { kind: 'unknown', why: 'the log cannot be asked' };
const UNCOVERED: Age = { kind: 'uncovered', why: 'no checksum database covers it' };
const ENFORCE: AgeLimits = { explicitMs: 1, listMs: 1 };
const DISCOVER: AgeLimits = { explicitMs: undefined, listMs: 1 };

const X = 'example.com/x';
const PSEUDO = 'v1.5.1-0.20240501120000-0123456789ab';

/** A module with these versions, each with the go.mod that `mods` has for it. */
function moduleX(versions: readonly string[], mods: Readonly<Record<string, string>> = {}) {
  const made = versions.map((name) => {
    const goMod = mods[name] ?? `module ${X}\n\ngo 1.20\n`;
    return [name, makeVersion(X, name, { 'go.mod': goMod }, { mod: goMod })] as const;
  });
  const queries = { main: infoJSON(X, PSEUDO), 'v1.5': infoJSON(X, 'v1.5.0') };
  return makeModule(X, Object.fromEntries(made), { queries });
}

/** The same, where the go.mod of the version `by` retracts others. */
function retracting(versions: readonly string[], by: string, what: string): FakeModule {
  return moduleX(versions, { [by]: `module ${X}\n\nretract (\n\t${what}\n)\n` });
}

const VERSIONS = ['v1.0.0', 'v1.2.9', 'v1.5.0', 'v1.6.0-rc.1', PSEUDO];
const hello = moduleX(VERSIONS);

interface Options {
  readonly allow?: string;
  readonly deny?: string;
  readonly limits?: AgeLimits;
  readonly ages?: Readonly<Record<string, Age>>;
  readonly module?: FakeModule;
  readonly mayFetch?: boolean;
  /** Paths below the module that the resolver behind the policy cannot give. */
  readonly down?: readonly string[];
}

function keyOf(request: ModuleRequest): string {
  if (request.kind === 'list') return listKey(request.module);
  if (request.kind === 'latest') return latestKey(request.module);
  if (request.kind === 'query') return versionKey(request.module, request.query, 'info');
  return versionKey(request.module, request.version, request.kind);
}

function setup(options: Options) {
  const { ages: known, down = [], limits = NO_LIMITS, mayFetch = true, module = hello } = options;
  const [allow, deny] = [
    parseRules('ALLOW', options.allow ?? ''),
    parseRules('DENY', options.deny ?? ''),
  ];
  if (!allow.ok || !deny.ok) throw new Error('no rules');
  const asked: string[] = [];
  const ages = fakeAges(known);
  const context = { ...fakeContext(), mayFetch };
  const answer = answersOf([module]);
  async function next(request: ModuleRequest): Promise<Outcome> {
    const key = keyOf(request);
    asked.push(key.replace(/^.*@v?\/?/, ''));
    if (down.some((end) => key.endsWith(end)))
      return {
        kind: 'unavailable',
        status: 502,
        text: 'down',
        retryAfterSeconds: 0,
        source: LOCAL,
      };
    const { body, status } = answer(`/${key}`);
    const data = await bodyBytes(body);
    if (status !== 200) return absence(X, text(data));
    const isMutable = ['list', 'latest', 'query'].includes(request.kind);
    return {
      kind: 'found',
      file: { body: data, size: data.length, etag: etagOf(data) },
      contentType: request.kind,
      cache: isMutable ? 'mutable' : 'immutable',
      source: LOCAL,
    };
  }
  const resolve = byPolicy(next, {
    allow: allow.value,
    deny: deny.value,
    limitsOf: () => limits,
    openAges: () => ages,
  });
  return {
    asked,
    ages,
    context,
    next,
    async get(path: string) {
      const request = parseModuleRequest(path.startsWith('/') ? path : `/${X}/${path}`);
      if (!request.ok) throw new Error(request.reason);
      const outcome = await resolve(request.value, context);
      const body = outcome.kind === 'found' ? text(await bytesOf(outcome.file.body)) : outcome.text;
      return { outcome, kind: outcome.kind, body };
    },
  };
}

const ENDPOINTS = [
  '@v/list',
  '@latest',
  '@v/main.info',
  '@v/v1.5.0.info',
  '@v/v1.5.0.mod',
  '@v/v1.5.0.zip',
];

describe('a module to which nothing applies', () => {
  it.each(ENDPOINTS)('is passed on as it is (%s)', async (path) => {
    for (const options of [{}, { deny: 'example.com/other,example.com/x/y' }, { allow: X }]) {
      const { ages, asked, context, get, next } = setup(options);
      const { outcome } = await get(path);
      const request = parseModuleRequest(`/${X}/${path}`);
      expect(asked).toHaveLength(1);
      expect(ages.asked).toEqual([]);
      expect(context.troubles).toEqual([]);
      expect(outcome).toEqual(request.ok && (await next(request.value)));
    }
  });
});

describe('a module that is denied as a whole', () => {
  it.each(ENDPOINTS)('is refused, and nothing is asked (%s)', async (path) => {
    const { asked, get } = setup({ deny: 'example.com/*' });
    expect(await get(path)).toMatchObject({
      kind: 'refused',
      body: 'refused: example.com/x: DENY has "example.com/*"',
    });
    expect(asked).toEqual([]);
  });

  it.each(ENDPOINTS)('or that ALLOW does not cover, too (%s)', async (path) => {
    const { asked, get } = setup({ allow: 'example.com/other' });
    expect(await get(path)).toMatchObject({
      kind: 'refused',
      body: 'refused: example.com/x: no entry of ALLOW covers it',
    });
    expect(asked).toEqual([]);
  });

  it.each(ENDPOINTS)('is a 404 where only what is below it is allowed (%s)', async (path) => {
    const { asked, get } = setup({ allow: 'example.com/x/y' });
    expect(await get(path)).toMatchObject({
      kind: 'missing',
      outcome: { status: 404, cache: 'failure' },
      body: 'not found: example.com/x: ALLOW covers only modules below it',
    });
    expect(asked).toEqual([]);
  });
});

describe('a denied version', () => {
  it.each(['info', 'mod', 'zip'])('is refused as .%s, and nothing is asked', async (kind) => {
    const { ages, asked, get } = setup({ deny: `${X}@>=v1.5.0`, limits: ENFORCE });
    expect(await get(`@v/v1.5.0.${kind}`)).toMatchObject({
      kind: 'refused',
      body: 'refused: example.com/x@v1.5.0: DENY has "example.com/x@>=v1.5.0"',
    });
    expect([asked, ages.asked]).toEqual([[], []]);
  });

  it.each(['info', 'mod', 'zip'])('leaves others as they are (.%s)', async (kind) => {
    const { asked, get } = setup({ deny: `${X}@>=v1.5.0` });
    expect(await get(`@v/v1.2.9.${kind}`)).toHaveProperty('kind', 'found');
    expect(asked).toEqual([`v1.2.9.${kind}`]);
  });

  it('is refused where ALLOW has other versions', async () => {
    expect(await setup({ allow: `${X}@<v1.5.0` }).get('@v/v1.5.0.zip')).toMatchObject({
      kind: 'refused',
      body: 'refused: example.com/x@v1.5.0: ALLOW has "example.com/x@<v1.5.0", which does not cover it',
    });
  });

  it('is refused when a branch or another query resolves to it', async () => {
    const { get } = setup({ deny: `${X}@>=v1.5.0` });
    expect(await get('@v/main.info')).toMatchObject({
      kind: 'refused',
      body: `refused: example.com/x@main (${PSEUDO}): DENY has "example.com/x@>=v1.5.0"`,
    });
    expect(await get('@v/v1.5.info')).toHaveProperty('kind', 'refused');
  });

  it('leaves a branch as it is that resolves to another one, with its etag', async () => {
    const { get, next } = setup({ deny: `${X}@v1.5.0` });
    const { outcome } = await get('@v/main.info');
    const request = parseModuleRequest(`/${X}/@v/main.info`);
    expect(outcome).toEqual(request.ok && (await next(request.value)));
  });

  it('is left out of the list, whose etag is that of the new bytes', async () => {
    const { body, outcome } = await setup({ deny: `${X}@v1.2.9` }).get('@v/list');
    expect(body).toBe('v1.0.0\nv1.5.0\nv1.6.0-rc.1\n');
    expect(outcome).toMatchObject({
      cache: 'mutable',
      file: { size: body.length, etag: etagOf(bytes(body)) },
    });
  });

  it('leaves an empty list where all are denied, which exists', async () => {
    expect(await setup({ deny: `${X}@>=v1.0.0` }).get('@v/list')).toMatchObject({
      kind: 'found',
      body: '',
    });
  });
});

it.each([
  ['unknown', UNKNOWN, 'failure'],
  ['known', YOUNG, 'mutable'],
])(
  'where the age of a version that is left out is %s, a list may be kept or not',
  async (_, age, cache) => {
    const { outcome } = await setup({ limits: DISCOVER, ages: { 'v1.5.0': age } }).get('@v/list');
    expect(outcome).toMatchObject({ kind: 'found', cache });
  },
);

describe('@latest', () => {
  it.each([
    [{ deny: `${X}@v1.0.0` }, 'v1.5.0'],
    [{ deny: `${X}@v1.5.0` }, 'v1.2.9'],
    [{ deny: `${X}@>=v1.0.0&<=v1.5.0` }, 'v1.6.0-rc.1'],
    [{ allow: `${X}@<v1.2.0` }, 'v1.0.0'],
    [{ limits: DISCOVER, ages: { 'v1.5.0': YOUNG } }, 'v1.2.9'],
    [{ limits: DISCOVER, ages: { 'v1.5.0': UNKNOWN, 'v1.2.9': YOUNG } }, 'v1.0.0'],
    [{ limits: DISCOVER, ages: { 'v1.5.0': YOUNG }, deny: `${X}@v1.2.9` }, 'v1.0.0'],
  ] as const)('with %j is %s, as the go command would choose it', async (options, expected) => {
    const { body, outcome } = await setup(options).get('@latest');
    expect(body).toBe(infoJSON(X, expected));
    expect(outcome).toMatchObject({ cache: 'mutable', contentType: 'info' });
  });

  it.each([
    [{ deny: `${X}@>=v1.0.0` }, 'v1.6.0-rc.1: DENY has "example.com/x@>=v1.0.0"'],
    [
      {
        limits: ENFORCE,
        ages: Object.fromEntries(VERSIONS.map((name) => [name, YOUNG])),
      },
      'v1.5.0: it is younger than the minimum age, and may be had from 2026-11-24T09:00:01Z on',
    ],
    [
      {
        limits: ENFORCE,
        ages: Object.fromEntries(VERSIONS.map((name) => [name, UNCOVERED])),
      },
      'v1.5.0: its age cannot be told: no checksum database covers it',
    ],
    [
      {
        deny: `${X}@v9.9.9`,
        module: moduleX(['v1.0.0'], { 'v1.0.0': `module ${X}\nretract v1.0.0` }),
      },
      'v1.0.0: it is retracted',
    ],
  ])('with %j is a 404 with the reason', async (options, why) => {
    expect(await setup(options).get('@latest')).toMatchObject({
      kind: 'missing',
      outcome: { status: 404, cache: 'failure' },
      body: `not found: example.com/x@latest: the policy leaves no version: ${why}`,
    });
  });

  it('stops at the first old version, and looks for no age below it', async () => {
    const { ages, get } = setup({ limits: DISCOVER, ages: { 'v1.5.0': YOUNG } });
    await get('@latest');
    expect(ages.asked).toEqual(['v1.5.0', 'v1.2.9']);
  });

  it('looks at four ages one by one, and at the rest as a list', async () => {
    const versions = Array.from({ length: 9 }, (_, minor) => `v1.${minor}.0`);
    const young = Object.fromEntries(versions.slice(2).map((name) => [name, YOUNG]));
    const { ages, get } = setup({ limits: DISCOVER, ages: young, module: moduleX(versions) });
    expect(await get('@latest')).toMatchObject({ body: infoJSON(X, 'v1.1.0') });
    expect(ages.asked).toEqual([
      'v1.8.0',
      'v1.7.0',
      'v1.6.0',
      'v1.5.0',
      ['v1.0.0', 'v1.1.0', 'v1.2.0', 'v1.3.0', 'v1.4.0'],
    ]);
  });

  it.each([
    [`module ${X}\n`, 'v3.0.0+incompatible'],
    [`module ${X}\n\ngo 1.20\n`, 'v1.5.0'],
  ])('asks for the go.mod of the highest version that is left: %j', async (goMod, expected) => {
    const versions = ['v1.0.0', 'v1.5.0', 'v1.6.0', 'v3.0.0+incompatible'];
    const module = moduleX(versions, { 'v1.5.0': goMod });
    const { get } = setup({ deny: `${X}@v1.6.0`, module });
    expect(await get('@latest')).toMatchObject({ body: infoJSON(X, expected) });
  });

  it('of a module without versions is a commit, which is held to the policy too', async () => {
    const info = infoJSON(X, PSEUDO);
    const made = makeVersion(X, PSEUDO, { 'go.mod': `module ${X}\n` });
    const module = makeModule(X, { [PSEUDO]: made }, { list: '', latest: info });
    expect(await setup({ module, deny: `${X}@v1.0.0` }).get('@latest')).toHaveProperty(
      'body',
      info,
    );
    expect(await setup({ module, deny: `${X}@>v1.0.0` }).get('@latest')).toMatchObject({
      kind: 'missing',
      body: `not found: example.com/x@latest: the policy leaves no version: ${PSEUDO}: DENY has "example.com/x@>v1.0.0"`,
    });
    const young = { module, limits: DISCOVER, ages: { [PSEUDO]: YOUNG } };
    expect(await setup(young).get('@latest')).toHaveProperty('kind', 'missing');
  });

  it('of a module that does not exist is the answer of the origins', async () => {
    const { get } = setup({ limits: ENFORCE, deny: 'example.com@<v1.0.0' });
    expect(await get('/example.com/absent/@latest')).toMatchObject({
      kind: 'missing',
      body: expect.stringContaining('no matching versions'),
    });
  });

  it('is unavailable where the list is', async () => {
    const { get } = setup({ deny: `${X}@v1.5.0`, down: ['/list'] });
    expect(await get('@latest')).toHaveProperty('kind', 'unavailable');
  });
});

describe('a minimum age', () => {
  it.each<[Age, string]>([
    [YOUNG, 'it is younger than the minimum age, and may be had from 2026-11-24T09:00:01Z on'],
    [
      { kind: 'young', from: Infinity },
      'it is younger than the minimum age, and may be had from 9999-12-31T23:59:59Z on',
    ],
    [UNKNOWN, 'its age is not known yet: the log cannot be asked'],
    [UNCOVERED, 'its age cannot be told: no checksum database covers it'],
  ])('refuses %j, and never with a 404', async (age, why) => {
    for (const kind of ['info', 'mod', 'zip']) {
      const { get } = setup({ limits: ENFORCE, ages: { 'v1.5.0': age } });
      expect(await get(`@v/v1.5.0.${kind}`)).toMatchObject({
        kind: 'refused',
        body: `refused: example.com/x@v1.5.0: ${why}`,
      });
    }
  });

  it.each(['mod', 'zip'])('refuses a .%s before it is read', async (kind) => {
    const { asked, get } = setup({ limits: ENFORCE, ages: { 'v1.5.0': YOUNG } });
    await get(`@v/v1.5.0.${kind}`);
    expect(asked).toEqual([]);
  });

  it('is asked about no version that does not exist, as about every prefix of an import path', async () => {
    const { ages, get } = setup({ limits: ENFORCE });
    expect(await get('/example.com/x/cmd/tool/@v/v1.5.0.info')).toHaveProperty('kind', 'missing');
    expect(await get('/example.com/x/cmd/tool/@v/list')).toHaveProperty('kind', 'missing');
    expect(ages.asked).toEqual([]);
  });

  it.each([YOUNG, UNKNOWN, UNCOVERED])(
    'of discover mode lets explicit versions pass, and no list, query or @latest: %j',
    async (age) => {
      const ages = Object.fromEntries(VERSIONS.map((name) => [name, age]));
      const { get } = setup({ limits: DISCOVER, ages });
      for (const kind of ['info', 'mod', 'zip'])
        expect(await get(`@v/v1.5.0.${kind}`)).toHaveProperty('kind', 'found');
      expect(await get('@v/list')).toMatchObject({ kind: 'found', body: '' });
      expect(await get('@latest')).toHaveProperty('kind', 'missing');
      expect(await get('@v/main.info')).toHaveProperty('kind', 'refused');
    },
  );

  it('leaves a young backport below an old release out of the list', async () => {
    const { ages, get } = setup({ limits: ENFORCE, ages: { 'v1.2.9': YOUNG } });
    expect(await get('@v/list')).toHaveProperty('body', 'v1.0.0\nv1.5.0\nv1.6.0-rc.1\n');
    expect(ages.asked).toEqual([['v1.0.0', 'v1.2.9', 'v1.5.0', 'v1.6.0-rc.1']]);
  });

  it('is asked of no version that a rule refuses', async () => {
    const { ages, get } = setup({ limits: ENFORCE, deny: `${X}@>=v1.2.9` });
    await get('@v/list');
    expect(ages.asked).toEqual([['v1.0.0']]);
  });
});

describe('retractions', () => {
  it('of the highest version of all are left out of list and @latest, also where it is denied', async () => {
    const module = retracting(['v1.0.0', 'v1.1.0', 'v1.2.0'], 'v1.2.0', 'v1.1.0');
    const { asked, get } = setup({ module, deny: `${X}@v1.2.0` });
    expect(await get('@v/list')).toHaveProperty('body', 'v1.0.0\n');
    expect(await get('@latest')).toHaveProperty('body', infoJSON(X, 'v1.0.0'));
    expect(asked).toContain('v1.2.0.mod');
  });

  it('may be of the version itself', async () => {
    const module = retracting(['v1.0.0', 'v1.1.0'], 'v1.1.0', '[v1.0.1, v1.1.0]');
    const { get } = setup({ module, deny: `${X}@v9.0.0` });
    expect(await get('@v/list')).toHaveProperty('body', 'v1.0.0\n');
    expect(await get('@latest')).toHaveProperty('body', infoJSON(X, 'v1.0.0'));
  });

  it('of a pre-release do not count beside a release, as for the go command', async () => {
    const module = retracting(['v1.0.0', 'v1.1.0', 'v1.2.0-rc.1'], 'v1.2.0-rc.1', 'v1.0.0');
    const { get } = setup({ module, deny: `${X}@v9.0.0` });
    expect(await get('@v/list')).toHaveProperty('body', 'v1.0.0\nv1.1.0\nv1.2.0-rc.1\n');
  });

  it('do not count for explicit versions, or where nothing is filtered', async () => {
    const module = retracting(['v1.0.0', 'v1.1.0'], 'v1.1.0', 'v1.0.0');
    const filtered = setup({ module, deny: `${X}@v9.0.0` });
    expect(await filtered.get('@v/v1.0.0.zip')).toHaveProperty('kind', 'found');
    expect(await setup({ module }).get('@v/list')).toHaveProperty('body', 'v1.0.0\nv1.1.0\n');
  });

  it.each([true, false])(
    'are not heeded without the go.mod, which is logged: %j',
    async (mayFetch) => {
      const module = retracting(['v1.0.0', 'v1.1.0'], 'v1.1.0', 'v1.0.0');
      const down = ['v1.1.0.mod'];
      const { context, get } = setup({ module, deny: `${X}@v9.0.0`, down, mayFetch });
      expect(await get('@v/list')).toHaveProperty('body', 'v1.0.0\nv1.1.0\n');
      const line = 'policy: no go.mod of example.com/x@v1.1.0: its retractions are not heeded';
      expect(context.troubles).toEqual(mayFetch ? [line] : []);
    },
  );

  it('of a go.mod beyond 256 KiB are not heeded', async () => {
    const long = `v1.0.0 // ${'x'.repeat(256 * 1024)}`;
    const module = retracting(['v1.0.0', 'v1.1.0'], 'v1.1.0', long);
    const { get } = setup({ module, deny: `${X}@v9.0.0` });
    expect(await get('@v/list')).toHaveProperty('body', 'v1.0.0\nv1.1.0\n');
  });
});

it('what is filtered without fetching is kept by no cache, as a header may have chosen it', async () => {
  const { get } = setup({ deny: `${X}@v1.5.0`, mayFetch: false });
  expect((await get('@v/list')).outcome).toMatchObject({ kind: 'found', cache: 'failure' });
  expect((await get('@latest')).outcome).toMatchObject({ kind: 'found', cache: 'failure' });
});
