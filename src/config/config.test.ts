import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { matches } from '../module/patterns.ts';
import { DEFAULTS, parseConfig, VARIABLE_NAMES } from './config.ts';
import type { Variables } from './variables.ts';

function valid(variables: Variables) {
  const parsed = parseConfig(variables);
  if (!parsed.ok) throw new Error(parsed.reason.join('\n'));
  return parsed.value;
}

function problems(variables: Variables): readonly string[] {
  const parsed = parseConfig(variables);
  return parsed.ok ? [] : parsed.reason;
}

const TOKENS = 'me:admin:0123456789abcdef';
const CORP = '[{"url":"https://a.example","modules":"corp.example"}]';

describe('the configuration without variables', () => {
  it('has every default', () => {
    const { origins, databases, ...rest } = valid({});
    expect(origins.map(({ url, fallback, limits }) => ({ url, fallback, limits }))).toEqual(
      ['https://proxy.golang.org', 'https://goproxy.cn', 'https://goproxy.io'].map((url) => ({
        url,
        fallback: 'any',
        limits: { headersMs: 65_000, stallMs: 20_000 },
      })),
    );
    expect(
      databases.map(({ name, origins }) => ({ name, urls: origins.map(({ url }) => url) })),
    ).toEqual([
      {
        name: 'sum.golang.org',
        urls: [
          'https://sum.golang.org',
          'https://sum.golang.google.cn',
          'https://proxy.golang.org/sumdb/sum.golang.org',
          'https://goproxy.cn/sumdb/sum.golang.org',
          'https://goproxy.io/sumdb/sum.golang.org',
        ],
      },
    ]);
    expect(rest).toEqual({
      stallLimitMs: 20_000,
      verify: 'all',
      isPaidPlan: true,
      cacheHost: undefined,
      totalLimitMs: 75_000,
      staleMaxMs: Infinity,
      externalCalls: 10_000,
      logClientAddress: false,
      privateModules: [],
      access: 'public',
      tokens: [],
      allow: [],
      deny: [],
      minimumAge: { ms: undefined, mode: 'enforce', exempt: [] },
      warnings: [],
    });
  });

  it.each([
    ['all', 10_000],
    ['mod', 50],
    ['off', 50],
  ])('VERIFY=%s needs the plan with %i external calls, or may run on it', (VERIFY, calls) => {
    expect(valid({ VERIFY }).externalCalls).toBe(calls);
  });

  it.each(Object.keys(DEFAULTS))(
    'an empty %s means its default, and so does one of blanks',
    (name) => {
      expect(parseConfig({ [name]: '' })).toEqual(parseConfig({}));
      expect(parseConfig({ [name]: ' \n' })).toEqual(parseConfig({}));
    },
  );

  it('bindings of other names are not read', () => {
    expect(parseConfig({ FILES: {}, META: 7 })).toEqual(parseConfig({}));
  });

  it.each([
    ['PRIVATE', ['*.corp.example']],
    ['ACCESS', ['private']],
    ['DENY', ['x']],
    ['TOKENS', {}],
    ['LOG_CLIENT_ADDRESS', true],
  ])('%s that is not text is refused, as it would protect nothing', (name, value) => {
    expect(problems({ [name]: value })).toContain(
      `Cannot use ${name}: it is not text, write it in quotes`,
    );
  });

  it('an origin with credentials leads to a warning, as its modules become public', () => {
    const [warning] = valid({ ORIGINS: 'https://user:hunter2@a.example' }).warnings;
    expect(warning).toMatch(/^a\.example asks modferry for credentials/);
    expect(warning).not.toContain('hunter2');
    const variables = { ORIGINS: 'https://user:hunter2@a.example', ACCESS: 'private', TOKENS };
    expect(valid(variables).warnings).toEqual([]);
  });
});

