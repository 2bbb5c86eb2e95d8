import { as } from '../test/fakes/tokens.ts';
import { describe, expect, it } from 'vitest';
import { untilDone } from '../test/fakes/mirror/context.ts';
import type { Call } from '../test/fakes/effects/fetch.ts';
import { fakeModferry } from '../test/fakes/modferry.ts';
import { writeZip } from '../test/fakes/zip/zip-writer.ts';
import { hashGoMod, hashZip } from '../test/fakes/zip/dirhash.ts';
import { createLog } from '../test/fakes/sumdb/transparency-log.ts';

const HELLO = 'example.com/hello';
const MOD = `module ${HELLO}\n`;
const zip = new Uint8Array(writeZip([{ name: `${HELLO}@v1.0.0/go.mod`, content: MOD }]));

/** A log with these hashes of a zip and of a go.mod. */
function logOf(zipHash: string, modHash: string) {
  const log = createLog();
  log.add(`${HELLO} v1.0.0 ${zipHash}\n${HELLO} v1.0.0/go.mod ${modHash}\n`);
  return log;
}

function fakeWithLog(log: ReturnType<typeof createLog>, variables = {}) {
  return fakeModferry({
    variables: { SUMDBS: `${log.verifierKey} https://sum.example`, ...variables },
    replies: {
      'https://sum.example': ({ url }) => {
        const body = log.answer(new URL(url).pathname);
        if (body === undefined) return new Response('', { status: 404 });
        return new Response(typeof body === 'string' ? body : new Uint8Array(body));
      },
      [`https://a.example/${HELLO}/@v/v1.0.0.mod`]: () => new Response(MOD),
      [`https://a.example/${HELLO}/@v/v1.0.0.zip`]: () => new Response(zip),
    },
  });
}

/** With the database at `carrier.example/sumdb/…` too, and its own address down. */
function fakeWithCarrier(log: ReturnType<typeof createLog>, variables = {}) {
  const answer = ({ url }: Call) => {
    const path = new URL(url).pathname.slice(`/sumdb/${log.name}`.length);
    const body = path === '/supported' ? '' : log.answer(path);
    if (body === undefined) return new Response('', { status: 404 });
    return new Response(typeof body === 'string' ? body : new Uint8Array(body));
  };
  return fakeModferry({
    variables: {
      ORIGINS: 'https://a.example|https://carrier.example',
      SUMDBS: `${log.verifierKey} https://sum.example`,
      ...variables,
    },
    replies: {
      'https://carrier.example/sumdb/': answer,
      'https://a.example/sumdb/': () => new Response('', { status: 404 }),
      [`https://a.example/${HELLO}/@v/v1.0.0.mod`]: () => new Response(MOD),
    },
  });
}

const UNCHECKED = { bytes: new TextEncoder().encode(MOD), etag: '"a"' };
const pathOf = (file: string) => `/${HELLO}/@v/v1.0.0.${file}`;
const right = () => logOf(hashZip(zip), hashGoMod(MOD));
const wrong = () => logOf(hashGoMod(''), hashGoMod(''));

/** Each call after the first `allowed` ones of a test is refused. */
function limited(allowed: number, variables = {}) {
  const log = right();
  let calls = 0;
  const counted = (answer: (url: string) => Response) => (call: { readonly url: string }) => {
    calls += 1;
    if (calls > allowed) throw new Error('Too many subrequests by single Worker invocation.');
    return answer(call.url);
  };
  return fakeModferry({
    variables: { SUMDBS: `${log.verifierKey} https://sum.example`, ...variables },
    replies: {
      'https://sum.example': counted((url) => {
        const body = log.answer(new URL(url).pathname);
        if (body === undefined) return new Response('', { status: 404 });
        return new Response(typeof body === 'string' ? body : new Uint8Array(body));
      }),
      'https://': counted((url) => new Response(url.endsWith('.zip') ? zip : MOD)),
    },
  });
}

