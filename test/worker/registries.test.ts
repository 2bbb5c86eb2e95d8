import { describe, expect, it, onTestFinished } from 'vitest';
import { makeModule, makeVersion, versionOf } from '../fakes/origin/module.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { startGitea } from '../fakes/registry/gitea.ts';
import { startQuirky } from '../fakes/registry/quirky.ts';
import { as } from '../fakes/tokens.ts';
import { type Modferry, startModferry } from './modferry.ts';
import { askCounting } from './stage.ts';

// A company's registries as private origins, with the quirks that each has, through the real
// Worker.

const TOOL = 'corp.example/MyTool';
const SECRET = 'acme:s3cret-of-the-registry';
const BASIC = `Basic ${Buffer.from(SECRET).toString('base64')}`;

/** Versions in an order that is none of versions, a release of capitals among them. */
function tool(path = TOOL) {
  const version = (name: string) => ({
    [name]: makeVersion(path, name, { 'go.mod': `module ${path}\n`, 'x.go': 'package x\n' }),
  });
  return makeModule(path, {
    ...version('v1.10.0'),
    ...version('v1.2.0'),
    ...version('v1.11.0-RC1'),
    ...version('v1.9.0'),
  });
}

const LIST = 'v1.2.0\nv1.9.0\nv1.10.0\nv1.11.0-RC1\n';
const ESCAPED = '/corp.example/!my!tool';

interface World {
  readonly modferry: Modferry;
  readonly outside: FakeOrigin;
  /** Asks with a private token. */
  get(path: string): ReturnType<typeof askCounting>;
}

async function worldOf(row: object): Promise<World> {
  const outside = await startOrigin({ modules: [tool(), tool('corp.example/tool')] });
  const ORIGINS = JSON.stringify([
    { name: 'corp', modules: 'corp.example', auth: 'CORP', ...row },
    { name: 'outside', url: outside.url },
  ]);
  const modferry = await startModferry({ variables: { ORIGINS, CORP: SECRET } });
  onTestFinished(async () => {
    await modferry.close();
    // Nobody else has ever heard of the module.
    expect(outside.requests.map(({ url }) => url)).toEqual([]);
    await outside.close();
  });
  return {
    modferry,
    outside,
    get: (path) => askCounting(modferry, path, { servers: [outside], headers: as('private') }),
  };
}

async function giteaWorld(row: object = {}) {
  const junk = ['v1.0.0\nv6.6.6-evil line', 'v7\u0007.0.0', 'main', 'v1.10.0'];
  const gitea = await startGitea({ modules: [tool()], authorization: BASIC, junk });
  onTestFinished(() => gitea.close());
  return { gitea, ...(await worldOf({ url: gitea.url, decoded: true, ...row })) };
}

