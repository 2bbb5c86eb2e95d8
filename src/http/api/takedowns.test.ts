import { describe, expect, it } from 'vitest';
import { untilDone } from '../../../test/fakes/mirror/context.ts';
import { fakeModferry } from '../../../test/fakes/modferry.ts';
import { as } from '../../../test/fakes/tokens.ts';

const LIST = '/-/api/takedowns';
const admin = { headers: as('admin') };

/** modferry whose origin has taken down v1.0.0 and v1.1.0 of example.com/Bad. */
async function withTakedowns() {
  const modferry = fakeModferry({
    variables: { ORIGINS: '[{"name": "o", "url": "https://o.example", "refusal": "final"}]' },
    replies: {
      'https://o.example/golang.org': () => new Response('module golang.org/x/text\n'),
      'https://o.example': () => new Response('no', { status: 403 }),
    },
  });
  const ask = async (path: string, init: RequestInit = {}) => {
    const asking = async () => {
      const response = await modferry.request(path, init);
      const text = await response.text();
      await modferry.idle();
      return { status: response.status, headers: response.headers, text };
    };
    return untilDone(modferry.clock, asking());
  };
  await ask('/example.com/!bad/@v/v1.0.0.info');
  await modferry.clock.advance(90_000);
  await ask('/example.com/!bad/@v/v1.1.0.info');
  return { ...modferry, ask };
}

const remove = { method: 'DELETE', ...admin };

describe('GET /-/api/takedowns', () => {
  it('lists the versions that are taken down, in JSON', async () => {
    const { ask } = await withTakedowns();
    const { headers, status, text } = await ask(LIST, admin);
    expect([status, headers.get('Content-Type'), headers.get('Cache-Control')]).toEqual([
      200,
      'application/json',
      'no-store',
    ]);
    const [first, second] = JSON.parse(text);
    expect(first).toEqual({
      module: 'example.com/Bad',
      version: 'v1.0.0',
      origin: 'o',
      since: '2026-01-01T00:00:00.000Z',
    });
    expect(second.version).toBe('v1.1.0');
  });

  it('is 503 while they cannot be read', async () => {
    const { ask, tiers } = await withTakedowns();
    tiers.durable.read = () => Promise.reject(new Error('R2 is down'));
    for (const [path, init] of [
      [LIST, admin],
      [`${LIST}/example.com/!bad@v1.0.0`, remove],
    ] as const) {
      const { status, text } = await ask(path, init);
      expect([status, JSON.parse(text).error]).toEqual([503, expect.stringMatching(/try again/)]);
    }
  });
});

describe('DELETE /-/api/takedowns/<module>@<version>', () => {
  it.each(['example.com/!bad@v1.0.0', 'example.com/%21bad@v1.0.0', 'example.com/%21bad%40v1.0.0'])(
    'lifts the takedown of %s, once, and records who did',
    async (named) => {
      const { ask, events } = await withTakedowns();
      const lifted = await ask(`${LIST}/${named}`, remove);
      expect([lifted.status, lifted.text]).toEqual([204, '']);
      const again = await ask(`${LIST}/${named}`, remove);
      expect([again.status, again.headers.get('Content-Type')]).toEqual([404, 'application/json']);
      expect(JSON.parse((await ask(LIST, admin)).text)).toMatchObject([{ version: 'v1.1.0' }]);
      expect(events.filter(({ event }) => event.event === 'admin')).toMatchObject([
        {
          event: {
            event: 'admin',
            token: 'admin',
            action: 'lift-takedown',
            subject: 'example.com/Bad@v1.0.0',
          },
        },
      ]);
    },
  );

  it.each([
    ['example.com/other@v1.0.0', 404, 'example.com/other@v1.0.0 is not taken down'],
    ['example.com/Bad@v1.0.0', 400, 'write <escaped module path>@<escaped version>'],
    ['example.com/!bad', 400, 'write <escaped'],
    ['example.com/!bad@v1', 400, 'write <escaped'],
    ['@v1.0.0', 400, 'write <escaped'],
    ['example.com/%00@v1.0.0', 400, 'write <escaped'],
  ])('of %s is %i, in JSON', async (named, expected, words) => {
    const { ask, events } = await withTakedowns();
    const { headers, status, text } = await ask(`${LIST}/${named}`, remove);
    expect([status, headers.get('Content-Type')]).toEqual([expected, 'application/json']);
    expect(JSON.parse(text).error).toContain(words);
    expect(events.filter(({ event }) => event.event === 'admin')).toEqual([]);
  });

  it('says that others may not know of it where it cannot be written', async () => {
    const { ask, tiers } = await withTakedowns();
    tiers.durable.swap = () => Promise.reject(new Error('R2 is down'));
    const { status, text } = await ask(`${LIST}/example.com/!bad@v1.0.0`, remove);
    expect([status, JSON.parse(text).error]).toEqual([503, expect.stringContaining('lifted here')]);
  });

  it.each(['publish', 'private', 'read'] as const)('is 403 with a %s token', async (scope) => {
    const { ask } = await withTakedowns();
    const headers = as(scope);
    const path = `${LIST}/example.com/!bad@v1.0.0`;
    expect((await ask(path, { method: 'DELETE', headers })).status).toBe(403);
    expect((await ask(LIST, { headers })).status).toBe(403);
    expect((await ask(LIST)).status).toBe(401);
    expect(JSON.parse((await ask(LIST, admin)).text)).toHaveLength(2);
  });
});
