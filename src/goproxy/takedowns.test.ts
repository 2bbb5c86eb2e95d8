import { describe, expect, it } from 'vitest';
import type { Call } from '../../test/fakes/effects/fetch.ts';
import { untilDone } from '../../test/fakes/mirror/context.ts';
import { type FakeAnswer, fakeModferry } from '../../test/fakes/modferry.ts';
import { as } from '../../test/fakes/tokens.ts';
import { writeZip } from '../../test/fakes/zip/zip-writer.ts';
import type { Variables } from '../config/variables.ts';

const BAD = 'example.com/Bad';
const ESCAPED = 'example.com/!bad';
const OTHER = 'example.com/other';
const DAY_MS = 86_400_000;
const FILES = ['info', 'mod', 'zip'] as const;
type File = (typeof FILES)[number];
const pathOf = (file: File, escaped = ESCAPED) => `/${escaped}/@v/v1.0.0.${file}`;

const zipOf = (module: string) =>
  new Uint8Array(writeZip([{ name: `${module}@v1.0.0/go.mod`, content: `module ${module}\n` }]));

function fileAt(url: string): Response {
  const path = decodeURIComponent(new URL(url).pathname);
  const module = path.startsWith(`/${ESCAPED}/`) ? BAD : (/^\/(.+)\/@/.exec(path)?.[1] ?? '');
  if (path.endsWith('.info')) return Response.json({ Version: 'v1.0.0' });
  if (path.endsWith('.zip')) return new Response(zipOf(module));
  if (path.endsWith('/list')) return new Response('v1.0.0\n');
  if (path.endsWith('/@latest')) return Response.json({ Version: 'v1.0.0' });
  return new Response(`module ${module}\n`);
}

const ORIGINS = JSON.stringify([
  { name: 'official', url: 'https://official.example', refusal: 'final' },
  { name: 'mirror', url: 'https://mirror.example' },
]);

/** modferry before a final origin, which refuses what matches `refuses`, and a mirror of it. */
function scene(variables: Variables = {}) {
  const official: { refuses: RegExp | 'down' | undefined } = { refuses: /bad/ };
  const modferry = fakeModferry({
    variables: { ORIGINS, ...variables },
    replies: {
      'https://official.example': ({ url }: Call) => {
        const { refuses } = official;
        if (refuses === 'down') throw new TypeError('refused');
        return refuses?.test(url)
          ? new Response('SECURITY: blocked', { status: 403 })
          : fileAt(url);
      },
      'https://mirror.example': ({ url }: Call) => fileAt(url),
    },
  });
  const hosts = () => modferry.fetch.calls.map(({ url }) => new URL(url).host.split('.')[0]);
  return {
    ...modferry,
    official,
    /** Whom requests since the last look were sent to. */
    asked: (from = 0) => hosts().slice(from).join(' '),
    alarms: () => modferry.events.flatMap(({ event }) => (event.event === 'security' ? event : [])),
    async ask(path: string, init: RequestInit = {}): Promise<FakeAnswer> {
      const asking = async () => {
        const response = await modferry.request(path, init);
        const text = await response.text();
        await modferry.idle();
        return { status: response.status, headers: response.headers, text };
      };
      return untilDone(modferry.clock, asking());
    },
    cron: () => untilDone(modferry.clock, modferry.runCron(modferry.incoming, 'cron')),
    keys: () => [...modferry.tiers.durable.files.keys()],
  };
}

const LIFT = `/-/api/takedowns/${ESCAPED}@v1.0.0`;
const admin = { headers: as('admin') };

