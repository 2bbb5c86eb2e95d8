import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeFetch, originOf } from '../../test/fakes/effects/fetch.ts';
import { modulePath, text } from '../../test/fakes/effects/values.ts';
import { afterRetry, fakeContext } from '../../test/fakes/mirror/context.ts';
import { bytesOf } from '../bytes/streams.ts';
import { parsePatterns } from '../module/patterns.ts';
import type { ModuleRequest } from './request.ts';
import { latestOfList } from './latest-of-list.ts';
import { moduleResolver } from './resolve.ts';
import { verificationOf } from './verification.ts';

const PATH = 'corp.example/x';
const module = modulePath(PATH);
const parsed = parsePatterns('corp.example');
const modules = parsed.ok ? parsed.value : [];
const no = () => new Response('not found', { status: 404 });
const info = (version: string) => () =>
  Response.json({ Version: version, Time: '2026-03-01T10:00:00.123+01:00' });

interface Registry {
  /** The body of the list, or its status. */
  readonly list: string | number;
  readonly latest?: string;
  /** The version lines of `.mod`. */
  readonly mods?: Readonly<Record<string, string>>;
  readonly infos?: readonly string[];
  readonly isPrivate?: boolean;
}

/** A registry, asked for one request at once. */
function registry({ list, latest, mods = {}, infos, isPrivate = true }: Registry) {
  const base = `https://a/${PATH}`;
  const clock = fakeClock();
  const fetch = fakeFetch({
    [`${base}/@v/list`]: () =>
      typeof list === 'number' ? new Response('', { status: list }) : new Response(list),
    [`${base}/@latest`]: latest === undefined ? no : info(latest),
    ...Object.fromEntries(
      Object.entries(mods).map(([of, body]) => [`${base}/@v/${of}.mod`, () => new Response(body)]),
    ),
    [`${base}/@v/`]: ({ url }) => {
      const version = decodeURIComponent(/@v\/(.*)\.info$/.exec(url)?.[1] ?? '');
      return version && (infos?.includes(version) ?? true) ? info(version)() : no();
    },
  });
  const context = fakeContext({ clock, fetch });
  const privateModules = isPrivate ? modules : [];
  const plain = moduleResolver({
    origins: [originOf('a', { modules, ...(isPrivate ? {} : { isPublic: true }) })],
    privateModules,
    verificationOf: () => verificationOf('off', undefined),
  });
  const resolve = latestOfList(plain, privateModules);
  const ask = async (request: ModuleRequest) => {
    const outcome = await afterRetry(clock, resolve(request, context));
    await context.idle();
    const body = outcome.kind === 'found' ? text(await bytesOf(outcome.file.body)) : '';
    return { outcome, body };
  };
  return {
    paths: () => fetch.calls.map(({ url }) => url.slice(base.length)),
    ask,
    latest: async () => {
      const { body, outcome } = await ask({ kind: 'latest', module });
      return body === '' ? outcome.kind : (JSON.parse(body) as { Version: string }).Version;
    },
    list: async () => (await ask({ kind: 'list', module })).body,
  };
}

describe('@latest of a private module', () => {
  it.each<[string, Registry, string]>([
    ['the highest of a list in any order', { list: 'v1.2.0\nv1.10.0\nv1.9.0' }, 'v1.10.0'],
    ['not what was uploaded last', { list: 'v1.10.0\nv1.9.0\n', latest: 'v1.9.0' }, 'v1.10.0'],
    ['a release before a later pre-release', { list: 'v1.0.0\nv2.0.0-rc.1\nv1.1.0-a' }, 'v1.0.0'],
    [
      'the origin’s, where the list is empty',
      { list: '', latest: 'v0.0.0-20240101000000-abcdefabcdef' },
      'v0.0.0-20240101000000-abcdefabcdef',
    ],
    ['the origin’s, where there is no list', { list: 404, latest: 'v1.0.0' }, 'v1.0.0'],
    ['missing, where both are', { list: 404 }, 'missing'],
    ['missing, where the list is empty', { list: '' }, 'missing'],
    ['unavailable, where the list is', { list: 500, latest: 'v1.0.0' }, 'unavailable'],
    ['refused, where the list is', { list: 403, latest: 'v1.0.0' }, 'refused'],
    [
      'the origin’s, where the highest has no .info',
      { list: 'v1.0.0', infos: [], latest: 'v0.9.0' },
      'v0.9.0',
    ],
    [
      'not incompatible, where the highest other one has a go.mod',
      { list: 'v1.0.0\nv2.0.0+incompatible', mods: { 'v1.0.0': `module ${PATH}\n\ngo 1.20\n` } },
      'v1.0.0',
    ],
    [
      'incompatible, where that go.mod was made up',
      { list: 'v1.0.0\nv2.0.0+incompatible', mods: { 'v1.0.0': `module ${PATH}\n` } },
      'v2.0.0+incompatible',
    ],
  ])('is %s', async (_, registered, expected) => {
    expect(await registry(registered).latest()).toBe(expected);
  });

  it('costs one request more, and none where both are stored', async () => {
    const at = registry({ list: 'v1.0.0\n' });
    await at.latest();
    await at.latest();
    expect(at.paths()).toEqual(['/@v/list', '/@v/v1.0.0.info']);
  });

  it('may be kept no longer than its list', async () => {
    const { outcome } = await registry({ list: 'v1.0.0' }).ask({ kind: 'latest', module });
    expect(outcome).toMatchObject({ kind: 'found', cache: 'mutable' });
  });

  it('has its time as the origin wrote it, in local time', async () => {
    const { body } = await registry({ list: 'v1.0.0' }).ask({ kind: 'latest', module });
    expect(body).toBe('{"Version":"v1.0.0","Time":"2026-03-01T10:00:00.123+01:00"}');
  });
});

it('@latest of a public module is what its origin says', async () => {
  const at = registry({ list: 'v1.10.0\nv1.9.0\n', latest: 'v1.9.0', isPrivate: false });
  expect([await at.latest(), at.paths()]).toEqual(['v1.9.0', ['/@latest']]);
});

describe('the list of a private module', () => {
  it.each([
    ['v1.10.0\nv1.9.0\nv1.9.0', 'v1.9.0\nv1.10.0\n'],
    ['v1.0.0\nlatest\n<b>\nv1.1.0\u0007\nv1\u001b[31m.2.0\n', 'v1.0.0\n'],
    ['v1.0.0\nv1.1.0 v9.9.9\rv1.2.0\n', 'v1.0.0\nv1.1.0\n'],
    ['v0.0.0-20240101000000-abcdefabcdef\nv0.1.0\n', 'v0.1.0\n'],
    ['', ''],
  ])('of %j is %j', async (list, expected) => {
    expect(await registry({ list }).list()).toBe(expected);
  });

  it.each(['v1.0.0\nv1.', 'v1.0.0\nv', '<html>'])('fails with %j', async (list) => {
    const { outcome } = await registry({ list }).ask({ kind: 'list', module });
    expect(outcome.kind).toBe('unavailable');
  });

  it('of a public module is passed on as it came', async () => {
    const list = 'v1.10.0\nv1.9.0';
    expect(await registry({ list, isPrivate: false }).list()).toBe(list);
  });
});