describe('a Gitea', () => {
  it('gives every file of a module with capitals', async () => {
    const { get } = await giteaWorld();
    const files = versionOf(tool(), 'v1.11.0-RC1');
    const answers = await Promise.all(
      ['@v/v1.11.0-!r!c1.info', '@v/v1.11.0-!r!c1.mod', '@v/v1.11.0-!r!c1.zip'].map((end) =>
        get(`${ESCAPED}/${end}`),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const [info, mod, zip] = answers;
    expect(JSON.parse(info?.text ?? '')).toEqual({
      Version: 'v1.11.0-RC1',
      Time: '2024-01-15T11:00:00.000+01:00',
    });
    expect(mod?.text).toBe(files.mod);
    expect(zip?.body.equals(Buffer.from(files.zip as Uint8Array))).toBe(true);
  });

  it('has the sorted list of its versions, without lines that are none', async () => {
    const { get } = await giteaWorld();
    const list = await get(`${ESCAPED}/@v/list`);
    // The version with a line break makes two lines, and the second one is no version of a path
    // without /v6.
    expect([list.status, list.text]).toEqual([200, `v1.0.0\n${LIST}`]);
  });

  it('has the highest version as its latest, and not the one that was uploaded last', async () => {
    const gitea = await startGitea({ modules: [tool()], authorization: BASIC });
    onTestFinished(() => gitea.close());
    const { get } = await worldOf({ url: gitea.url, decoded: true });
    const latest = await get(`${ESCAPED}/@latest`);
    expect([latest.status, JSON.parse(latest.text)]).toMatchObject([200, { Version: 'v1.10.0' }]);
  });

  it('is asked once for what is not there, and twice where that has capitals', async () => {
    const { get, gitea } = await giteaWorld();
    expect((await get('/corp.example/nothing/@v/list')).status).toBe(404);
    expect(gitea.count()).toBe(1);
    expect((await get('/corp.example/!nothing/@v/list')).status).toBe(404);
    expect(gitea.requests.map(({ path }) => path.slice(path.indexOf('/corp')))).toEqual([
      '/corp.example/nothing/@v/list',
      '/corp.example/!nothing/@v/list',
      '/corp.example/Nothing/@v/list',
    ]);
  });

  it('has no module with capitals where its origin does not say "decoded"', async () => {
    const { get } = await giteaWorld({ decoded: false });
    expect((await get(`${ESCAPED}/@v/list`)).status).toBe(404);
  });

  it('redirects to a storage that gets a signature and no credentials', async () => {
    const { get, gitea } = await giteaWorld();
    const zip = await get(`${ESCAPED}/@v/v1.9.0.zip`);
    expect([zip.status, zip.headers['location']]).toEqual([200, undefined]);
    const [stored] = gitea.storage.requests;
    expect(stored?.url).toContain('X-Amz-Signature=s1gned');
    expect(JSON.stringify(stored?.headers)).not.toMatch(/authorization|s3cret|cookie|referer/i);
  });

  it('that refuses the credentials (401) is an outage, and no 401 for the client', async () => {
    const gitea = await startGitea({ modules: [tool()], authorization: 'Basic other' });
    onTestFinished(() => gitea.close());
    const { get } = await worldOf({ url: gitea.url, decoded: true });
    const list = await get(`${ESCAPED}/@v/list`);
    expect([list.status, list.headers['www-authenticate']]).toEqual([502, undefined]);
    expect(list.text).toMatch(/^cannot get corp\.example\/MyTool\/@v\/list: corp: status 401/);
    expect(list.text).not.toContain('s3cret');
  });
});

async function quirkyWorld(row: object = { probe: `${TOOL}@v1.2.0` }) {
  const quirky = await startQuirky({ modules: [tool()], authorization: BASIC });
  onTestFinished(() => quirky.close());
  return { quirky, ...(await worldOf({ url: quirky.url, ...row })) };
}

describe('a registry with every other quirk', () => {
  it('has a sorted list and the highest version as its latest, though it has no @latest', async () => {
    const { get, quirky } = await quirkyWorld();
    const latest = await get(`${ESCAPED}/@latest`);
    expect([latest.status, JSON.parse(latest.text)]).toMatchObject([200, { Version: 'v1.10.0' }]);
    expect(latest.headers['content-type']).toBe('application/json');
    const list = await get(`${ESCAPED}/@v/list`);
    expect([list.status, list.text]).toEqual([200, LIST]);
    expect(list.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(quirky.count('@latest')).toBe(0);
  });

  it('says "not found" for what it does not have, and its probe file is asked for once', async () => {
    const { get, quirky } = await quirkyWorld();
    for (const module of ['nothing', 'nothing/x', 'nothing/y']) {
      const missing = await get(`/corp.example/${module}/@v/list`);
      expect([missing.status, missing.text]).toEqual([404, expect.stringContaining('corp says:')]);
    }
    expect([quirky.count('nothing'), quirky.count('.mod')]).toEqual([3, 1]);
  });

  it('that answers 404 to expired credentials is an outage, which the text explains', async () => {
    const { get, quirky } = await quirkyWorld();
    quirky.expire('Basic another');
    for (const end of ['@v/list', '@latest', '@v/v1.2.0.info', '@v/v1.2.0.mod', '@v/v1.2.0.zip']) {
      const answer = await get(`${ESCAPED}/${end}`);
      expect([end, answer.status]).toEqual([end, 502]);
      expect(answer.text).toMatch(
        /corp: status 404, and so for its probe file: it may refuse the credentials/,
      );
      expect(answer.text).not.toMatch(/s3cret|Basic/);
      expect(answer.headers['cache-control']).toBe('no-store');
    }
    expect(quirky.count('my!tool/@v/v1.2.0.mod')).toBe(2); // once to probe, once for the client
  });

  it('keeps serving what is stored while its credentials are expired', async () => {
    const { get, modferry, quirky } = await quirkyWorld();
    const ends = ['@v/list', '@v/v1.2.0.info', '@v/v1.2.0.mod', '@v/v1.2.0.zip'];
    const before = [];
    for (const end of ends) before.push(await get(`${ESCAPED}/${end}`));
    quirky.expire('Basic another');
    await modferry.miniflare.purgeCache();
    for (const [index, end] of ends.entries()) {
      const answer = await get(`${ESCAPED}/${end}`);
      expect([end, answer.status, answer.text]).toEqual([end, 200, before[index]?.text]);
    }
  });

  it('without a probe its 404 counts', async () => {
    const { get, quirky } = await quirkyWorld({});
    quirky.expire('Basic another');
    expect((await get(`${ESCAPED}/@v/list`)).status).toBe(404);
  });

  it('that shows a login page with status 200 has given nothing', async () => {
    const { get, quirky } = await quirkyWorld();
    quirky.expire('Basic another');
    quirky.showLogin();
    for (const end of ['@v/list', '@v/v1.2.0.info', '@v/v1.2.0.zip'])
      expect([end, (await get(`${ESCAPED}/${end}`)).status]).toEqual([end, 502]);
  });
});
