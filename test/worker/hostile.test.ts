import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failure, NEGATIVE, type Stage, startStage, summary } from './conformance.ts';

// Rows 69 to 108 of the conformance list: paths that no module proxy has, sent as they stand here,
// and next to them those that only look like it.

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());

const HELLO = '/example.com/hello';

describe('is 404, nobody is asked and nothing is kept:', () => {
  it.each([
    [69, '/github.com/Azure/Thing/@v/list'],
    [70, '/github.com/!!azure/x/@v/list'],
    [71, '/github.com/!Azure/x/@v/list'],
    [71, '/github.com/a!/x/@v/list'],
    [71, '/github.com/!1/x/@v/list'],
    [72, '/!example.com/x/@v/list'],
    [73, '/github.com/%2521azure/x/@v/list'],
    [74, `${HELLO}/@v/v1.1.0%252einfo`],
    [75, '/../../etc/passwd'],
    [75, '/%2e%2e/%2e%2e/etc/passwd'],
    [75, '/example.com/hello/@v/../../../../etc/passwd'],
    [76, `${HELLO}/@v/..%2f..%2f..%2fsecret.info`],
    [77, `${HELLO}/@v/%2e%2e.info`],
    [77, `${HELLO}/@v/...info`],
    [77, `${HELLO}/@v/....zip`],
    [78, '/example.com%2fhello/@v/list'],
    [78, '/example.com%2Fhello/@v/list'],
    [79, '/example.com/..%5c..%5cx/@v/list'],
    [80, '/example.com/hello%00/@v/list'],
    [80, `${HELLO}/@v/v1.1.0%00.info`],
    [80, `${HELLO}/@v/list%00`],
    [81, '/example.com/h%C3%A9llo/@v/list'],
    [81, Buffer.from('/example.com/héllo/@v/list').toString('latin1')],
    [82, '/example.com/%c0%ae%c0%ae/x/@v/list'],
    [82, '/example.com/%zz/@v/list'],
    [82, '/example.com/%/@v/list'],
    [83, '/example.com/hello%0d%0aX-Injected:1/@v/list'],
    [83, `${HELLO}/@v/v1.1.0%0d%0aX-Injected:1.info`],
    [84, `${HELLO}/@v/%1b[31m.info`],
    [84, '/example.com/%1b[31m/@v/list'],
    [85, '//example.com/hello/@v/list'],
    [85, '/example.com//hello/@v/list'],
    [85, `${HELLO}//@v/list`],
    [86, `${HELLO}/@v/list/`],
    [86, `${HELLO}/@v/`],
    [86, `${HELLO}/@v`],
    [87, HELLO],
    [87, `${HELLO}/`],
    [87, '/favicon.ico'],
    [87, '/robots.txt'],
    [88, '/@v/list'],
    [88, '//@v/list'],
    [88, '/@latest'],
    [89, `${HELLO}/@v/v1.1.0`],
    [89, `${HELLO}/@v/.info`],
    [89, `${HELLO}/@v/v1.1.0.`],
    [90, `${HELLO}/@v/v1.1.0.zip.sha256`],
    [90, `${HELLO}/@v/v1.1.0.ziphash`],
    [90, `${HELLO}/@v/v1.1.0.lock`],
    [90, `${HELLO}/@v/v1.1.0.partial`],
    [90, `${HELLO}/@v/v1.1.0.exe`],
    [91, `${HELLO}/@v/v1.1.0.INFO`],
    [91, `${HELLO}/@V/list`],
    [91, `${HELLO}/@Latest`],
    [92, `${HELLO}/@v/sub/v1.1.0.info`],
    [93, `${HELLO}/@v/master.mod`],
    [93, `${HELLO}/@v/master.zip`],
    [93, `${HELLO}/@v/v1.mod`],
    [93, `${HELLO}/@v/v1.1.zip`],
    [93, `${HELLO}/@v/v1.1.0+meta.zip`],
    [94, `${HELLO}/@v/v2.0.0.mod`],
    [94, `${HELLO}/@v/v2.0.0.zip`],
    [95, '/example.com/hello/v2/@v/v1.0.0.zip'],
    [95, '/example.com/m/v1/@v/list'],
    [95, '/example.com/m/v02/@v/list'],
    [95, '/example.com/m/v2.0/@v/list'],
    [96, '/gopkg.in/yaml/@v/list'],
    [96, '/gopkg.in/yaml/v2/@v/list'],
    [97, '/example/x/@v/list'],
    [97, '/-x.com/a/@v/list'],
    [97, '/example.com:8080/a/@v/list'],
    [97, '/user@example.com/a/@v/list'],
    [98, '/example.com/.git/x/@v/list'],
    [98, '/example.com/a./@v/list'],
    [98, '/example.com/con/@v/list'],
    [98, '/example.com/!c!o!m1.txt/@v/list'],
    [98, '/example.com/x~1/@v/list'],
    [99, '/example.com/a+b/@v/list'],
    [99, '/example.com/a%20b/@v/list'],
    [99, '/example.com/a*b/@v/list'],
    [102, `${HELLO}/@v/latest.info`],
    [102, `${HELLO}/@v/upgrade.info`],
    [102, `${HELLO}/@v/patch.info`],
    [103, `${HELLO}/@v/aux.info`],
    [103, `${HELLO}/@v/con.info`],
    [103, `${HELLO}/@v/x..info`],
    [104, `${HELLO}/@v/v1.1.0-!R.info`],
    [104, `${HELLO}/@v/v1.1.0-RC1.info`],
  ])('row %i: %s', async (_row, target) => {
    const answer = await stage.ask(target);
    expect(summary(answer)).toEqual(failure(404, 0, NEGATIVE));
    expect(answer.headers['cache-status']).toBe('modferry; detail=local');
    expect(answer.headers).not.toHaveProperty('x-injected');
  });

  it('the bucket is empty after all of them', async () => {
    expect(await stage.bucketKeys()).toEqual([]);
  });
});

