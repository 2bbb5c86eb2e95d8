import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashGoMod, hashZip, readZip } from '../fakes/zip/dirhash.ts';
import { type FakeModule, infoJSON, versionOf, zipHash } from '../fakes/origin/module.ts';
import {
  azureThing,
  CHECK_V1,
  checkV1,
  hello,
  HELLO_DEV,
  legacy,
  pseudo,
  toolchain,
  yamlV2,
} from '../fakes/origin/modules.ts';
import { FILE_HEADERS, type Stage, startStage, summary, TEXT, ZIP } from './conformance.ts';

// Rows 1 to 23 of the conformance list: what is asked for, and what a good origin has. Each file
// uses up the cold state of its paths, so no path stands in two tests.

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());

const HELLO = '/example.com/hello';
const TOOLCHAIN = 'v0.0.1-go1.90.0.linux-amd64';
const file = (module: FakeModule, version: string, kind: 'info' | 'mod' | 'zip') =>
  Buffer.from(versionOf(module, version)[kind] as string);
const query = (module: FakeModule, name: string) => Buffer.from(module.queries[name] ?? '');

it.each([
  ['row 1: a list', `${HELLO}/@v/list`, 'list', Buffer.from(hello().list)],
  [
    'row 2: an .info with its Origin',
    `${HELLO}/@v/v1.1.0.info`,
    'info',
    file(hello(), 'v1.1.0', 'info'),
  ],
  ['row 3: a .mod', `${HELLO}/@v/v1.1.0.mod`, 'mod', file(hello(), 'v1.1.0', 'mod')],
  ['row 4: a .zip', `${HELLO}/@v/v1.1.0.zip`, 'zip', file(hello(), 'v1.1.0', 'zip')],
  ['row 5: @latest', `${HELLO}/@latest`, 'latest', Buffer.from(hello().latest ?? '')],
  ['row 13: a branch', `${HELLO}/@v/master.info`, 'query', query(hello(), 'master')],
  ['row 14: an upper-case branch', `${HELLO}/@v/%21dev.info`, 'query', query(hello(), 'Dev')],
  [
    'row 15: twelve digits of a hash',
    `${HELLO}/@v/0123456789ab.info`,
    'query',
    query(hello(), '0123456'),
  ],
  [
    'row 15: seven digits of a hash',
    `${HELLO}/@v/0123456.info`,
    'query',
    query(hello(), '0123456'),
  ],
  ['row 17: an empty list', '/example.com/pseudo/@v/list', 'list', Buffer.from('')],
  [
    'row 18: @latest without a tag',
    '/example.com/pseudo/@latest',
    'latest',
    Buffer.from(pseudo().latest ?? ''),
  ],
  [
    'row 19: the .info of a gopkg.in path',
    '/gopkg.in/yaml.v2/@v/v2.2.1.info',
    'info',
    file(yamlV2(), 'v2.2.1', 'info'),
  ],
  [
    'row 20: a v0 pseudo-version on .v1',
    `/gopkg.in/check.v1/@v/${CHECK_V1}.mod`,
    'mod',
    file(checkV1(), CHECK_V1, 'mod'),
  ],
  [
    'row 21: a toolchain without its .info before',
    `/golang.org/toolchain/@v/${TOOLCHAIN}.zip`,
    'zip',
    file(toolchain(), TOOLCHAIN, 'zip'),
  ],
  [
    "row 22: the toolchain's list",
    '/golang.org/toolchain/@v/list',
    'list',
    Buffer.from(toolchain().list),
  ],
  [
    'row 34: a synthetic go.mod',
    '/example.com/legacy/@v/v1.0.0.mod',
    'mod',
    Buffer.from('module example.com/legacy\n'),
  ],
] as const)(
  "%s is 200 with exactly the origin's bytes, and one request to it",
  async (_row, target, kind, body) => {
    const answer = await stage.ask(target);
    expect(summary(answer)).toEqual({ status: 200, ...FILE_HEADERS[kind], asked: 1 });
    expect(answer.body.equals(body)).toBe(true);
    expect(answer.headers['content-length']).toBe(String(body.length));
    expect(answer.headers['cache-status']).toContain('fwd=uri-miss; fwd-status=200');
    expect(stage.origin.requests.at(-1)?.url).toBe(target);
  },
);

it('rows 3 and 4: .mod and .zip have the hashes of go.sum', async () => {
  const files = versionOf(hello(), 'v1.1.0');
  const mod = await stage.ask(`${HELLO}/@v/v1.1.0.mod`);
  const zip = await stage.ask(`${HELLO}/@v/v1.1.0.zip`);
  expect(hashGoMod(mod.body)).toBe(hashGoMod(files.mod));
  expect(hashZip(zip.body)).toBe(zipHash(files));
});