describe('a request that has made all calls that the platform allows', () => {
  it.each(['mod', 'zip'])(
    'is answered with 503 for a .%s wherever the limit was met, and no origin is blamed',
    async (file) => {
      const statuses: number[] = [];
      for (let allowed = 0; allowed < 9; allowed++) {
        const modferry = limited(allowed);
        const { headers, status } = await untilDone(modferry.clock, modferry.get(pathOf(file)));
        statuses.push(status);
        expect(headers.get('Retry-After')).toBe(status === 503 ? '1' : null);
        const report = JSON.parse((await modferry.get('/-/api/origins', as('read'))).text);
        const rows: readonly { readonly counters: { readonly failed: number } }[] = report.origins;
        expect(rows.map(({ counters }) => counters.failed)).toEqual(rows.map(() => 0));
        const troubles = modferry.events.filter(({ event }) => event.event === 'trouble');
        expect(troubles.length).toBe(status === 503 ? 1 : 0);
        for (const { event, requestId } of troubles) {
          expect([event, requestId]).toMatchObject([
            { label: 'limit of the platform' },
            expect.stringMatching(/./),
          ]);
        }
      }
      expect(new Set(statuses)).toEqual(new Set([503, 200]));
      expect(statuses.toSorted((x, y) => y - x)).toEqual(statuses);
    },
  );
});

