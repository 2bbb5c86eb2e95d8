import { describe, expect, it } from 'vitest';
import { matches } from '../module/patterns.ts';
import { parseOrigins, secretNames } from './origins-syntax.ts';

const limits = { headersMs: 10_000, stallMs: 20_000 };

function parse(text: string, secrets: Readonly<Record<string, string>> = {}) {
  const parsed = parseOrigins(text, { limits, secrets });
  return parsed.ok
    ? { origins: parsed.value, problems: [] }
    : { origins: [], problems: parsed.reason };
}

describe('a list of origins', () => {
  it.each([
    ['https://a', ['https://a any']],
    ['https://a|https://b,https://c', ['https://a any', 'https://b missing', 'https://c any']],
    [' https://a |\n https://b ', ['https://a any', 'https://b any']],
    ['|https://a,,https://b,', ['https://a missing', 'https://b missing']],
    ['proxy.example', ['https://proxy.example any']],
    ['proxy.example:8443/go/', ['https://proxy.example:8443/go any']],
    ['localhost:3000', ['https://localhost:3000 any']],
    ['HTTPS://A.example//', ['https://a.example any']],
    ['http://127.1.2.3:81', ['http://127.1.2.3:81 any']],
    ['http://localhost:81', ['http://localhost:81 any']],
    ['http://[::1]:80/x', ['http://[::1]/x any']],
    ['https://192.0.2.1', ['https://192.0.2.1 any']],
  ])('%j names %j', (text, expected) => {
    const { origins, problems } = parse(text);
    expect(problems).toEqual([]);
    expect(origins.map(({ url, fallback }) => `${url} ${fallback}`)).toEqual(expected);
  });

  it.each([
    ['direct', /entry 1 "direct" is not an origin.*name proxies only/],
    ['https://a|off', /entry 2 "off" is not an origin/],
    ['file:///srv/cache', /entry 1 "file:\/\/\/srv\/cache" has no http or https scheme/],
    ['htp://x', /entry 1 "htp:\/\/x" has no http or https scheme/],
    ['https://a?x=1', /has a query or a fragment/],
    ['https://a/#x', /has a query or a fragment/],
    ['https://', /entry 1 "https:\/\/" is no address/],
    ['name', /"name" is no address/],
    ['https://u%zz:p@a', /has a "%" in its credentials/],
    [
      'http://user:hunter2@a.example',
      /entry 1 "http:\/\/…@a\.example" is plain http.*: write https, or a table with "insecure": true for this origin$/,
    ],
    ['http://192.0.2.1', /entry 1 "http:\/\/192\.0\.2\.1" is plain http/],
    ['http://localhost.example', /is plain http/],
    ['http://127.0.0.1.example', /is plain http/],
    [',|', /Cannot use ORIGINS ",\|": it names no origin/],
  ])('%j is refused', (text, problem) => {
    const { problems } = parse(text);
    expect(problems).toEqual([expect.stringMatching(problem)]);
  });

  it('reports every bad entry', () => {
    expect(parse('direct|https://a|off').problems.length).toBe(2);
  });

  it('tells two origins on one host apart by a number, as a path may hold a token', () => {
    const { origins } = parse('https://a/t/SECRET|https://a/|https://a:81');
    expect(origins.map(({ name }) => name)).toEqual(['a', 'a#2', 'a:81']);
  });

  it('puts credentials into the Authorization header, and nowhere else', () => {
    const { origins } = parse('https://user:p%40ss@a.example/go');
    expect(origins).toEqual([
      {
        name: 'a.example',
        url: 'https://a.example/go',
        authorization: `Basic ${btoa('user:p@ss')}`,
        fallback: 'any',
        regions: [],
        limits,
      },
    ]);
  });
});

describe('a password in ORIGINS', () => {
  it.each([
    'https://user:hunter2@a.example?x',
    'user:hunter2@a.example?x',
    'htp://user:hunter2@a.example',
    'https://user:p/hunter2@a.example?x',
    'https://user:p@hunter2@a.example?x',
    'https://user:hunter2%zz@a.example',
    '[{"url":"https://user:hunter2@a.example"}',
    '[{"url":"https://user:hunter2@a.example" x}]',
    '["https://user:hunter2@a.example"]',
    '[{"url":"https://user:hunter2@a.example?x"}]',
    '[{"url":"https://a","timeouts":"hunter2"}]',
    '[{"name":"hunter2@","url":"https://a"}]',
  ])('is not shown in the problem of %s', (text) => {
    const { problems } = parse(text);
    expect(problems.length).toBe(1);
    expect(problems.join()).not.toContain('hunter2');
  });
});