describe('a variable', () => {
  it('decides its setting', () => {
    const config = valid({
      ORIGINS: ' https://a.example ',
      SUMDBS: 'off',
      VERIFY: 'off',
      PRIVATE: '*.corp.example',
      ALLOW: 'github.com/*',
      DENY: 'github.com/acme/*@<v1.2.3, example.com',
      TOKENS,
      TIMEOUT_HEADERS: '1s',
      TIMEOUT_STALL: '2s',
      TIMEOUT_TOTAL: '3m',
      LOG_CLIENT_ADDRESS: 'on',
    });
    expect(config).toMatchObject({
      verify: 'off',
      totalLimitMs: 180_000,
      logClientAddress: true,
      databases: [],
      allow: [{ text: 'github.com/*' }],
      deny: [{ text: 'github.com/acme/*@<v1.2.3' }, { text: 'example.com' }],
      warnings: [],
    });
    expect(config.origins).toMatchObject([
      { name: 'a.example', limits: { headersMs: 1000, stallMs: 2000 } },
    ]);
    expect(matches(config.privateModules, 'git.corp.example/x')).toBe(true);
  });

  it('may name a secret, which is another variable', () => {
    const ORIGINS = '[{"url":"a.example","auth":"TOKEN_A"}]';
    expect(valid({ ORIGINS, TOKEN_A: 'abc' }).origins[0]?.authorization).toBe('Bearer abc');
    expect(problems({ ORIGINS })).toEqual([
      'Cannot parse ORIGINS: entry 1: auth names the secret "TOKEN_A", which is not set',
    ]);
  });

  it('may not name its own host as an origin or as an address of a database', () => {
    const CACHE_HOST = 'go.example.com';
    expect(problems({ CACHE_HOST, ORIGINS: 'https://go.example.com/x' })).toEqual([
      `Cannot use "https://go.example.com/x": CACHE_HOST says that this is modferry's own host, which would ask itself`,
    ]);
    expect(problems({ CACHE_HOST, ORIGINS: 'https://go.example.com:8443' })).toEqual([]);
  });

  it.each([
    ['CACHE_HOST', 'https://go.example.com', 'Cannot use CACHE_HOST "https://go.example.com": '],
    ['CACHE_HOST', 'go.example.com:443', 'Cannot use CACHE_HOST "go.example.com:443": write a'],
    ['CACHE_HOST', 'Go.Example.com', 'Cannot use CACHE_HOST "Go.Example.com": write a host name'],
    ['ORIGINS', 'direct', 'Cannot parse ORIGINS: entry 1 "direct" is not an origin: '],
    [
      'SUMDBS',
      'sum.example',
      'Cannot parse SUMDBS: entry "sum.example" is neither the name of a known database',
    ],
    ['PRIVATE', '[a', 'Cannot parse PRIVATE: Cannot parse pattern "[a"'],
    ['PRIVATE', 'a.example,', 'Cannot parse PRIVATE: Cannot parse pattern ""'],
    [
      'PRIVATE',
      'a.example b.example',
      'Cannot parse pattern "a.example b.example": no module path',
    ],
    ['SUMDBS', ',', 'Cannot use SUMDBS ","'],
    ['CACHE_HOST', '"go.example.com"', 'Cannot use CACHE_HOST'],
    ['CACHE_HOST', 'a.example;b.example', 'Cannot use CACHE_HOST'],
    ['VERIFY', 'yes', 'Cannot use VERIFY "yes": it is one of off, mod, all'],
    ['VERIFY', 'All', 'Cannot use VERIFY "All": it is one of off, mod, all'],
    ['ACCESS', 'nobody', 'Cannot use ACCESS "nobody": it is one of public, private'],
    ['TOKENS', 'me:admin:0123', 'Cannot parse TOKENS: entry 1 "me" has a token of 4 characters'],
    ['ALLOW', 'x', 'Cannot parse ALLOW: entry "x": Cannot parse pattern "x": the first element'],
    ['DENY', 'a.example@1.2', 'Cannot parse DENY: entry "a.example@1.2": "1.2" is no constraint: '],
    ...['0', '0d', '0s', '3650d', '1826d', '7', '7x', '-7d', '1.5d', '7 d', '500ms'].map(
      (value): [string, string, string] => [
        'MIN_AGE',
        value,
        `Cannot use MIN_AGE "${value}": write a time from "1s" to "1825d", such as "36h" or "7d"`,
      ],
    ),
    ['MIN_AGE_MODE', 'warn', 'Cannot use MIN_AGE_MODE "warn": it is one of enforce, discover'],
    ['MIN_AGE_EXEMPT', '[a', 'Cannot parse MIN_AGE_EXEMPT: Cannot parse pattern "[a"'],
    ['LOG_CLIENT_ADDRESS', 'yes', 'Cannot use LOG_CLIENT_ADDRESS "yes": it is one of off, on'],
    ...['TIMEOUT_HEADERS', 'TIMEOUT_STALL', 'TIMEOUT_TOTAL'].flatMap((name) =>
      ['0s', '10', '-1s', '1.5s', 'soon'].map((value): [string, string, string] => [
        name,
        value,
        `Cannot use ${name} "${value}": write a time from "50ms" to "10m", such as "10s"`,
      ]),
    ),
  ])('%s=%s is refused with the variable, the value and the remedy', (name, value, problem) => {
    expect(problems({ [name]: value })).toEqual([expect.stringContaining(problem)]);
  });

  it.each([
    [{ SUMDBS: 'off' }, /^VERIFY=all compares nothing: SUMDBS names no checksum database$/],
    [{ SUMDBS: 'off', VERIFY: 'mod' }, /^VERIFY=mod compares nothing/],
    [
      { ORIGINS: 'https://a.example|https://192.0.2.1:8443/t/hunter2' },
      /^ORIGINS names 192\.0\.2\.1, and Cloudflare fetches no IP address \(error 1003\): give it a name in DNS$/,
    ],
    [{ ORIGINS: 'https://0xc0000201' }, /^ORIGINS names 192\.0\.2\.1,/],
    [{ ORIGINS: 'https://[2001:db8::1]/t/hunter2' }, /^ORIGINS names \[2001:db8::1\],/],
    [{ SUMDBS: 'sum.golang.org https://192.0.2.1' }, /^SUMDBS names 192\.0\.2\.1,/],
  ])('%j leads to a warning', (variables, warning) => {
    const { warnings } = valid(variables);
    expect(warnings).toEqual([expect.stringMatching(warning)]);
    expect(warnings.join()).not.toContain('hunter2');
  });

  it.each([
    [{ ACCESS: 'private' }, 'TOKENS names no token: nobody reads anything,'],
    [{ PRIVATE: 'corp.example' }, 'TOKENS names no token: nobody reads a private module,'],
    [{ ORIGINS: CORP }, 'TOKENS names no token: nobody reads a private module,'],
  ])('%j needs a token, which somebody may have made before', (variables, warning) => {
    expect(valid(variables).warnings).toEqual([expect.stringContaining(warning)]);
    expect(valid({ ...variables, TOKENS }).warnings).toEqual([]);
  });
});

