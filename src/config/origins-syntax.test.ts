import { describe, expect, it } from 'vitest';
import { matches } from '../module/patterns.ts';
import { parseAddress, parseOrigins, redact, secretNames } from './origins-syntax.ts';

const limits = { headers: 10_000, stall: 20_000 };

function parse(text: string, secrets: Readonly<Record<string, string>> = {}) {
  const problems: string[] = [];
  const origins = parseOrigins(text, { limits, secret: (name) => secrets[name], problems });
  return { origins, problems };
}

describe('the list', () => {
  it.each([
    ['https://a', ['https://a any']],
    ['https://a|https://b,https://c', ['https://a any', 'https://b missing', 'https://c any']],
    [' https://a |\n https://b ', ['https://a any', 'https://b any']],
    ['|https://a,,https://b,', ['https://a missing', 'https://b missing']],
    ['proxy.example', ['https://proxy.example any']],
    ['proxy.example:8443/go/', ['https://proxy.example:8443/go any']],
    ['localhost:3000', ['https://localhost:3000 any']],
    ['HTTP://A.example//', ['http://a.example any']],
    ['http://[::1]:80/x', ['http://[::1]/x any']],
  ])('%j is %j', (text, expected) => {
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
    [',|', /Cannot use ORIGINS ",\|": it names no origin/],
  ])('%j is refused', (text, problem) => {
    const { problems } = parse(text);
    expect(problems).toEqual([expect.stringMatching(problem)]);
  });

  it('reports every bad entry, and that nothing is left also beside problems of others', () => {
    expect(parse('direct|https://a|off').problems.length).toBe(2);
    const problems = ['another one'];
    parseOrigins(',', { limits, secret: () => undefined, problems });
    expect(problems.length).toBe(2);
  });

  it('two origins on one host are told apart, and no path is part of a name: it may hold a token', () => {
    const { origins } = parse('https://a/t/SECRET|https://a/|http://a:81');
    expect(origins.map(({ name }) => name)).toEqual(['a', 'a#2', 'a:81']);
  });

  it('credentials go into the Authorization, and nowhere else', () => {
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
    expect(parseAddress('https://:token@a')).toMatchObject({
      authorization: `Basic ${btoa(':token')}`,
    });
    expect(parseAddress('https://ü@a')).toMatchObject({ authorization: 'Basic w7w6' });
  });
});

describe('a password', () => {
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
  ])('is not shown: %s', (text) => {
    const { problems } = parse(text);
    expect(problems.length).toBe(1);
    expect(problems.join()).not.toContain('hunter2');
  });

  it('is cut out of an address that is shown', () => {
    expect(redact('https://user:secret@a.example/x')).toBe('https://…@a.example/x');
    expect(redact('https://a.example/x')).toBe('https://a.example/x');
  });
});

describe('the table', () => {
  it('has every field', () => {
    const row = {
      name: 'corp',
      url: 'http://goproxy.corp.example:8080/go/',
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
        limits: { headers: 3000, stall: 500 },
      },
    ]);
    const patterns = origins[0]?.modules ?? [];
    expect(
      ['git.corp.example/x', 'github.com/acme/y', 'github.com/x'].map((path) =>
        matches(patterns, path),
      ),
    ).toEqual([true, true, false]);
  });

  it('names a module version to probe with', () => {
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
  ])('does not take %j to probe with', (probe, problem) => {
    const { origins, problems } = parse(
      JSON.stringify([{ url: 'a.example', modules: '*.corp.example', probe }]),
    );
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
  ])('a secret %j is sent as %j', (secret, authorization) => {
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
    ['[{"url":"a.example","modules":"[x"}]', 'entry 1: modules: Cannot parse pattern "[x"'],
    ['[{"url":"ftp://a.example"}]', 'entry 1: url "ftp://a.example" has no http or https scheme'],
    ['[]', 'Cannot use ORIGINS "[]": it names no origin'],
    ['[{"url":"a.example","auth":"user:hunter2"}]', '0.auth: is no name of a secret'],
  ])('%s is refused', (text, problem) => {
    expect(parse(text).problems).toEqual([expect.stringContaining(problem)]);
  });

  it('tells which secrets it names', () => {
    expect(secretNames('[{"url":"a","auth":"A"},{"url":"b"},{"url":"c","auth":"C"}]')).toEqual([
      'A',
      'C',
    ]);
    expect(['https://a', '[', '[1]', ''].map(secretNames)).toEqual([[], [], [], []]);
  });
});