describe('a table of origins', () => {
  it('takes every field', () => {
    const row = {
      name: 'corp',
      url: 'http://goproxy.corp.example:8080/go/',
      insecure: true,
      modules: ['*.corp.example', 'github.com/acme'],
      regions: ['FRA', 'DE', 'EU'],
      auth: 'CORP',
      timeouts: { headers: '3s', stall: '500ms' },
    };
    const { origins, problems } = parse(JSON.stringify([row]), { CORP: 'me:secret' });
    expect(problems).toEqual([]);
    expect(origins).toMatchObject([
      {
        name: 'corp',
        url: 'http://goproxy.corp.example:8080/go',
        fallback: 'any',
        regions: ['FRA', 'DE', 'EU'],
        authorization: `Basic ${btoa('me:secret')}`,
        limits: { headersMs: 3000, stallMs: 500 },
      },
    ]);
    const patterns = origins[0]?.modules ?? [];
    expect(
      ['git.corp.example/x', 'github.com/acme/y', 'github.com/x'].map((path) =>
        matches(patterns, path),
      ),
    ).toEqual([true, true, false]);
  });

  it('takes a module version to probe with', () => {
    const row = {
      url: 'a.example',
      modules: '*.corp.example',
      probe: 'git.corp.example/Tool/v2@v2.1.0-rc.1',
    };
    const { origins, problems } = parse(JSON.stringify([row]));
    expect(problems).toEqual([]);
    expect(origins[0]?.probe).toEqual({
      module: 'git.corp.example/Tool/v2',
      version: 'v2.1.0-rc.1',
    });
  });

  it.each([
    [
      'git.corp.example/tool',
      /entry 1: probe "git.corp.example\/tool" is not a module and a full version/,
    ],
    ['git.corp.example/tool@', /is not a module and a full version/],
    ['@v1.0.0', /is not a module and a full version/],
    ['git.corp.example/tool@latest', /is not a module and a full version of it, such as/],
    ['git.corp.example/tool@v1', /is not a module and a full version/],
    ['git.corp.example/tool@v2.0.0', /is not a module and a full version/],
    ['git.corp.example/../tool@v1.0.0', /is not a module and a full version/],
    ['git.corp.example/tool?x=y@v1.0.0', /is not a module and a full version/],
    [
      'github.com/acme/tool@v1.0.0',
      /entry 1: probe "github.com\/acme\/tool" is none of its modules/,
    ],
  ])('refuses %j to probe with', (probe, problem) => {
    const { origins, problems } = parse(
      JSON.stringify([{ url: 'a.example', modules: '*.corp.example', probe }]),
    );
    expect([origins, problems]).toEqual([[], [expect.stringMatching(problem)]]);
  });

  it.each([
    ['{"url":"a.example","decoded":true}', true],
    ['{"url":"a.example","decoded":false}', false],
    ['{"url":"a.example"}', undefined],
  ])('%s: asked for decoded paths: %s', (row, isDecoded) => {
    expect(parse(`[${row}]`).origins[0]?.isDecoded).toBe(isDecoded);
  });

  it.each(['"yes"', '1', 'null'])('refuses "decoded": %s', (value) => {
    const { origins, problems } = parse(`[{"url":"a.example","decoded":${value}}]`);
    const problem = /^Cannot parse ORIGINS: 0\.decoded: Invalid type: Expected boolean/;
    expect([origins, problems]).toEqual([[], [expect.stringMatching(problem)]]);
  });

  it('needs an address alone', () => {
    expect(parse(' [{"url":"a.example"}] ').origins).toEqual([
      { name: 'a.example', url: 'https://a.example', fallback: 'any', regions: [], limits },
    ]);
  });

  it.each([
    ['me:secret', `Basic ${btoa('me:secret')}`],
    ['abc123', 'Bearer abc123'],
    ['Token abc123', 'Token abc123'],
  ])('sends the secret %j as %j', (secret, authorization) => {
    expect(parse('[{"url":"a.example","auth":"S"}]', { S: secret }).origins[0]?.authorization).toBe(
      authorization,
    );
  });

  it.each([
    ['[{"url":"a.example"}', 'Cannot parse ORIGINS as JSON'],
    ['[1]', 'ORIGINS: 0: Invalid type: Expected Object'],
    ['[{}]', 'ORIGINS: 0.url: Invalid key: Expected "url"'],
    ['[{"url":"a.example","module":"x"}]', 'ORIGINS: 0.module: Invalid key: Expected never'],
    [
      '[{"url":"a.example","regions":["eu"]}]',
      '0.regions.0: is no code such as "FRA", "DE" or "EU"',
    ],
    ['[{"url":"a.example","name":"a b"}]', '0.name: is no name of letters, digits and . _ : / -'],
    [
      '[{"url":"a.example","timeouts":{"headers":"10"}}]',
      '0.timeouts.headers: is not a time from "50ms" to "10m", such as "10s"',
    ],
    [
      '[{"url":"a.example","timeouts":{"stall":"0s"}}]',
      '0.timeouts.stall: is not a time from "50ms" to "10m", such as "10s"',
    ],
    [
      '[{"url":"a.example","auth":"NOPE"}]',
      'entry 1: auth names the secret "NOPE", which is not set',
    ],
    ['[{"url":"a.example","modules":""}]', 'entry 1: modules: it names none'],
    ['[{"url":"a.example","modules":[]}]', 'entry 1: modules: it names none'],
    ['[{"url":"a.example","modules":["b.example",""]}]', 'modules: Cannot parse pattern ""'],
    [
      '[{"url":"a.example","modules":"https://x.y"}]',
      'modules: Cannot parse pattern "https://x.y"',
    ],
    ['[{"url":"a.example","modules":"[x"}]', 'entry 1: modules: Cannot parse pattern "[x"'],
    [
      '[{"url":"http://a.example"}]',
      'entry 1: url "http://a.example" is plain http, which anybody on the way can read and change: write https, or "insecure": true',
    ],
    ['[{"url":"http://a.example","insecure":false}]', 'is plain http'],
    ['[{"url":"a.example","insecure":"yes"}]', '0.insecure: '],
    ['[{"url":"ftp://a.example"}]', 'entry 1: url "ftp://a.example" has no http or https scheme'],
    ['[]', 'Cannot use ORIGINS "[]": it names no origin'],
    ['[{"url":"a.example","auth":"user:hunter2"}]', '0.auth: is no name of a secret'],
  ])('%s is refused', (text, problem) => {
    expect(parse(text).problems).toEqual([expect.stringContaining(problem)]);
  });

  it('lists the secrets that it names', () => {
    expect(secretNames('[{"url":"a","auth":"A"},{"url":"b"},{"url":"c","auth":"C"}]')).toEqual([
      'A',
      'C',
    ]);
    expect(['https://a', '[', '[1]', ''].map(secretNames)).toEqual([[], [], [], []]);
  });

  it('lists no secret where it is not text or a name is malformed', () => {
    expect([undefined, 7, '[{"url":"a","auth":"__proto__"}]'].map(secretNames)).toEqual([
      [],
      [],
      [],
    ]);
  });

  it('reports the problems of every row', () => {
    const rows = [{ url: 'direct', modules: '[a,[b', auth: 'A' }, { url: 'htp://x' }];
    expect(parse(JSON.stringify(rows)).problems.length).toBe(5);
  });

  it('prefers a secret to the credentials of its address', () => {
    const row = { url: 'https://user:password@a.example', auth: 'S' };
    const { origins } = parse(JSON.stringify([row]), { S: 'abc' });
    expect(origins).toMatchObject([{ url: 'https://a.example', authorization: 'Bearer abc' }]);
  });
});

describe('whose refusals are final', () => {
  it.each([
    ['https://proxy.golang.org', ['final']],
    ['https://proxy.golang.org/cached-only|https://a', ['final', undefined]],
    ['https://golang.org|https://proxy.golang.org.example', [undefined, undefined]],
    ['[{"url": "https://proxy.golang.org"}, {"url": "https://a"}]', ['final', undefined]],
    ['[{"url": "https://proxy.golang.org", "refusal": "ordinary"}]', [undefined]],
    ['[{"url": "https://a", "refusal": "final", "modules": "corp.example"}]', ['final']],
  ])('%s: %j', (text, expected) => {
    const { origins, problems } = parse(text);
    expect(problems).toEqual([]);
    expect(origins.map(({ refusal }) => refusal)).toEqual(expected);
  });

  it.each(['"Final"', 'true', '""'])('%s is refused', (refusal) => {
    const { problems } = parse(`[{"url": "https://a", "refusal": ${refusal}}]`);
    expect(problems).toEqual([
      expect.stringMatching(
        /^Cannot parse ORIGINS: 0\.refusal: .* is neither "final" nor "ordinary"$/,
      ),
    ]);
  });
});
