import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtureModules, HELLO_MASTER } from '../fakes/origin/modules.ts';
import { eventually } from '../eventually.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type Modferry, startModferry } from './modferry.ts';
import { type Answer, askCounting } from './stage.ts';

// Rules that come after the files: every tier has these from before.

const HELLO = '/example.com/hello';
const FILES = ['v1.0.0.info', 'v1.0.0.mod', 'v1.0.0.zip', 'master.info', `${HELLO_MASTER}.zip`];
const BEFORE = [...FILES, 'list', 'v1.1.0.info'].map((file) => `${HELLO}/@v/${file}`);

let origin: FakeOrigin;
let stateDirectory: string;
beforeAll(async () => {
  origin = await startOrigin({ modules: fixtureModules() });
  const modferry = await startModferry({ variables: { ORIGINS: origin.url } });
  stateDirectory = modferry.stateDirectory;
  for (const path of BEFORE) await (await fetch(modferry.url + path)).arrayBuffer();
  const bucket = await modferry.miniflare.getR2Bucket('FILES');
  const keys = async () => (await bucket.list()).objects.map(({ key }) => key);
  await eventually(async () => {
    const stored = await keys();
    const absent = BEFORE.find((path) => !stored.includes(path.slice(1)));
    if (absent !== undefined) throw new Error(`Cannot find ${absent} in the bucket`);
  });
  await modferry.stop();
  return () => origin.close();
});

describe('a stored file that DENY names from now on', () => {
  let modferry: Modferry;
  beforeAll(async () => {
    const variables = { ORIGINS: origin.url, DENY: 'example.com/*@<v1.1.0,example.com/*@>v1.1.0' };
    modferry = await startModferry({ variables, stateDirectory });
  });
  afterAll(() => modferry.stop());
  const ask = (path: string, options = {}): Promise<Answer> =>
    askCounting(modferry, path, { servers: [origin], ...options });

  it.each(FILES)('row 60: %s is refused in every way, and nobody is asked', async (file) => {
    for (const path of [`${HELLO}/@v/${file}`, `/cached-only${HELLO}/@v/${file}`]) {
      const { asked, headers, status, text } = await ask(path);
      expect([status, asked, headers['cache-control']]).toEqual([403, 0, 'no-store']);
      expect(text).toMatch(
        /^refused: example\.com\/hello@.*: DENY has "example\.com\/\*@[<>]v1\.1\.0"/,
      );
      const ways = [
        { method: 'HEAD' },
        { headers: { Range: 'bytes=0-9' } },
        { headers: { 'If-None-Match': '*' } },
        { headers: { 'Disable-Module-Fetch': 'true' } },
      ];
      for (const options of ways) expect((await ask(path, options)).status).toBe(403);
    }
  });

  it('is left out of the list, also of the stored one', async () => {
    for (const prefix of ['', '/cached-only'])
      expect((await ask(`${prefix}${HELLO}/@v/list`)).text).toBe('v1.1.0\n');
    expect(JSON.parse((await ask(`${HELLO}/@latest`)).text)).toHaveProperty('Version', 'v1.1.0');
  });
});

describe('with ALLOW', () => {
  let modferry: Modferry;
  beforeAll(async () => {
    const variables = { ORIGINS: origin.url, ALLOW: 'example.com/hello' };
    modferry = await startModferry({ variables, stateDirectory });
  });
  afterAll(() => modferry.close());

  it.each([
    ['row 60: another module', '/example.com/dep/@v/list', 403, 0],
    ['row 61: a longer path under an allowed module', `${HELLO}/cmd/x/@v/list`, 404, 1],
    ['row 62: a shorter prefix', '/example.com/@v/list', 404, 0],
    ['row 60: a prefix of nothing that is allowed', '/github.com/@v/v1.0.0.info', 403, 0],
    ['the module itself', `${HELLO}/@v/v1.1.0.info`, 200, 0],
  ])('%s (%s) is %i', async (_, path, status, asked) => {
    const answer = await askCounting(modferry, path, { servers: [origin] });
    expect([answer.status, answer.asked]).toEqual([status, asked]);
  });
});
