import { describe, expect, it } from 'vitest';
import {
  databaseOf,
  fakeTree,
  type FakeTree,
  flipped,
  memoryTree,
  run,
} from '../../../test/fakes/store/audited-tree.ts';
import { makeVersion, zipHash } from '../../../test/fakes/origin/module.ts';

const HELLO = 'example.com/hello/@v/v1.1.0';
const DB = 'sumdb/sum.example.test';
const utf8 = (text: string) => new TextEncoder().encode(text);

type Attack = readonly [name: string, spoil: (world: FakeTree) => void, wrong: readonly string[]];

const at =
  (key: string, change: (bytes: Uint8Array, world: FakeTree) => Uint8Array): Attack[1] =>
  (world) => {
    const bytes = world.files.get(key);
    if (!bytes) throw new Error(`no ${key}`);
    world.files.set(key, change(bytes, world));
  };
const flip = (key: string, index: number) => at(key, (bytes) => flipped(bytes, index));
const lookup = `${DB}/lookup/example.com/hello@v1.1.0`;

const ATTACKS: readonly Attack[] = [
  ['a flipped bit in the content of a zip', flip(`${HELLO}.zip`, 100), [`${HELLO}.zip`]],
  ['a flipped bit in the directory of a zip', flip(`${HELLO}.zip`, -30), [`${HELLO}.zip`]],
  ['a truncated zip', at(`${HELLO}.zip`, (bytes) => bytes.slice(0, -1)), [`${HELLO}.zip`]],
  ['an empty zip file', at(`${HELLO}.zip`, () => new Uint8Array()), [`${HELLO}.zip`]],
  ['a page instead of a zip', at(`${HELLO}.zip`, () => utf8('<html>')), [`${HELLO}.zip`]],
  [
    'the right zip of another version',
    at(
      `${HELLO}.zip`,
      (_, { files }) => files.get('example.com/hello/@v/v1.0.0.zip') ?? new Uint8Array(),
    ),
    [`${HELLO}.zip`],
  ],
  [
    'a zip whose mark was changed with it',
    (world) => {
      const forged = makeVersion('example.com/hello', 'v1.1.0', {
        'go.mod': 'module example.com/hello\n',
      });
      if (!(forged.zip instanceof Uint8Array)) throw new Error('big');
      world.files.set(`${HELLO}.zip`, forged.zip);
      world.files.set(`${HELLO}.ziphash`, utf8(zipHash(forged)));
    },
    [`${HELLO}.zip`, `${HELLO}.ziphash`],
  ],
  ['a flipped bit in a mark', flip(`${HELLO}.ziphash`, 10), [`${HELLO}.ziphash`]],
  ['a mark that is no hash', at(`${HELLO}.ziphash`, () => utf8('right')), [`${HELLO}.ziphash`]],
  [
    'a flipped bit in a mark without its zip',
    (world) => {
      world.files.delete(`${HELLO}.zip`);
      flip(`${HELLO}.ziphash`, 10)(world);
    },
    [`${HELLO}.ziphash`],
  ],
  ['a flipped bit in a go.mod', flip(`${HELLO}.mod`, 3), [`${HELLO}.mod`]],
  [
    'an info that names another version',
    at(`${HELLO}.info`, () => utf8('{"Version":"v1.0.0"}')),
    [`${HELLO}.info`],
  ],
  ['an info that is no JSON', at(`${HELLO}.info`, () => utf8('{')), [`${HELLO}.info`]],
  [
    'a page instead of a list',
    at('example.com/hello/@v/list', () => utf8('<html>')),
    ['example.com/hello/@v/list'],
  ],
  [
    'a latest that names no version',
    at('example.com/hello/@latest', () => utf8('{}')),
    ['example.com/hello/@latest'],
  ],
  [
    'a branch that names no version',
    at('example.com/hello/@v/master.info', () => utf8('[]')),
    ['example.com/hello/@v/master.info'],
  ],
  ['a flipped bit in the id of a lookup', flip(lookup, 0), [lookup]],
  ['a flipped bit in the hash of a lookup', flip(lookup, 40), [lookup]],
  ['a flipped bit in the tree head of a lookup', flip(lookup, -150), [lookup]],
  ['a flipped bit in the signature of a lookup', flip(lookup, -20), [lookup]],
  [
    'the lookup of another version',
    at(lookup, (_, { log }) => utf8(log.lookup('example.com/hello', 'v1.0.0'))),
    [lookup],
  ],
  ['a flipped bit in the signed tree head', flip(`${DB}/latest`, -20), [`${DB}/latest`]],
  ['a flipped bit in a full tile', flip(`${DB}/tile/8/0/000`, 40), [`${DB}/tile/8/0/000`]],
  [
    'a flipped bit in the partial tile at the bottom',
    flip(`${DB}/tile/8/0/002.p/99`, 40),
    [`${DB}/tile/8/0/002.p/99`],
  ],
  [
    'a flipped bit in the partial tile at the top',
    flip(`${DB}/tile/8/1/000.p/2`, 40),
    [`${DB}/tile/8/1/000.p/2`],
  ],
  [
    'a truncated tile',
    at(`${DB}/tile/8/0/001`, (bytes) => bytes.slice(32)),
    [`${DB}/tile/8/0/001`],
  ],
  [
    'a flipped bit in a tile of records',
    flip(`${DB}/tile/8/data/000`, 40),
    [`${DB}/tile/8/data/000`],
  ],
];

describe.each(ATTACKS)('%s', (_, spoil, wrong) => {
  it('is found, with what is expected, what is found, and the source of the expectation', async () => {
    const world = fakeTree();
    spoil(world);
    const { findings } = await run(memoryTree(world.files), world.databases);
    expect(findings.map(({ key }) => key)).toEqual(wrong);
    for (const { expected, found, source } of findings) {
      expect(expected).not.toBe('');
      expect(found).not.toBe('');
      expect(found).not.toBe(expected);
      expect(source).not.toBe('');
    }
  });

  it('is found as well where the database is asked', async () => {
    const world = fakeTree();
    spoil(world);
    const { findings } = await run(memoryTree(world.files), world.databases, {
      ask: databaseOf(world.log),
    });
    expect(findings.map(({ key }) => key)).toEqual(wrong);
  });

  it('is removed by a fix, and nothing else', async () => {
    const world = fakeTree();
    spoil(world);
    const present = new Set(world.files.keys());
    const tree = memoryTree(world.files);
    await run(tree, world.databases, { fix: true });
    const withMarks = new Set(
      wrong.flatMap((key) => (key.endsWith('.zip') ? [key, `${key}hash`] : [key])),
    );
    expect([...present].filter((key) => !tree.files.has(key)).toSorted()).toEqual(
      [...withMarks].toSorted(),
    );
    expect((await run(tree, world.databases)).findings).toEqual([]);
  });

  it('is only reported without a fix', async () => {
    const world = fakeTree();
    spoil(world);
    const tree = memoryTree(world.files);
    await run(tree, world.databases);
    expect(tree.files).toEqual(world.files);
  });
});
