import { expect, it } from 'vitest';
import { modulePath, version } from '../../test/fakes/effects/values.ts';
import { memoryStore } from '../../test/fakes/store/memory-store.ts';
import { listedKey } from '../store/key.ts';
import type { Takedown } from '../store/takedowns.ts';
import { takedownCheck } from './check-takedowns.ts';

interface Stored {
  /** Versions about which an origin cannot say anything. */
  readonly failing?: readonly string[];
  /** How many takedowns are due. */
  readonly due?: number;
}

async function checkOf(keys: readonly string[], { due = 0, failing = [] }: Stored = {}) {
  const durable = memoryStore();
  for (const key of keys)
    await durable.write(listedKey(key), { bytes: new Uint8Array(1), etag: '"e"' }, 'create');
  const asked: string[] = [];
  const takedown: Takedown = {
    module: modulePath('example.com/bad'),
    version: version('v1.0.0'),
    file: 'zip',
    origin: 'o',
    words: '',
    since: 0,
    askedAt: 0,
  };
  const check = takedownCheck({
    durable,
    due: async () => Array.from({ length: due }, () => takedown),
    askAgain: async ({ file }) => asked.push(`again ${file}`),
    async ask({ module, version }) {
      asked.push(`${module}@${version}`);
      return !failing.includes(version);
    },
  });
  return { asked, check };
}

const filesOf = (name: string) =>
  ['info', 'mod', 'zip', 'ziphash'].map((kind) => `example.com/a/@v/${name}.${kind}`);

it('each stored version is asked for once, and nothing else that is stored', async () => {
  const { asked, check } = await checkOf([
    '.modferry/marks.json',
    'example.com/a/@latest',
    'example.com/a/@v/list',
    'example.com/a/@v/main.info',
    ...filesOf('v1.0.0'),
    ...filesOf('v1.0.0-rc.1'),
    'example.com/a/@v/v1.1.0.mod',
    ...filesOf('v1.2.0').map((key) => `private/${key}`),
    ...filesOf('v1.3.0').map((key) => `hosted/${key}`),
    'sumdb/sum.golang.org/latest',
  ]);
  expect(await check(undefined, 50)).toEqual({ cursor: undefined, versions: 3 });
  expect(asked.toSorted()).toEqual(
    ['v1.0.0', 'v1.0.0-rc.1', 'v1.1.0'].map((name) => `example.com/a@${name}`),
  );
});

it('a slice ends by its number of versions, and the next one goes on behind it', async () => {
  const names = ['v1.0.0', 'v1.1.0', 'v1.2.0', 'v1.3.0', 'v1.4.0'];
  const { asked, check } = await checkOf(names.flatMap(filesOf));
  const slices: number[] = [];
  let cursor: string | undefined;
  do {
    const slice = await check(cursor, 2);
    slices.push(slice.versions);
    cursor = slice.cursor;
  } while (cursor !== undefined);
  expect(slices).toEqual([2, 2, 1]);
  expect(asked).toEqual(names.map((name) => `example.com/a@${name}`));
});

it('a failure ends the slice, and the next one goes on behind that version', async () => {
  const names = ['v1.0.0', 'v1.1.0', 'v1.2.0'];
  const { asked, check } = await checkOf(names.flatMap(filesOf), { failing: ['v1.1.0'] });
  const { cursor } = await check(undefined, 50);
  expect(asked).toHaveLength(2);
  expect(await check(cursor, 50)).toEqual({ cursor: undefined, versions: 1 });
  expect(asked).toEqual(names.map((name) => `example.com/a@${name}`));
});

it('what was taken down is asked for first, in at most half of a slice', async () => {
  const { asked, check } = await checkOf(filesOf('v1.0.0'), { due: 5 });
  expect(await check(undefined, 4)).toEqual({ cursor: undefined, versions: 3 });
  expect(asked).toEqual(['again zip', 'again zip', 'example.com/a@v1.0.0']);
});