describe('a version that the final origin refuses', () => {
  it.each(FILES)(
    'is 403 by its .%s with the name of the origin, and nothing is stored',
    async (file) => {
      const { alarms, ask, asked, keys } = scene();
      const { headers, status, text } = await ask(pathOf(file));
      expect([status, headers.get('Cache-Control')]).toEqual([403, 'no-store']);
      expect(text).toContain(`refused: ${BAD}@v1.0.0: taken down: official refuses it since 2026-`);
      expect(text).toContain('SECURITY: blocked');
      expect(asked()).toBe('official official');
      expect(keys()).toEqual(['.modferry/marks.json']);
      expect(alarms()).toEqual([
        { event: 'security', kind: 'takedown', module: BAD, version: 'v1.0.0', origin: 'official' },
      ]);
    },
  );

  it('is reported once, and costs no further request', async () => {
    const { alarms, ask, asked } = scene();
    for (const file of FILES) expect((await ask(pathOf(file))).status).toBe(403);
    for (const file of FILES) expect((await ask(pathOf(file))).status).toBe(403);
    expect([asked(), alarms().length]).toEqual(['official official', 1]);
  });

  it('is reported once by requests that find it out at the same time', async () => {
    const { alarms, clock, get } = scene();
    const asked = Promise.all(FILES.map((file) => get(pathOf(file))));
    const statuses = (await untilDone(clock, asked)).map(({ status }) => status);
    expect([statuses, alarms().length]).toEqual([[403, 403, 403], 1]);
  });

  it('leaves lists, @latest, queries, other versions and other modules as they are', async () => {
    const { ask } = scene();
    await ask(pathOf('info'));
    expect((await ask(`/${ESCAPED}/@v/list`)).status).toBe(200);
    expect((await ask(`/${ESCAPED}/@latest`)).status).toBe(200);
    expect((await ask(`/${ESCAPED}/@v/main.info`)).status).toBe(200);
    expect((await ask(pathOf('mod', OTHER))).status).toBe(200);
  });

  it('is served by a mirror where the origin refuses other modules too', async () => {
    const { alarms, ask, official } = scene();
    official.refuses = /./;
    expect((await ask(pathOf('mod'))).status).toBe(200);
    expect(alarms()).toEqual([]);
  });

  it('is served by a mirror where its refusals are ordinary', async () => {
    const origins = ORIGINS.replace('"final"', '"ordinary"');
    const { ask } = scene({ ORIGINS: origins });
    expect((await ask(pathOf('mod'))).status).toBe(200);
  });

  it('is refused too where it belongs to a private module', async () => {
    const origin = { modules: 'example.com/*', probe: 'example.com/other@v1.0.0' };
    const { ask, official } = scene({
      ORIGINS: JSON.stringify([
        { name: 'official', url: 'https://official.example', refusal: 'final', ...origin },
        { name: 'mirror', url: 'https://mirror.example', ...origin },
      ]),
    });
    const reader = { headers: as('private') };
    official.refuses = undefined;
    expect((await ask(pathOf('mod'), reader)).status).toBe(200);
    official.refuses = /bad/;
    expect((await ask(pathOf('zip'), reader)).status).toBe(403);
    expect((await ask(pathOf('mod'), reader)).status).toBe(403);
    expect((await ask(pathOf('mod'))).status).toBe(401);
  });
});

/** A scene in which the version was stored before the origin refused it, and the cron found out. */
async function withStoredCopies(variables: Variables = {}) {
  const at = scene(variables);
  at.official.refuses = undefined;
  for (const file of FILES) expect((await at.ask(pathOf(file))).status).toBe(200);
  at.official.refuses = /bad/;
  expect((await at.ask(pathOf('mod'))).status).toBe(200); // nobody knows yet
  await at.cron();
  await at.idle();
  return at;
}

describe('a stored copy of a version that was taken down', () => {
  it.each<[how: string, init: RequestInit, prefix: string]>([
    ['GET', {}, ''],
    ['HEAD', { method: 'HEAD' }, ''],
    ['Range', { headers: { Range: 'bytes=0-9' } }, ''],
    ['If-None-Match', { headers: { 'If-None-Match': '*' } }, ''],
    ['/cached-only/', {}, '/cached-only'],
    ['Disable-Module-Fetch', { headers: { 'Disable-Module-Fetch': 'true' } }, ''],
  ])('is not served by %s, and stays', async (_, init, prefix) => {
    const { alarms, ask, fetch, keys } = await withStoredCopies();
    const before = fetch.calls.length;
    for (const file of FILES) expect((await ask(prefix + pathOf(file), init)).status).toBe(403);
    expect(fetch.calls.length).toBe(before);
    for (const file of FILES) expect(keys()).toContain(pathOf(file).slice(1));
    expect(alarms()).toHaveLength(1);
  });

  it('is not served either where the near tier has it alone', async () => {
    const { ask, tiers } = await withStoredCopies();
    for (const file of FILES) tiers.durable.files.delete(pathOf(file).slice(1));
    for (const file of FILES) expect((await ask(pathOf(file))).status).toBe(403);
  });

  it('is served again at once when an admin lifts the takedown', async () => {
    const { ask } = await withStoredCopies();
    expect((await ask(LIFT, { method: 'DELETE', ...admin })).status).toBe(204);
    for (const file of FILES) expect((await ask(pathOf(file))).status).toBe(200);
  });
});