it.each(['127.0.0.1:8080', '[::1]:8080', 'localhost', '1.example'])(
  'the origin %s leads to no warning',
  (host) => {
    expect(valid({ ORIGINS: `https://${host}` }).warnings).toEqual([]);
  },
);

it('VARIABLE_NAMES has every variable that is read, but for secrets', () => {
  const read = new Set<string | symbol>();
  const record = (_: object, name: string | symbol) => {
    read.add(name);
    return true;
  };
  parseConfig(new Proxy({}, { has: record, get: record }));
  expect(read).toEqual(new Set(VARIABLE_NAMES));
});

it('a secret that is not text is refused', () => {
  const ORIGINS = '[{"url":"a.example","auth":"TOKEN_A"}]';
  expect(problems({ ORIGINS, TOKEN_A: 7 })).toContain(
    'Cannot use TOKEN_A: it is not text, write it in quotes',
  );
});

it('that ORIGINS names no origin is reported beside other problems', () => {
  expect(problems({ ORIGINS: ',', VERIFY: 'x' })).toEqual([
    'Cannot use ORIGINS ",": it names no origin',
    'Cannot use VERIFY "x": it is one of off, mod, all',
  ]);
});

it('a minimum age is in seconds, minutes, hours or days', () => {
  const ages = ['20s', '90m', '36h', '7d', '1825d'].map(
    (MIN_AGE) => valid({ MIN_AGE }).minimumAge.ms,
  );
  expect(ages).toEqual([20_000, 5_400_000, 129_600_000, 604_800_000, 157_680_000_000]);
  const { minimumAge } = valid({ MIN_AGE_MODE: 'discover', MIN_AGE_EXEMPT: 'own.example' });
  expect([minimumAge.mode, matches(minimumAge.exempt, 'own.example/x')]).toEqual([
    'discover',
    true,
  ]);
});