describe('modferry', () => {
  it('verifies go.mod files and zips with the log, and publishes them with their hash', async () => {
    const modferry = fakeWithLog(right());
    for (const file of ['mod', 'zip']) expect((await modferry.get(pathOf(file))).status).toBe(200);
    expect([...modferry.tiers.durable.files.keys()]).toEqual(
      expect.arrayContaining(['mod', 'zip', 'ziphash'].map((file) => pathOf(file).slice(1))),
    );
  });

  it.each([
    ['all', 502, 502],
    ['mod', 502, 200],
    ['off', 200, 200],
  ])(
    'with VERIFY=%s answers %i for a go.mod and %i for a zip that the log has other hashes of',
    async (VERIFY, modStatus, zipStatus) => {
      const modferry = fakeWithLog(wrong(), { VERIFY });
      const statuses: number[] = [];
      for (const file of ['mod', 'zip']) {
        const { status } = await untilDone(modferry.clock, modferry.get(pathOf(file)));
        statuses.push(status);
      }
      expect(statuses).toEqual([modStatus, zipStatus]);
      const alarms = modferry.events.filter(({ event }) => event.event === 'security');
      expect(alarms.length > 0).toBe(VERIFY !== 'off');
    },
  );

  it('names no module of an origin of its own to a checksum database', async () => {
    const modferry = fakeWithLog(right(), {
      ORIGINS: `[{ "name": "corp", "url": "https://a.example", "modules": "${HELLO}" }]`,
    });
    const { status } = await modferry.get(pathOf('mod'), as('private'));
    expect([status, modferry.fetch.calls.map(({ url }) => new URL(url).host)]).toEqual([
      200,
      ['a.example'],
    ]);
  });

  it('verifies with a database that only an origin can reach', async () => {
    const modferry = fakeWithCarrier(right());
    const { status } = await untilDone(modferry.clock, modferry.get(pathOf('mod')));
    expect(status).toBe(200);
    expect([...modferry.tiers.durable.files.keys()]).toContain(pathOf('mod').slice(1));
  });

  it('refuses what an origin says that the database has no record of, when the database cannot be asked', async () => {
    const modferry = fakeWithCarrier(createLog());
    const { status, text } = await untilDone(modferry.clock, modferry.get(pathOf('mod')));
    expect(status).toBe(502);
    expect(text).toContain('status 404, and another address could not be asked');
  });

  it('asks an origin that does not carry the database once, and then the others alone', async () => {
    const log = right();
    const modferry = fakeWithCarrier(log);
    for (const path of ['latest', `lookup/${HELLO}@v1.0.0`]) {
      const asking = modferry.get(`/sumdb/${log.name}/${path}`);
      expect((await untilDone(modferry.clock, asking)).status).toBe(200);
    }
    expect(
      modferry.fetch.calls.filter(({ url }) => url.startsWith('https://a.example')).length,
    ).toBe(1);
    expect(modferry.lastRequest()).toMatchObject({
      source: { origin: `carrier.example/sumdb/${log.name}`, effort: { attempts: 1 } },
    });
  });

  it('names a database that hangs in the body of a look-up, and blames no origin for it', async () => {
    const log = right();
    const hanging = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('0\n'));
      },
    });
    const modferry = fakeModferry({
      variables: {
        SUMDBS: `${log.verifierKey} https://sum.example`,
        TIMEOUT_TOTAL: '8s',
        TIMEOUT_STALL: '8s',
      },
      replies: {
        'https://sum.example': () => new Response(hanging),
        [`https://a.example/${HELLO}/@v/v1.0.0.mod`]: () => new Response(MOD),
      },
    });
    const { status, text } = await untilDone(modferry.clock, modferry.get(pathOf('mod')));
    expect(status).toBe(502);
    expect(text).toMatch(
      /^cannot get \S+: sum\.example\.test: asked for its hash at sum\.example: no answer within 8 s/,
    );
    expect(text).not.toContain('a.example:');
    const { origins } = JSON.parse((await modferry.get('/-/api/origins', as('read'))).text);
    expect(origins[0]).toMatchObject({ name: 'a.example', counters: { asked: 1, failed: 0 } });
  });

  it('does not mention an origin that carries no database in its errors', async () => {
    const modferry = fakeWithCarrier(right(), { ORIGINS: 'https://a.example' });
    const { status, text } = await untilDone(modferry.clock, modferry.get(pathOf('mod')));
    expect(status).toBe(502);
    expect(text).toMatch(
      /sum\.example\.test: asked for its hash at sum\.example: connection failed/,
    );
    expect(text).not.toContain('sumdb');
  });

  it('asks no origin for a request that may not fetch, also not for a checksum', async () => {
    const modferry = fakeWithCarrier(right());
    modferry.tiers.durable.files.set(pathOf('mod').slice(1), UNCHECKED);
    await untilDone(modferry.clock, modferry.get(`/cached-only${pathOf('mod')}`));
    const hosts = new Set(modferry.fetch.calls.map(({ url }) => new URL(url).host));
    expect([...hosts]).toEqual(['sum.example']);
  });

  it('passes a lookup of a module of an origin of its own to nobody', async () => {
    const log = right();
    const modferry = fakeWithCarrier(log, {
      ORIGINS: `[{ "name": "corp", "url": "https://a.example", "modules": "${HELLO}" },
        { "url": "https://carrier.example" }]`,
    });
    const path = `/sumdb/${log.name}/lookup/${HELLO}@v1.0.0`;
    const { status } = await untilDone(modferry.clock, modferry.get(path));
    expect([status, modferry.fetch.calls]).toEqual([403, []]);
  });

  it('does not ask itself, says so, and asks the next origin', async () => {
    const modferry = fakeModferry({
      host: 'a.example',
      replies: { 'https://b.example': () => new Response('', { status: 500 }) },
    });
    const { text } = await untilDone(modferry.clock, modferry.get(pathOf('mod')));
    expect(text).toContain('a.example: not asked, its address is that of this modferry; b.example');
    expect(modferry.fetch.calls.map(({ url }) => new URL(url).host)).not.toContain('a.example');
    expect(modferry.events.map(({ event }) => event)).toContainEqual({
      event: 'trouble',
      label: 'origin',
      error: 'a.example is at a.example, where this modferry is: remove it from ORIGINS and SUMDBS',
    });
  });

  it('ends a request after TIMEOUT_TOTAL', async () => {
    const modferry = fakeModferry({
      variables: { TIMEOUT_TOTAL: '3s' },
      replies: { 'https://': () => new Promise<Response>(() => undefined) },
    });
    const asking = modferry.get(pathOf('mod'));
    await modferry.clock.advance(2_999);
    expect(modferry.lastRequest()).toBeUndefined();
    await modferry.clock.advance(1);
    expect((await asking).status).toBe(504);
  });

  it('probes every origin when the scheduler calls, and emits what it found', async () => {
    const modferry = fakeModferry({ replies: { 'https://a.example': () => new Response(MOD) } });
    await untilDone(modferry.clock, modferry.runCron(modferry.incoming, 'cron'));
    const probes = modferry.events.flatMap(({ event, requestId }) =>
      event.event === 'probe' ? [{ ...event, requestId }] : [],
    );
    expect(probes).toMatchObject([
      { origin: 'a.example', requestId: undefined },
      { origin: 'b.example', verdict: 'connection failed', requestId: undefined },
    ]);
  });
});
