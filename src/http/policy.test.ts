import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { type FakeModferry, fakeModferry } from '../../test/fakes/modferry.ts';
import { afterRetry } from '../../test/fakes/mirror/context.ts';
import { HELLO_MASTER, fixtureModules } from '../../test/fakes/origin/modules.ts';
import { answersOf } from '../../test/fakes/origin/origin.ts';
import { as } from '../../test/fakes/tokens.ts';
import { networkOf } from '../../test/platform/upstream.ts';
import type { Variables } from '../config/variables.ts';

const HELLO = '/example.com/hello';

const network = networkOf({ 'https://a.example': answersOf(fixtureModules()) });

/** modferry in front of one origin with the fixture modules. */
function setup(variables: Variables, tiers?: FakeModferry['tiers']) {
  return fakeModferry({
    ...(tiers && { beside: { clock: fakeClock(), tiers } }),
    variables: { ORIGINS: 'https://a.example', VERIFY: 'off', ...variables },
    replies: { 'https://a.example': ({ signal, url }) => network(url, { signal }) },
  });
}

const METHODS: readonly (readonly [name: string, init: RequestInit])[] = [
  ['GET', {}],
  ['HEAD', { method: 'HEAD' }],
  ['GET of a range', { headers: { Range: 'bytes=0-9' } }],
  ['HEAD of a range', { method: 'HEAD', headers: { Range: 'bytes=0-9' } }],
  ['GET without fetching', { headers: { 'Disable-Module-Fetch': 'true' } }],
  ['GET of any other etag', { headers: { 'If-None-Match': '*' } }],
  ['GET of an admin', { headers: as('admin') }],
];

/** What is asked before the rules are there: then every tier has it. */
const FILES = [
  '/@v/list',
  '/@latest',
  '/@v/master.info',
  '/@v/v1.0.0.info',
  '/@v/v1.0.0.mod',
  '/@v/v1.0.0.zip',
  '/@v/v1.1.0.info',
  '/@v/v1.1.0.mod',
  '/@v/v1.1.0.zip',
  `/@v/${HELLO_MASTER}.mod`,
];

type Rules = Readonly<Record<string, string>>;

const DENIED: readonly (readonly [rules: Rules, file: string, text: string])[] = [
  ...['info', 'mod', 'zip'].flatMap(
    (kind) =>
      [
        [{ DENY: 'example.com/*@v1.0.0' }, `/@v/v1.0.0.${kind}`, 'DENY has "example.com/*@v1.0.0"'],
        [{ DENY: '*@<v1.1.0' }, `/@v/v1.0.0.${kind}`, 'DENY has "*@<v1.1.0"'],
        [{ ALLOW: '*@>=v1.1.0' }, `/@v/v1.0.0.${kind}`, 'ALLOW has "*@>=v1.1.0"'],
        [{ ALLOW: '*@v1.1.0', DENY: '*@v1.1.0' }, `/@v/v1.1.0.${kind}`, 'DENY has "*@v1.1.0"'],
      ] as const,
  ),
  [{ DENY: '*@>v1.1.0' }, `/@v/${HELLO_MASTER}.mod`, 'DENY has "*@>v1.1.0"'],
  ...FILES.flatMap((file) => [
    [{ DENY: 'example.com/hello' }, file, 'DENY has "example.com/hello"'] as const,
    [{ ALLOW: 'example.com/dep' }, file, 'no entry of ALLOW covers it'] as const,
  ]),
];

/** A store that has every file, from before there were rules. */
async function warmTiers(): Promise<FakeModferry['tiers']> {
  const modferry = setup({});
  for (const file of FILES) await modferry.get(`${HELLO}${file}`);
  return modferry.tiers;
}

async function statusOf(modferry: FakeModferry, path: string, init: RequestInit): Promise<number> {
  const response = await modferry.request(path, init);
  await response.arrayBuffer();
  await modferry.idle();
  return response.status;
}

/** Read by tests that write nothing. */
const warm = await warmTiers();