describe('a takedown', () => {
  it('ends when the origin gives the file again, which is asked for once a day', async () => {
    const { ask, asked, clock, fetch, official, tiers } = scene();
    await ask(pathOf('zip'));
    const since = fetch.calls.length;
    await clock.advance(DAY_MS - 60_000);
    await ask(pathOf('zip'));
    expect(asked(since)).toBe('');
    await clock.advance(60_000);
    const together = Promise.all(FILES.map((file) => ask(pathOf(file))));
    expect((await together).map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(asked(since)).toBe('official');
    expect(fetch.calls.at(-1)?.url).toMatch(/\.zip$/);

    official.refuses = undefined;
    await ask(pathOf('zip'));
    expect(asked(since)).toBe('official');
    await clock.advance(DAY_MS);
    expect((await ask(`/cached-only${pathOf('zip')}`)).status).toBe(403);
    expect(asked(since)).toBe('official');
    expect((await ask(pathOf('zip'))).status).toBe(200);
    expect((await ask('/-/api/takedowns', admin)).text).toBe('[]\n');
    expect(tiers.durable.files.has(pathOf('zip').slice(1))).toBe(true);
  });

  it('that has ended is found out anew, and reported again', async () => {
    const { alarms, ask, clock, official } = scene();
    await ask(pathOf('info'));
    official.refuses = undefined;
    await clock.advance(DAY_MS);
    expect((await ask(pathOf('info'))).status).toBe(200);
    official.refuses = /bad/;
    expect((await ask(pathOf('mod'))).status).toBe(403);
    expect(alarms()).toHaveLength(2);
  });

  it('does not end while the origin is down', async () => {
    const { ask, clock, official } = scene();
    await ask(pathOf('info'));
    official.refuses = 'down';
    await clock.advance(DAY_MS);
    expect((await ask(pathOf('info'))).status).toBe(403);
    expect(JSON.parse((await ask('/-/api/takedowns', admin)).text)).toHaveLength(1);
  });

  it('is known to an isolate that starts later', async () => {
    const first = await withStoredCopies();
    const document = first.tiers.durable.files.get('.modferry/marks.json');
    const later = scene();
    if (document) later.tiers.durable.files.set('.modferry/marks.json', document);
    later.official.refuses = undefined;
    expect((await later.ask(pathOf('mod'))).status).toBe(403);
    expect(later.asked()).toBe('');
  });

  it('outlives the origin: it is not asked when ORIGINS does not name it any more', async () => {
    const first = await withStoredCopies();
    const document = first.tiers.durable.files.get('.modferry/marks.json');
    const later = scene({ ORIGINS: 'https://mirror.example' });
    if (document) later.tiers.durable.files.set('.modferry/marks.json', document);
    await later.clock.advance(2 * DAY_MS);
    expect((await later.ask(pathOf('mod'))).status).toBe(403);
    expect(later.asked()).toBe('');
  });
});

/** A scene in which an admin has lifted a takedown. */
async function withLifted() {
  const at = scene();
  await at.ask(pathOf('info'));
  await at.clock.advance(60_000);
  expect((await at.ask(LIFT, { method: 'DELETE', ...admin })).status).toBe(204);
  return at;
}

describe('a takedown that an admin has lifted', () => {
  it('stays lifted: mirrors are asked, however often the origin refuses the version', async () => {
    const { alarms, ask, clock } = await withLifted();
    for (let day = 0; day < 3; day++) {
      for (const file of FILES) expect((await ask(pathOf(file))).status).toBe(200);
      await clock.advance(DAY_MS);
    }
    expect(alarms()).toHaveLength(1);
  });

  it('is over when the origin has given the file: a 403 after that is a new takedown', async () => {
    const { alarms, ask, official } = await withLifted();
    official.refuses = undefined;
    expect((await ask(pathOf('info'))).status).toBe(200);
    official.refuses = /bad/;
    expect((await ask(pathOf('mod'))).status).toBe(403);
    expect(alarms()).toHaveLength(2);
  });
});

describe('the cron', () => {
  it('asks the final origin alone for a stored version, once a day', async () => {
    const { clock, cron, fetch } = await withStoredCopies();
    const infos = () =>
      fetch.calls.map(({ url }) => url).filter((url) => url.endsWith('v1.0.0.info'));
    expect(infos()).toEqual(Array(2).fill(`https://official.example${encoded('info')}`));
    await clock.advance(3_600_000);
    await cron();
    expect(infos()).toHaveLength(2);
  });

  it('asks again for what was taken down, and so ends a takedown that nobody asks about', async () => {
    const { ask, clock, cron, official } = await withStoredCopies();
    official.refuses = undefined;
    await clock.advance(DAY_MS);
    await cron();
    expect((await ask('/-/api/takedowns', admin)).text).toBe('[]\n');
    expect((await ask(`/cached-only${pathOf('zip')}`)).status).toBe(200);
  });

  it('asks nobody about the versions of private modules', async () => {
    const modules = { modules: 'example.com/*', probe: 'example.com/other@v1.0.0' };
    const table = [{ name: 'official', url: 'https://official.example', refusal: 'final' }];
    const { ask, cron, fetch, official } = scene({
      ORIGINS: JSON.stringify([...table, { url: 'https://mirror.example', ...modules }]),
    });
    official.refuses = undefined;
    await ask(pathOf('mod'), { headers: as('private') });
    await cron();
    const asked = fetch.calls.filter(({ url }) => /(%21|!)bad/.test(url));
    expect(asked.map(({ url }) => new URL(url).host)).toEqual(['mirror.example']);
  });
});

const encoded = (file: File) => pathOf(file).replace('!', '%21');
