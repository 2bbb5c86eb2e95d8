import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyDeflate, overlapping, PREFIX } from '../fakes/zip/forged-zip.ts';
import { goSum, makeModule, makeVersion } from '../fakes/origin/module.ts';
import { noise, writeZip, type ZipEntry } from '../fakes/zip/zip-writer.ts';
import { MB } from '../worker/big-zip.ts';
import type { Modferry } from '../worker/modferry.ts';
import { succeeded } from './commands.ts';
import { GO_COMMANDS, newDeveloper, startFor, startWorld, type World } from './go-setup.ts';

// Zips that break Go's rules, although the log has their hash, as it has that of everything that an
// author publishes. modferry refuses them with the reason, and goes on serving others.

type Inside = Omit<ZipEntry, 'name'> & { readonly name: string };

/** Stored forms that are far longer or shorter than what they declare. */
const bomb = deflateRawSync(Buffer.alloc(100 * MB));

/** One entry beside a right go.mod, and what the go command prints about it. */
const BAD_ENTRIES: readonly (readonly [what: string, entry: Inside, reason: string])[] = [
  ['an entry that leads out', { name: '../../../a', content: '' }, 'does not unpack: .*\\.\\./a'],
  ['an absolute path', { name: '/a', content: '' }, 'does not unpack: .*//a'],
  [
    'two files of one name',
    { name: 'go.mod', content: 'module evil\n' },
    'does not unpack: .*go\\.mod',
  ],
  ['names that differ in case', { name: 'A.GO', content: '' }, 'does not unpack: .*A\\.GO'],
  ['a go.mod in a directory', { name: 'b/go.mod', content: '' }, 'does not unpack: .*b/go\\.mod'],
  ['a name of a device', { name: 'con.go', content: '' }, 'does not unpack: .*con\\.go'],
  [
    'a declared size that is too small',
    { name: 'b', content: 'four', lies: { size: 3 } },
    'declares 3 bytes',
  ],
  [
    'a declared size that is too large',
    { name: 'b', content: 'four', lies: { size: 5 } },
    'declares 5 bytes',
  ],
  [
    'a stored size that is too large',
    { name: 'b', content: 'four', lies: { compressedSize: 2 ** 30 } },
    'a broken zip: ',
  ],
  [
    'declared sizes beyond 500 MiB',
    { name: 'b', content: 'four', lies: { size: 500 * 2 ** 20 } },
    "does not unpack: .*over Go's limit",
  ],
  [
    'another checksum',
    { name: 'b', content: 'four', lies: { crc32: 1 } },
    'has CRC-32 \\w+ where 00000001',
  ],
  [
    '100 MB where 4 bytes are declared',
    { name: 'b', content: 'four', data: bomb },
    'declares 4 bytes',
  ],
  [
    '100 MB where 2 MB are declared',
    { name: 'b', content: Buffer.alloc(2 * MB), data: bomb },
    'declares 2000000 bytes',
  ],
];

describe.each(GO_COMMANDS)('$name', ({ go }) => {
  describe.skipIf(go === '')('with modferry as its only proxy', () => {
    let world: World;
    let modferry: Modferry;
    let modules = 0;
    beforeAll(async () => {
      world = await startWorld(go);
      modferry = await startFor(world);
    });
    afterAll(async () => {
      await modferry.close();
      await world.close();
    });

    /** The result of `go mod download` for a client that checks nothing. */
    async function download(path: string, proxy = modferry.url) {
      const developer = await newDeveloper(go, proxy, world);
      try {
        return await developer.go(['mod', 'download', `${path}@v1.0.0`], { gosumdb: 'off' });
      } finally {
        await developer.close();
      }
    }

    /** Both origins have this zip, and the log has a hash for it. */
    async function publish(path: string, zip: Uint8Array, lines?: string) {
      const version = { ...makeVersion(path, 'v1.0.0', {}), zip };
      for (const origin of world.origins) origin.add(makeModule(path, { 'v1.0.0': version }));
      await world.database.add(lines ?? goSum(path, 'v1.0.0', version));
    }

    async function kept(path: string): Promise<string[]> {
      const bucket = await modferry.miniflare.getR2Bucket('FILES');
      return (await bucket.list({ prefix: `${path}/@v/v1.0.0.zip` })).objects.map(({ key }) => key);
    }

    const refused = (path: string, reason: string) => {
      const causes = world.origins.map(({ url }) => `${new URL(url).host}: [^;]*${reason}[^;]*`);
      return {
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(
          new RegExp(
            `${path}/@v/v1\\.0\\.0\\.zip: 502 Bad Gateway\\n[^]*${causes.join('; ')} \\(request `,
          ),
        ),
      };
    };

    it.each(BAD_ENTRIES)(
      'prints the reason for a zip with %s, which it would not unpack itself',
      async (_, entry, reason) => {
        modules += 1;
        const path = `bad.example/m${modules}`;
        const entries = [
          { name: 'go.mod', content: `module ${path}\n` },
          { name: 'a.go', content: '' },
          entry,
        ];
        const inPath = entries.map((entry) =>
          Object.assign({}, entry, { name: `${path}@v1.0.0/${entry.name}` }),
        );
        await publish(path, writeZip(inPath));
        expect(await download(path)).toMatchObject(refused(path, reason));
        expect(await kept(path)).toEqual([]);
        expect(await download(path, world.origins[0].url)).toMatchObject({ code: 1 });
      },
    );

    it('prints the reason for a zip with an entry of another module', async () => {
      const path = 'bad.example/outside';
      const names = [`${path}@v1.0.0/go.mod`, 'bad.example/other@v1.0.0/a.go'];
      await publish(path, writeZip(names.map((name) => ({ name, content: '' }))));
      const reason =
        'with the entry "bad\\.example/other@v1\\.0\\.0/a\\.go", outside of bad\\.example/outside@v1\\.0\\.0/';
      expect(await download(path)).toMatchObject(refused(path, reason));
      expect(await kept(path)).toEqual([]);
    });

    it('prints the reason for a small zip of 50,000 entries that share their data, and others are served meanwhile', async () => {
      const content = noise(8_000);
      const zip = overlapping(50_000, { content, data: deflateRawSync(content) });
      const path = PREFIX.slice(0, PREFIX.indexOf('@'));
      await publish(path, zip, goSum(path, 'v1.0.0', makeVersion(path, 'v1.0.0', {})));
      const [attacked, other] = await Promise.all([download(path), download('example.com/dep')]);
      expect(attacked).toMatchObject(refused(path, 'entries overlap'));
      expect(succeeded(other)).toBe('');
    });

    it('prints the reason for a zip of endless empty blocks, and others are served meanwhile', async () => {
      const path = 'bad.example/nothing';
      const data = emptyDeflate(7_000_000);
      await publish(
        path,
        writeZip([{ name: `${path}@v1.0.0/a`, content: 'four', data }]),
        goSum(path, 'v1.0.0', makeVersion(path, 'v1.0.0', {})),
      );
      const [attacked, other] = await Promise.all([download(path), download('gopkg.in/check.v1')]);
      expect(attacked).toMatchObject(refused(path, 'declares 4 bytes'));
      expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('not found') });
    });
  });
});
