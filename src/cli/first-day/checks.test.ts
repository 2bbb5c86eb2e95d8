import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { answered, CHALLENGE, own } from '../../../test/fakes/cloudflare/edge.ts';
import type { Visit } from '../address/visit.ts';
import type { Subject } from './check.ts';
import { CHECKS } from './checks.ts';
import { runFirstDay } from './run-first-day.ts';

const MODULE = 'example.com/m';
const VERSIONS = Array.from({ length: 10 }, (_, index) => `v1.${index}.0`);

const READY = `ready
edge cache: works, written in 3 ms, read in 1 ms
probe: ran 4 min ago
store check: does not run, it needs the paid plan (VERIFY=all)
`;

type Answers = Readonly<Record<string, Visit>>;

/** A deployment without a fault, as far as it is not told otherwise. `asked` counts per path. */
function deployment(faults: Answers): Subject {
  const asked = new Map<string, number>();
  return {
    address: 'https://go.example.com',
    module: MODULE,
    large: 'example.com/large@v1.0.0',
    async visit(url, { method = 'GET' } = {}) {
      const path = new URL(url).pathname;
      const fault = faults[`${method} ${path}`] ?? faults[path];
      if (fault) return fault;
      const count = (asked.get(path) ?? 0) + 1;
      asked.set(path, count);
      if (path === '/healthz') return own(200, 'ok\n');
      if (path === '/readyz') return own(200, READY);
      const detail = count === 1 ? 'fwd=uri-miss; detail=a.example' : 'hit; detail=edge';
      return answered(200, path.endsWith('/list') ? `${VERSIONS.join('\n')}\n` : 'text', {
        'Cache-Status': `modferry; ${detail}`,
        'Cache-Control': 'public, max-age=60, stale-if-error=0',
        'Server-Timing': 'edge;dur=1, total;dur=2',
      });
    },
    hangUp: async () => 'r1',
    handshake: async () => ({ version: 'TLSv1.3', protocol: 'h2' }),
    pause: async () => {},
    now: () => 0,
  };
}

async function run(faults: Answers = {}, changes: Partial<Subject> = {}) {
  const lines: string[] = [];
  const isRight = await runFirstDay({
    subject: { ...deployment(faults), ...changes },
    print: (line) => void lines.push(line),
  });
  const lineOf = (check: number) =>
    lines.find((line) => line.startsWith(String(check).padStart(2)));
  return { isRight, lines, lineOf };
}

it('every check has one line, and what must be done by hand names its section', async () => {
  const { isRight, lines } = await run();
  expect(isRight).toBe(true);
  const checks = lines.slice(1, -1);
  expect(checks.map((line) => Number(line.slice(0, 2)))).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
  ]);
  expect(checks.filter((line) => line.slice(3, 6) === 'you')).toEqual([
    expect.stringContaining('section 2 of docs/first-day.md'),
    expect.stringContaining('section 7 of docs/first-day.md'),
  ]);
});