it.each(['info', 'mod', 'zip'] as const)(
  'row 6: a .%s is asked for once and served ever after',
  async (kind) => {
    const target = `${HELLO}/@v/v1.0.0.${kind}`;
    const first = await stage.ask(target);
    const again = await stage.ask(target);
    await stage.expire();
    const fromBucket = await stage.ask(target);
    expect([first.asked, again.asked, fromBucket.asked]).toEqual([1, 0, 0]);
    for (const answer of [again, fromBucket]) {
      expect(summary(answer)).toEqual({ ...summary(first), asked: 0 });
      expect(answer.body.equals(first.body)).toBe(true);
      expect(answer.headers['etag']).toBe(first.headers['etag']);
      expect(answer.headers['cache-status']).toMatch(/^modferry; hit; detail=(edge|kv|r2)$/);
    }
  },
);

it('rows 7 and 8: %21 and ! are one spelling and one entry', async () => {
  const expected = { status: 200, ...FILE_HEADERS.info };
  const encoded = await stage.ask('/github.com/%21azure/%21thing/@v/v1.0.0.info');
  const literal = await stage.ask('/github.com/!azure/!thing/@v/v1.0.0.info');
  expect(summary(encoded)).toEqual({ ...expected, asked: 1 });
  expect(summary(literal)).toEqual({ ...expected, asked: 0 });
  expect(literal.body.equals(file(azureThing(), 'v1.0.0', 'info'))).toBe(true);
});

it('row 9: the names in a zip are not escaped', async () => {
  const answer = await stage.ask('/github.com/%21azure/%21thing/@v/v1.0.1-%21r%21c1.zip');
  expect(summary(answer)).toEqual({ status: 200, ...FILE_HEADERS.zip, asked: 1 });
  const names = readZip(answer.body).map(({ name }) => name);
  expect(names.filter((name) => !name.startsWith('github.com/Azure/Thing@v1.0.1-RC1/'))).toEqual(
    [],
  );
});

it('rows 10 and 11: + and %2B are one spelling and one entry', async () => {
  const expected = { status: 200, ...FILE_HEADERS.mod };
  const literal = await stage.ask('/example.com/legacy/@v/v3.0.0+incompatible.mod');
  const encoded = await stage.ask('/example.com/legacy/@v/v3.0.0%2Bincompatible.mod');
  expect(summary(literal)).toEqual({ ...expected, asked: 1 });
  expect(summary(encoded)).toEqual({ ...expected, asked: 0 });
  expect(encoded.text).toBe('module example.com/legacy\n');
});

it('row 12: v3.0.0.info answers +incompatible and is not kept as immutable', async () => {
  const target = '/example.com/legacy/@v/v3.0.0.info';
  const answer = await stage.ask(target);
  expect(summary(answer)).toEqual({ status: 200, ...FILE_HEADERS.query, asked: 1 });
  expect(answer.body.equals(query(legacy(), 'v3.0.0'))).toBe(true);
  await stage.expire();
  expect((await stage.ask(target)).asked).toBe(1);
  const namespace = await stage.modferry.miniflare.getKVNamespace('META');
  expect(await namespace.get(target.slice(1))).toBeNull();
});

it('row 13: a branch that moved is seen when its time is over', async () => {
  const target = `${HELLO}/@v/%21h%21e%21a%21d.info`;
  await stage.ask(target);
  await stage.edgeEntry('file', 'example.com/hello/@v/!h!e!a!d.info');
  const moved = infoJSON('example.com/hello', HELLO_DEV);
  stage.origin.set('/example.com/hello/@v/!h!e!a!d.info', {
    headers: { 'content-type': 'application/json' },
    body: moved,
  });
  expect((await stage.ask(target)).asked).toBe(0);
  await stage.expire();
  const answer = await stage.ask(target);
  expect(summary(answer)).toEqual({ status: 200, ...FILE_HEADERS.query, asked: 1 });
  expect(answer.text).toBe(moved);
});

it('row 13: the edge keeps what may change for a minute', async () => {
  const { path } = stage.freshModule();
  await stage.ask(`/${path}/@v/list`);
  expect(await stage.edgeEntry('file', `${path}/@v/list`)).toBe(60);
});

it('row 16: v1.1.0+meta that the origin does not have is 404', async () => {
  const answer = await stage.ask(`${HELLO}/@v/v1.1.0+meta.info`);
  expect(summary(answer)).toMatchObject({ status: 404, asked: 1 });
});

it.each([
  ['list', '@v/list', TEXT],
  ['@latest', '@latest', 'application/json'],
  ['.info', '@v/v1.1.0.info', 'application/json'],
  ['.mod', '@v/v1.1.0.mod', TEXT],
  ['.zip', '@v/v1.1.0.zip', ZIP],
])('row 23: a query string on %s changes nothing, the entry neither', async (_name, end, type) => {
  const { path } = stage.freshModule();
  const first = await stage.ask(`/${path}/${end}?x=1`);
  await stage.edgeEntry('file', `${path}/${end}`);
  const again = await stage.ask(`/${path}/${end}?x=2&@v/list`);
  const without = await stage.ask(`/${path}/${end}`);
  expect(summary(first)).toMatchObject({ status: 200, type, asked: 1 });
  expect(stage.origin.requests.at(-1)?.url).toBe(`/${path}/${end}`);
  for (const answer of [again, without]) {
    expect(summary(answer)).toEqual({ ...summary(first), asked: 0 });
    expect(answer.body.equals(first.body)).toBe(true);
  }
});
