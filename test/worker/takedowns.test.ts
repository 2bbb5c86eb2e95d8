import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../eventually.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { as } from '../fakes/tokens.ts';
import { type Modferry, startModferry } from './modferry.ts';
import { askCounting } from './stage.ts';

// A version that was blocked for security reasons: the official mirror refuses it, another mirror
// still has it, and so has the store.

const HELLO = '/example.com/hello/@v/v1.1.0';
const FILES = ['info', 'mod', 'zip'].map((kind) => `${HELLO}.${kind}`);
const KNOWN = '/golang.org/x/text/@v/v0.3.0.mod';
const LIFT = '/-/api/takedowns/example.com/hello@v1.1.0';

let official: FakeOrigin;
let mirror: FakeOrigin;
let modferry: Modferry;
beforeEach(async () => {
  official = await startOrigin({ modules: fixtureModules() });
  mirror = await startOrigin({ modules: fixtureModules() });
  official.set(KNOWN, { body: 'module golang.org/x/text\n' });
  modferry = await start();
});
afterEach(async () => {
  await modferry.close();
  await official.close();
  await mirror.close();
});

function start(stateDirectory?: string): Promise<Modferry> {
  const ORIGINS = JSON.stringify([
    { name: 'official', url: official.url, refusal: 'final' },
    { name: 'mirror', url: mirror.url },
  ]);
  return startModferry({ variables: { ORIGINS }, ...(stateDirectory && { stateDirectory }) });
}

const ask = (target: string, rest: object = {}) =>
  askCounting(modferry, target, { servers: [official, mirror], ...rest });

const keys = async () => {
  const bucket = await modferry.miniflare.getR2Bucket('FILES');
  return (await bucket.list()).objects.map(({ key }) => key);
};

const refuse = () => official.fault({ status: 403, text: 'SECURITY' }, { match: HELLO });

/** Every way to a file of the version is refused, and nobody is asked. */
async function expectRefused(): Promise<void> {
  for (const path of FILES) {
    for (const target of [path, `/cached-only${path}`]) {
      for (const method of ['GET', 'HEAD']) {
        const { asked, status } = await ask(target, { method });
        expect([target, method, status, asked]).toEqual([target, method, 403, 0]);
      }
      const ranged = await ask(target, { headers: { Range: 'bytes=0-9' } });
      expect([ranged.status, ranged.asked]).toEqual([403, 0]);
    }
  }
}

it('a takedown while a mirror still has the file: 403, and nothing is stored', async () => {
  refuse();
  const { headers, status, text } = await ask(`${HELLO}.zip`);
  expect([status, headers['cache-control']]).toEqual([403, 'no-store']);
  expect(text).toContain('official');
  expect(mirror.requests).toEqual([]);
  await expectRefused();
  expect(mirror.requests).toEqual([]);
  await eventually(async () => expect(await keys()).toEqual(['.modferry/marks.json']));
  const alarms = modferry.log.filter(({ event }) => event === 'security');
  await eventually(() => expect(alarms).toHaveLength(1));
  expect(alarms).toMatchObject([
    { kind: 'takedown', module: 'example.com/hello', version: 'v1.1.0', origin: 'official' },
  ]);
});

it('a stored copy is not served, after a restart neither, until an admin lifts the takedown', async () => {
  for (const path of FILES.slice(0, 2)) expect((await ask(path)).status).toBe(200);
  await eventually(async () => expect(await keys()).toEqual(FILES.slice(0, 2).map(toKey)));
  refuse();
  expect((await ask(`${HELLO}.zip`)).status).toBe(403);
  await expectRefused();
  await eventually(async () => expect(await keys()).toContain('.modferry/marks.json'));
  await modferry.stop();
  const { stateDirectory } = modferry;
  modferry = await start(stateDirectory);
  official.fault(undefined);
  await expectRefused();
  expect(await keys()).toEqual(['.modferry/marks.json', ...FILES.slice(0, 2).map(toKey)]);

  const listed = await ask('/-/api/takedowns', { headers: as('admin') });
  expect(JSON.parse(listed.text)).toMatchObject([
    { module: 'example.com/hello', version: 'v1.1.0', origin: 'official' },
  ]);
  const lift = () => fetch(`${modferry.url}${LIFT}`, { method: 'DELETE', headers: as('admin') });
  expect([(await lift()).status, (await lift()).status]).toEqual([204, 404]);
  await eventually(() =>
    expect(modferry.log).toContainEqual(
      expect.objectContaining({
        event: 'admin',
        token: 'admin',
        action: 'lift-takedown',
        subject: 'example.com/hello@v1.1.0',
      }),
    ),
  );
  for (const path of FILES) expect((await ask(path)).status).toBe(200);
});

it('an origin that refuses everything is only broken: a mirror serves the file', async () => {
  official.fault({ status: 403, text: 'You are barred' });
  for (const path of FILES) expect((await ask(path)).status).toBe(200);
  expect(modferry.log.filter(({ event }) => event === 'security')).toEqual([]);
});

it('a 403 from what the origin redirects to is no takedown', async () => {
  official.set(`${HELLO}.zip`, { status: 302, headers: { location: '/storage' } });
  official.set('/storage', { status: 403, body: 'expired' });
  expect((await ask(`${HELLO}.zip`)).status).toBe(200);
  expect(mirror.count(`${HELLO}.zip`)).toBe(1);
});

it('an origin without a known file is asked for a file of another module that it gave', async () => {
  official.remove(KNOWN);
  expect((await ask('/example.com/dep/@v/v1.0.0.mod')).status).toBe(200);
  refuse();
  expect((await ask(`${HELLO}.info`)).status).toBe(403);
  expect(mirror.requests).toEqual([]);
});

const toKey = (path: string) => path.slice(1);