it('every check has its section in the page', async () => {
  const page = await readFile(new URL('../../../docs/first-day.md', import.meta.url), 'utf8');
  const sections = [...page.matchAll(/^## (\d+)\. /gm)].map(([, number]) => Number(number));
  expect(sections).toEqual(CHECKS.map(({ number }) => number));
});

const oldHandshake = async () => ({ version: 'TLSv1.2', protocol: 'h2' });

const LIST = `/${MODULE}/@v/list`;
const listWith = (headers: Readonly<Record<string, string>>) =>
  answered(200, VERSIONS.join('\n'), { 'Cache-Status': 'modferry; hit; detail=edge', ...headers });
const ready = (text: string) => own(200, text);

describe('what is bad is said, with the remedy:', () => {
  it.each<[string, number, Answers, RegExp]>([
    ['a challenge', 1, { '/healthz': CHALLENGE }, /Bot Fight Mode/],
    [
      'an edge cache that keeps nothing',
      3,
      {
        '/readyz': ready(
          'ready\nedge cache: keeps nothing, so every answer is read from KV or R2\n',
        ),
      },
      /keeps nothing.*CACHE_HOST/,
    ],
    [
      'CPU time that does not suffice',
      5,
      { [`/${MODULE}/@v/v1.3.0.mod`]: answered(503, 'error code: 1102') },
      /1 of 8 failed: .*1102/,
    ],
    [
      'the limit of calls',
      6,
      {
        [`/sumdb/sum.golang.org/lookup/${MODULE}@v1.9.0`]: own(
          503,
          'cannot get x: a.example: not asked, this request has made all calls that the platform allows\n',
        ),
      },
      /used up its calls/,
    ],
    [
      'a zip that a leaving client spoilt',
      8,
      { [`/${MODULE}/@v/v1.9.0.zip`]: own(502, 'cannot get it\n') },
      /after a client left/,
    ],
    [
      'a large zip that is cut short',
      9,
      {
        '/example.com/large/@v/v1.0.0.zip': answered(200, 'ab', {
          'Cache-Status': 'modferry; hit; detail=r2',
          'Content-Length': '4',
        }),
      },
      /2 of 4 bytes/,
    ],
    [
      'a raised max-age',
      10,
      { [LIST]: listWith({ 'Cache-Control': 'max-age=14400' }) },
      /Browser Cache TTL/,
    ],
    ['no max-age', 10, { [LIST]: listWith({}) }, /Browser Cache TTL/],
    ['a cron that stopped', 11, { '/readyz': ready('probe: ran 90 min ago\n') }, /90 min ago/],
    [
      'a cache in front that answers HEAD in its own way',
      12,
      {
        [`GET /${MODULE}/@v/v1.0.0.mod`]: answered(200, 'module', {
          'Cache-Status': 'modferry; hit; detail=edge',
          'CF-Cache-Status': 'HIT',
          ETag: '"a"',
        }),
        [`HEAD /${MODULE}/@v/v1.0.0.mod`]: answered(405, ''),
      },
      /HEAD is not answered/,
    ],
  ])('%s', async (_, check, faults, text) => {
    const { isRight, lineOf } = await run(faults);
    expect(lineOf(check)).toMatch(/^.. bad /);
    expect(lineOf(check)).toMatch(text);
    expect(isRight).toBe(false);
  });

  it('TLS 1.2', async () => {
    expect((await run({}, { handshake: oldHandshake })).lineOf(1)).toMatch(
      /^ 1 bad .*switch TLS 1.3 on/,
    );
  });
});

it('a new cron is waited for', async () => {
  const faults = { '/readyz': ready('probe: has not run yet\n') };
  expect((await run(faults)).lineOf(11)).toMatch(/^11 see .*look again/);
});

it('nothing else is asked of an address where modferry does not answer', async () => {
  const { lines } = await run({ '/healthz': answered(200, '<html>') });
  expect(lines).toHaveLength(3);
});

it('a deployment that is not ready still tells of its edge cache and its cron', async () => {
  const { lineOf } = await run({ '/readyz': own(503, READY.replace('ready', 'not ready: a')) });
  expect(lineOf(3)).toMatch(/^ 3 ok .*works, written in 3 ms/);
  expect(lineOf(11)).toMatch(/^11 ok .*ran 4 min ago/);
});

it('a deployment that does not start has nothing to tell of them', async () => {
  const { lineOf } = await run({ '/readyz': own(503, 'ORIGINS is wrong\n') });
  expect(lineOf(3)).toMatch(/^ 3 bad .*503: ORIGINS is wrong/);
});

it('a version with an upper-case letter is asked for in its escaped form', async () => {
  const asked: string[] = [];
  const subject = deployment({ [LIST]: own(200, 'v1.0.0-RC1\nv1.0.0-RC2\n') });
  await run(
    {},
    {
      visit: (url, options) => {
        asked.push(new URL(url).pathname);
        return subject.visit(url, options);
      },
    },
  );
  expect(asked).toContain(`/${MODULE}/@v/v1.0.0-!r!c1.mod`);
  expect(asked.filter((path) => path.includes('RC'))).toEqual([]);
});