it('a minimum age without a database that would say how old a version is draws a warning', () => {
  const [warning] = valid({ MIN_AGE: '7d', SUMDBS: 'off', VERIFY: 'off' }).warnings;
  expect(warning).toMatch(/^MIN_AGE refuses every version that is not exempt/);
});

it('all problems are reported at once', () => {
  const wrong = {
    ORIGINS: 'off|htp://x',
    SUMDBS: 'x,y',
    PRIVATE: '[a,[b',
    VERIFY: 'x',
    ACCESS: 'x',
    ALLOW: 'x',
    DENY: 'x',
    MIN_AGE: 'x',
    TIMEOUT_HEADERS: 'x',
    TIMEOUT_STALL: 'x',
    TIMEOUT_TOTAL: 'x',
    LOG_CLIENT_ADDRESS: 'x',
  };
  expect(problems(wrong).length).toBe(15);
});

it('no problem ends in a full stop or runs over a line', () => {
  const wrong = {
    ORIGINS: 'off',
    SUMDBS: 'x',
    VERIFY: 'x',
    ACCESS: 'x',
    ALLOW: 'x',
    TIMEOUT_TOTAL: '0s',
  };
  for (const problem of problems(wrong)) expect(problem).toMatch(/^Cannot [^\n]*[^.\n]$/);
});

it.each([
  ['[{"name":"pub","url":"https://a.example","probe":"corp.example/x@v1.0.0"}]', 'corp.example'],
  [
    `[{"name":"pub","url":"https://a.example","probe":"corp.example/x@v1.0.0"},${CORP.slice(1)}`,
    '',
  ],
])(
  '%s with PRIVATE=%j is refused: a probe names a private module to nobody else',
  (ORIGINS, PRIVATE) => {
    expect(problems({ ORIGINS, PRIVATE, TOKENS })).toEqual([
      'Cannot use the probe "corp.example/x" of pub: the module is private, and this origin has no "modules" that cover it',
    ]);
  },
);

it('the modules of PRIVATE and of an origin are private, unless that says that its are public', () => {
  const rows = [
    { url: 'a.example', modules: 'own.example/*' },
    { url: 'b.example', modules: 'open.example', public: true },
    { url: 'c.example' },
  ];
  const ORIGINS = JSON.stringify(rows);
  const { privateModules } = valid({ ORIGINS, PRIVATE: '*.corp.example', TOKENS });
  const isPrivate = (module: string) => matches(privateModules, module);
  const modules = ['git.corp.example/x', 'own.example/x/y', 'open.example/z', 'example.com/z'];
  expect(modules.map(isPrivate)).toEqual([true, true, false, false]);
});

it('the tables of origins that wrangler.toml shows are valid', () => {
  const text = readFileSync(new URL('../../wrangler.toml', import.meta.url), 'utf8').replaceAll(
    /^# ?/gm,
    '',
  );
  const tables = [...text.matchAll(/ORIGINS = '''(.*?)'''/gs)].map(([, table = '']) => table);
  expect(tables.length).toBe(3);
  for (const ORIGINS of tables) {
    const parsed = parseConfig({ ORIGINS, CORP_TOKEN: 'user:secret' });
    expect(parsed.ok ? [] : parsed.reason).toEqual([]);
  }
});
