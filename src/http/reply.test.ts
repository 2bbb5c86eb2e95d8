import { describe, expect, it } from 'vitest';
import { fakeModferry } from '../../test/fakes/modferry.ts';

const LIST = '/example.com/hello/@v/list';

describe('the event of a request', () => {
  it.each([
    ['off', undefined],
    ['on', '192.0.2.1'],
  ])('with LOG_CLIENT_ADDRESS=%s has the address of the client: %s', async (setting, client) => {
    const modferry = fakeModferry({ variables: { LOG_CLIENT_ADDRESS: setting } });
    await modferry.get('/healthz', { 'CF-Connecting-IP': '192.0.2.1' });
    expect(modferry.lastRequest()?.client).toBe(client);
  });

  it('has the time until the answer was ready, as Server-Timing has', async () => {
    const modferry = fakeModferry({
      replies: {
        async 'https://a.example'() {
          await modferry.clock.sleep(70);
          return new Response('v1.0.0\n');
        },
      },
    });
    const asking = modferry.get(LIST);
    await modferry.clock.advance(70);
    const { headers } = await asking;
    expect(modferry.lastRequest()?.ms).toBe(70);
    expect(headers.get('Server-Timing')).toBe('edge;dur=0, r2;dur=0, origin;dur=70, total;dur=70');
  });

  it('has no query string and no header of the client', async () => {
    const modferry = fakeModferry();
    await modferry.get('/healthz?token=secret', { Authorization: 'Basic secret' });
    await modferry.get('/nonsense?token=secret', { Cookie: 'secret' });
    expect(JSON.stringify(modferry.events)).not.toContain('secret');
  });

  it('is the last event of the request: trouble on the way comes before it', async () => {
    const modferry = fakeModferry({
      replies: { 'https://a.example': () => new Response('v1.0.0\n') },
    });
    modferry.tiers.near.read = () => Promise.reject(new Error('the cache is away'));
    expect((await modferry.get(LIST)).status).toBe(200);
    expect(modferry.events.map(({ event }) => event)).toMatchObject([
      { event: 'trouble', label: 'edge' },
      { event: 'request', kind: 'list', status: 200 },
    ]);
  });
});