describe.each(METHODS)('by %s', (_, init) => {
  it.each(DENIED)(
    '%j refuses %s, stored or not, and nothing is asked',
    async (rules, file, text) => {
      for (const modferry of [setup(rules), setup(rules, warm)]) {
        for (const path of [`${HELLO}${file}`, `/cached-only${HELLO}${file}`]) {
          const response = await modferry.request(path, init);
          expect([path, response.status]).toEqual([path, 403]);
          expect(response.headers.get('Cache-Control')).toBe('no-store');
          expect(modferry.lastRequest()?.text).toContain(text);
        }
        expect(modferry.fetch.calls).toEqual([]);
      }
    },
  );

  it('a branch that resolves to a denied version is refused, stored or not', async () => {
    const rules = { DENY: '*@>v1.1.0' };
    const paths = [`${HELLO}/@v/master.info`, `/cached-only${HELLO}/@v/master.info`];
    for (const path of paths) expect(await statusOf(setup(rules, warm), path, init)).toBe(403);
    const mayFetch = !new Headers(init.headers).has('Disable-Module-Fetch');
    expect(await statusOf(setup(rules), paths[0] ?? '', init)).toBe(mayFetch ? 403 : 404);
  });

  it('what no rule refuses is served beside it', async () => {
    const modferry = setup({ ALLOW: '*@>=v1.0.0', DENY: '*@v1.0.0,*@>v1.1.0' }, warm);
    const expected = new Headers(init.headers).has('If-None-Match') ? 304 : 200;
    for (const file of ['/@v/v1.1.0.info', '/@v/v1.1.0.mod', '/@v/list', '/@latest'])
      expect([file, await statusOf(modferry, `${HELLO}${file}`, init)]).toEqual([file, expected]);
  });
});

describe('a filtered list', () => {
  const rules = { DENY: 'example.com/hello@v1.1.0' };

  it('is filtered below /cached-only/ and in an outage too, and is stored as it was', async () => {
    const before = await warmTiers();
    const modferry = setup(rules, before);
    for (const path of [`${HELLO}/@v/list`, `/cached-only${HELLO}/@v/list`])
      expect((await modferry.get(path)).text).toBe('v0.1.0\nv1.0.0\nv1.2.0-rc.1\n');
    const down = fakeModferry({
      variables: { VERIFY: 'off', ...rules },
      beside: { clock: fakeClock(), tiers: before },
    });
    await down.clock.advance(61_000);
    const stale = down.get(`${HELLO}/@v/list`);
    expect(await afterRetry(down.clock, stale)).toMatchObject({
      status: 200,
      text: 'v0.1.0\nv1.0.0\nv1.2.0-rc.1\n',
    });
    expect((await setup({}, before).get(`${HELLO}/@v/list`)).text).toContain('v1.1.0');
  });

  it('is short-lived, and has an etag of its own', async () => {
    const filtered = await setup(rules).get(`${HELLO}/@v/list`);
    const whole = await setup({}).get(`${HELLO}/@v/list`);
    for (const name of ['Cache-Control', 'Content-Type', 'Cloudflare-CDN-Cache-Control'])
      expect(filtered.headers.get(name)).toBe(whole.headers.get(name));
    expect(filtered.headers.get('ETag')).not.toBe(whole.headers.get('ETag'));
    const etag = filtered.headers.get('ETag') ?? '';
    const again = await setup(rules).get(`${HELLO}/@v/list`, { 'If-None-Match': etag });
    expect(again.status).toBe(304);
  });
});

describe('the error text of a refusal', () => {
  it('is one line that a go command shows, with the variable and the rule', async () => {
    const { headers, text } = await setup({ DENY: '*@<v1.1.0' }).get(`${HELLO}/@v/v1.0.0.zip`);
    expect(headers.get('Content-Type')).toBe('text/plain; charset=utf-8');
    expect(text).toMatch(
      /^refused: example\.com\/hello@v1\.0\.0: DENY has "\*@<v1\.1\.0" \(request [\w-]+\)\n$/,
    );
  });

  it('is no longer than what it shows, however long the rule is', async () => {
    const DENY = `example.com/hello@${Array.from({ length: 99 }, (_, n) => `<v1.9.${n}`).join('&')}`;
    const { status, text } = await setup({ DENY }).get(`${HELLO}/@v/v1.0.0.zip`);
    expect([status, new TextEncoder().encode(text).length <= 600]).toEqual([403, true]);
  });
});

it('ALLOW holds for private modules too', async () => {
  const modferry = setup({ ALLOW: 'example.com/dep', PRIVATE: 'corp.example' });
  const path = '/corp.example/x/@v/list';
  const response = await modferry.request(path, { headers: as('private') });
  expect([response.status, await response.text()]).toEqual([
    403,
    expect.stringContaining('no entry of ALLOW covers it'),
  ]);
  expect((await modferry.get(path)).status).toBe(401);
});
