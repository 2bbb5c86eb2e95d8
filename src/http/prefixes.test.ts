import { describe, expect, it } from 'vitest';
import { fakeModferry } from '../../test/fakes/modferry.ts';
import { hello, logOf } from '../../test/fakes/sumdb/log-client.ts';
import { as } from '../../test/fakes/tokens.ts';
import { parsePrefixes } from './prefixes.ts';

const DAY_MS = 86_400_000;
const HELLO = '/example.com/hello';

describe('the prefixes of a path', () => {
  it.each<[string, string, boolean, number | undefined]>([
    ['/a.example/@v/list', '/a.example/@v/list', false, undefined],
    ['/cached-only/a.example/@v/list', '/a.example/@v/list', true, undefined],
    ['/cooldown/7d/a.example/@v/list', '/a.example/@v/list', false, 7 * DAY_MS],
    ['/cooldown/36h/a.example/@v/list', '/a.example/@v/list', false, 1.5 * DAY_MS],
    ['/cooldown/20s/a.example/@v/list', '/a.example/@v/list', false, 20_000],
    ['/cooldown/90m/a.example/@v/list', '/a.example/@v/list', false, 5_400_000],
    ['/cooldown/7d/cached-only/a.example/@latest', '/a.example/@latest', true, 7 * DAY_MS],
    ['/cooldown/7d/sumdb/sum.example/latest', '/sumdb/sum.example/latest', false, 7 * DAY_MS],
    ['/cooldown.example/@v/list', '/cooldown.example/@v/list', false, undefined],
    ['/cooldown/7d', '/', false, 7 * DAY_MS],
  ])('of %s are taken off', (pathname, path, isCachedOnly, cooldownMs) => {
    expect(parsePrefixes(pathname)).toEqual({
      ok: true,
      value: { path, isCachedOnly, cooldownMs },
    });
  });

  it.each(['0', '0d', '7x', '7', '3650d', '', '-7d', '7D', '1.5d', '%37d', 'd', '7d '])(
    'with the age %j are refused, and the text says what to write',
    (age) => {
      const parsed = parsePrefixes(`/cooldown/${age}${HELLO}/@v/list`);
      expect(parsed).toEqual({
        ok: false,
        reason: `Cannot use the age ${JSON.stringify(age)} of /cooldown/<age>/: write a time from "1s" to "1825d", such as "36h" or "7d"`,
      });
    },
  );
});

describe('a request below /cooldown/', () => {
  const log = logOf(300);
  const modferryOf = (variables: Readonly<Record<string, string>> = {}) =>
    fakeModferry({
      variables: { ORIGINS: 'https://a.example', ...variables },
      replies: {
        'https://a.example': () => new Response(`module ${hello}\n`),
        'https://sum.example': ({ url }) => {
          const body = log.answer(new URL(url).pathname);
          return new Response(typeof body === 'string' ? body : Buffer.from(body ?? []));
        },
      },
    });

  it.each(['', '/cached-only'])(
    'with a malformed age is a 400 of plain text, before%j, and asks no origin',
    async (rest) => {
      const modferry = modferryOf();
      for (const path of [`${HELLO}/@v/list`, '/sumdb/sum.golang.org/supported']) {
        const { headers, status, text } = await modferry.get(`/cooldown/7x${rest}${path}`);
        expect([status, headers.get('Content-Type'), headers.get('Cache-Control')]).toEqual([
          400,
          'text/plain; charset=utf-8',
          'no-store',
        ]);
        expect(text).toMatch(/^Cannot use the age "7x" of .*: write a time from "1s" to "1825d"/);
      }
      expect(modferry.fetch.calls).toEqual([]);
    },
  );

  it('with a malformed age that is long is a short 400', async () => {
    const { text } = await modferryOf().get(`/cooldown/${'x'.repeat(5_000)}${HELLO}/@v/list`);
    expect(text.length).toBeLessThan(300);
  });

  it('is answered as without it, but for the age', async () => {
    const modferry = modferryOf({ VERIFY: 'off' });
    const { status, text } = await modferry.get(`/cooldown/7d${HELLO}/@v/v1.0.0.mod`);
    expect([status, text]).toEqual([200, `module ${hello}\n`]);
    const stored = await modferry.get(`/cooldown/7d/cached-only${HELLO}/@v/v1.0.0.mod`);
    expect([stored.status, modferry.fetch.calls.length]).toEqual([200, 1]);
  });

  it('reaches the checksum databases', async () => {
    const modferry = modferryOf({ SUMDBS: `${log.verifierKey} https://sum.example` });
    for (const prefix of ['/cooldown/7d', '/cooldown/7d/cached-only']) {
      const base = `${prefix}/sumdb/${log.name}`;
      expect((await modferry.get(`${base}/supported`)).status).toBe(200);
      expect((await modferry.get(`${base}/lookup/${hello}@v1.0.0`)).text).toMatch(/^150\n/);
    }
  });

  it('needs the token that it needs without it', async () => {
    const modferry = modferryOf({ ACCESS: 'private', PRIVATE: 'corp.example', VERIFY: 'off' });
    const statusOf = async (path: string, scope?: 'read' | 'private') => {
      const headers = scope ? as(scope) : {};
      return (await modferry.get(`http://127.0.0.1${path}`, headers)).status;
    };
    const paths = [
      `/cooldown/7d${HELLO}/@v/v1.0.0.mod`,
      '/cooldown/7x/x',
      '/cooldown/7d/sumdb/x/y',
    ];
    for (const path of paths) expect(await statusOf(path)).toBe(401);
    expect(await statusOf(paths[0] ?? '', 'read')).toBe(200);
    expect(await statusOf('/cooldown/7d/corp.example/x/@v/list', 'read')).toBe(403);
    expect(await statusOf('/cooldown/7d/cached-only/corp.example/x/@v/list', 'read')).toBe(403);
  });
});