describe('is passed to the origin under the path that go would send:', () => {
  it.each([
    [94, `${HELLO}/@v/v2.0.0.info`, undefined],
    [100, '/example.com/a..b/@v/list', undefined],
    [101, '/127.0.0.1/x/@v/list', undefined],
    [101, '/169.254.169.254/latest/@v/list', undefined],
    [101, '/localhost.localdomain/x/@v/list', undefined],
    [101, '/metadata.google.internal/x/@v/list', undefined],
    [106, `${HELLO}/@v/a%20b.info`, undefined],
    [106, `${HELLO}/@v/a%23b.info`, undefined],
    [106, `${HELLO}/@v/a%2Cb.info`, undefined],
    [106, `${HELLO}/@v/a%2cc.info`, `${HELLO}/@v/a%2Cc.info`],
    [106, `${HELLO}/@v/a,d.info`, `${HELLO}/@v/a%2Cd.info`],
    [106, `${HELLO}/@v/a@b.info`, undefined],
    [106, `${HELLO}/@v/a=b.info`, undefined],
    [106, `${HELLO}/@v/a(b).info`, `${HELLO}/@v/a%28b%29.info`],
    [106, `${HELLO}/@v/%68idden.info`, `${HELLO}/@v/hidden.info`],
    [107, `${HELLO}/@v/v01.0.0.info`, undefined],
    [107, `${HELLO}/@v/1.0.0.info`, undefined],
    [107, `${HELLO}/@v/v1.0.0-.info`, undefined],
    [108, `${HELLO}/@v/v99999999999999999999.0.0-x.info`, undefined],
  ])('row %i: %s', async (_row, target, spelling) => {
    const answer = await stage.ask(target);
    expect(summary(answer)).toEqual(failure(404, 1, NEGATIVE));
    expect(stage.origin.requests.at(-1)?.url).toBe(spelling ?? target);
    expect(answer.headers['cache-status']).toContain('fwd-status=404');
  });

  it('row 106: and the answer is kept under that name', async () => {
    const body = '{"Version":"v1.1.0"}';
    stage.origin.set(`${HELLO}/@v/a c@d.info`, { body });
    expect(await stage.ask(`${HELLO}/@v/a%20c@d.info`)).toMatchObject({
      status: 200,
      text: body,
      asked: 1,
    });
    await expect.poll(() => stage.bucketKeys()).toContain('example.com/hello/@v/a c@d.info');
  });
});

it('row 79: a raw backslash is a slash, as in any URL', async () => {
  const answer = await stage.ask('/example.com\\hello/@v/list');
  expect(answer.status).toBe(200);
  expect(stage.origin.requests.at(-1)?.url).toBe(`${HELLO}/@v/list`);
});

it('row 101: a module on a metadata address is what the origin says it is', async () => {
  stage.origin.set('/169.254.169.254/latest/meta-data/@v/list', { body: 'v0.0.1\n' });
  const answer = await stage.ask('/169.254.169.254/latest/meta-data/@v/list');
  expect(answer).toMatchObject({ status: 200, text: 'v0.0.1\n', asked: 1 });
});

it('row 105: a path over 2048 bytes is 404, and nobody is asked', async () => {
  for (const target of [
    `/example.com/${'a'.repeat(2048)}/@v/list`,
    `${HELLO}/@v/${'v'.repeat(2048)}.info`,
  ]) {
    expect(summary(await stage.ask(target))).toEqual(failure(404, 0, NEGATIVE));
  }
});

it('row 105: below that, long versions, deep paths and names too long for a bucket go to the origin', async () => {
  for (const target of [
    `${HELLO}/@v/v1.0.0-${'a'.repeat(293)}.info`,
    `/example.com${'/x'.repeat(100)}/@v/list`,
    `/example.com/${'a'.repeat(2020)}/@v/list`,
  ]) {
    expect(summary(await stage.ask(target))).toEqual(failure(404, 1, NEGATIVE));
    expect(stage.origin.requests.at(-1)?.url).toBe(target);
  }
});
