import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { FILE_HEADERS } from '../conformance/headers.ts';
import { versionOf } from '../fakes/origin/module.ts';
import { fixtureModules, hello } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type Answer, askCounting, failure, summary } from './stage.ts';
import { type Modferry, startModferry } from './modferry.ts';

// Redirects are followed inside, and a credential goes to the origin that it belongs to and nowhere
// else.

const ZIP = '/example.com/hello/@v/v1.1.0.zip';
let corp: FakeOrigin;
let mirror: FakeOrigin;
let modferry: Modferry;
beforeAll(async () => {
  corp = await startOrigin({ modules: fixtureModules(), prefix: '/goproxy' });
  mirror = await startOrigin({ modules: fixtureModules() });
});
// Each test has a modferry of its own, because one avoids an origin that failed.
beforeEach(async () => {
  corp.reset();
  mirror.reset();
  const ORIGINS = JSON.stringify([
    { name: 'corp', url: corp.url, auth: 'CORP_TOKEN' },
    { name: 'mirror', url: mirror.url },
  ]);
  modferry = await startModferry({ variables: { ORIGINS, CORP_TOKEN: 'reader:s3cret' } });
  return () => modferry.close();
});
afterAll(async () => {
  await corp.close();
  await mirror.close();
});

const BASIC = `Basic ${Buffer.from('reader:s3cret').toString('base64')}`;
const ask = (target: string): Promise<Answer> =>
  askCounting(modferry, target, { servers: [corp, mirror] });
const authorizations = (server: FakeOrigin) =>
  server.requests.map(({ headers }) => headers.authorization);

/** A chain of redirects of this length before the file; each hop has a path of its own. */
function chain(length: number): void {
  const hop = (at: number) => (at === length ? `/goproxy/-redirected${ZIP}` : `/goproxy/hop/${at}`);
  corp.set(ZIP, { status: 302, headers: { location: hop(1) } });
  for (let at = 1; at < length; at++)
    corp.set(`/hop/${at}`, { status: 307, headers: { location: hop(at + 1) } });
  corp.set(`/-redirected${ZIP}`, { body: hello().versions['v1.1.0']?.zip ?? '' });
}

it('the credential goes to its own origin, and the next origin gets none', async () => {
  corp.fault(404);
  expect(await ask('/example.com/hello/@v/list')).toMatchObject({ status: 200, asked: 2 });
  expect(authorizations(corp)).toEqual([BASIC]);
  expect(authorizations(mirror)).toEqual([undefined]);
});

it('row 33: a redirect to another host is followed inside, and the zip is then stored', async () => {
  const { zip } = versionOf(hello(), 'v1.1.0');
  mirror.set(`/goproxy${ZIP}`, { body: zip });
  corp.fault({ redirect: mirror.url });
  const fetched = await ask(ZIP);
  expect(summary(fetched)).toEqual({ status: 200, ...FILE_HEADERS.zip, asked: 2 });
  expect(fetched.body.equals(Buffer.from(zip as Uint8Array)), 'the bytes are the same').toBe(true);
  expect((await ask(ZIP)).asked).toBe(0);
  expect({ corp: corp.count(), mirror: mirror.count() }).toEqual({ corp: 1, mirror: 1 });
});

it('the credential is not carried across a redirect to another server', async () => {
  mirror.set(`/goproxy${ZIP}`, { body: hello().versions['v1.1.0']?.zip ?? '' });
  corp.fault({ redirect: mirror.url });
  expect(summary(await ask(ZIP))).toEqual({ status: 200, ...FILE_HEADERS.zip, asked: 2 });
  expect(authorizations(corp)).toEqual([BASIC]);
  expect(authorizations(mirror)).toEqual([undefined]);
  expect(JSON.stringify(mirror.requests.map(({ headers }) => headers))).not.toContain('goproxy');
});

it('the signature of a redirect goes to its target, and neither an answer nor the log shows it', async () => {
  corp.fault({ redirect: mirror.url });
  const answer = await ask(ZIP);
  expect(mirror.requests[0]?.url).toContain('Signature=');
  expect(JSON.stringify([answer.headers, modferry.log])).not.toMatch(/Signature|s3cret|Basic/);
});

it.each([1, 10])('a chain of %i redirects is followed', async (length) => {
  chain(length);
  expect(summary(await ask(ZIP))).toEqual({ status: 200, ...FILE_HEADERS.zip, asked: length + 1 });
  expect(mirror.count()).toBe(0);
});

it('an eleventh redirect is a failure of the origin, and the next one is asked', async () => {
  chain(11);
  expect(summary(await ask(ZIP))).toEqual({ status: 200, ...FILE_HEADERS.zip, asked: 11 + 1 });
  expect(mirror.count()).toBe(1);
});

it.each(['ftp://127.0.0.1/x', 'http://', 'javascript:alert(1)', 'file:///etc/passwd'])(
  'a redirect to %s is a failure of the origin',
  async (location) => {
    for (const server of [corp, mirror]) server.set(ZIP, { status: 302, headers: { location } });
    const answer = await ask(ZIP);
    expect(summary(answer)).toEqual(failure(502, 3)); // one of the two is asked once more
    expect(answer.text).not.toContain(location);
  },
);

it.each(['http://169.254.169.254/latest/meta-data', 'http://2852039166/', 'http://[fe80::1]/x'])(
  'a redirect from this machine to %s on its link is a failure of the origin',
  async (location) => {
    for (const server of [corp, mirror]) server.set(ZIP, { status: 302, headers: { location } });
    const answer = await ask(ZIP);
    expect(summary(answer)).toEqual(failure(502, 3));
    expect(answer.text).toContain('corp: a redirect to a loopback or link-local address');
  },
);

it('a 404 behind a redirect is a failure of the origin, and its text is for nobody', async () => {
  for (const server of [corp, mirror]) {
    server.set(ZIP, { status: 302, headers: { location: '/internal' } });
    server.set('/internal', { status: 404, body: 'INTERNAL-SECRET' });
  }
  corp.set(ZIP, { status: 302, headers: { location: '/goproxy/internal' } });
  const answer = await ask(ZIP);
  expect(answer.status).toBe(502);
  expect(JSON.stringify([answer.text, modferry.log])).not.toContain('INTERNAL-SECRET');
});

it('a loop of redirects ends as 502', async () => {
  for (const server of [corp, mirror]) server.fault('redirect-loop');
  const answer = await ask(ZIP);
  expect(summary(answer)).toEqual(failure(502, 33));
  expect(answer.text).toMatch(/corp: more than 10 redirects; mirror: more than 10 redirects/);
});
