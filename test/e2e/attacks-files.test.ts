import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { hashGoMod } from '../fakes/zip/dirhash.ts';
import { alter, flipBit } from '../fakes/origin/faults.ts';
import {
  type FakeVersion,
  filePath,
  goSum,
  makeModule,
  makeVersion,
  zipHash,
} from '../fakes/origin/module.ts';
import { noise, writeZip } from '../fakes/zip/zip-writer.ts';
import { MB, serveBigZip } from '../worker/big-zip.ts';
import type { Modferry } from '../worker/modferry.ts';
import { succeeded } from './commands.ts';
import {
  type Developer,
  GO_COMMANDS,
  newDeveloper,
  startFor,
  startWorld,
  type World,
} from './go-setup.ts';
import { eventually } from '../eventually.ts';

// Origins that serve another file than the one in the log: a go command gets the right one from
// another origin, or prints what is wrong. So does one that checks nothing itself and would accept
// the wrong file.

const CLIENTS = [
  { name: 'that checks', options: {} },
  {
    name: 'that checks nothing',
    options: { gosumdb: 'off', env: { GONOSUMDB: '*', GOFLAGS: '-modcacherw -insecure' } },
  },
] as const;

const SHA = 'h1:[A-Za-z0-9+/]{43}=';
const OTHER_HASH = `hash ${SHA} where sum\\.example\\.test has ${SHA}`;
const reason = (text: string) => `[^;]*${text}[^;]* \\(sum\\.example\\.test has ${SHA}\\)`;

const zipOf = ({ zip }: FakeVersion) => {
  if (zip instanceof Uint8Array) return zip;
  throw new Error('A zip that is made while it is read');
};
const withFile = (path: string, name: string, content: string | Uint8Array) =>
  writeZip([
    { name: `${path}@v1.0.0/go.mod`, content: `module ${path}\n` },
    { name: `${path}@v1.0.0/${name}`, content },
  ]);

/** What origins serve, and what the go command prints then. */
const WRONG_FILES: readonly (readonly [
  name: string,
  end: 'mod' | 'zip',
  forge: (right: FakeVersion, path: string) => string | Uint8Array,
  text: string,
])[] = [
  ['a .mod with one bit flipped', 'mod', ({ mod }) => flipBit(mod, -2), OTHER_HASH],
  ['the .mod of another module', 'mod', () => 'module elsewhere.example/m\n', OTHER_HASH],
  [
    'a zip with one bit of a file flipped',
    'zip',
    (right, path) => flipBit(zipOf(right), 30 + `${path}@v1.0.0/go.mod`.length + 5),
    reason('a broken zip: entry "[^"]*go\\.mod" '),
  ],
  [
    'a zip with one bit of its end flipped',
    'zip',
    (right) => flipBit(zipOf(right), -6),
    reason('a broken zip: '),
  ],
  [
    'a zip with another file',
    'zip',
    (_, path) => withFile(path, 'a.go', 'package evil\n'),
    OTHER_HASH,
  ],
  ['a zip with a file more', 'zip', (_, path) => withFile(path, 'b.go', 'package b\n'), OTHER_HASH],
  [
    'half of a zip',
    'zip',
    (right) => zipOf(right).subarray(0, zipOf(right).length / 2),
    reason('a broken zip: '),
  ],
  ['what is no zip', 'zip', (right) => noise(zipOf(right).length), reason('a body that is no zip')],
  [
    'the right zip of another version',
    'zip',
    (_, path) => zipOf(makeVersion(path, 'v1.0.1', { 'go.mod': `module ${path}\n` })),
    reason('with the entry "[^"]*@v1\\.0\\.1/go\\.mod", outside of '),
  ],
  [
    'a zip of 100 kB that inflates to 100 MB',
    'zip',
    (_, path) => withFile(path, 'a', Buffer.alloc(100 * MB)),
    OTHER_HASH,
  ],
];

const theRightFiles = (right: FakeVersion) =>
  CLIENTS.map(({ name }) => ({
    name,
    code: 0,
    text: undefined,
    kept: ['mod', 'zip'],
    sums: [zipHash(right), hashGoMod(right.mod)],
  }));

describe.each(GO_COMMANDS)('$name', ({ go }) => {
  describe.skipIf(go === '')('with modferry as its only proxy', () => {
    let world: World;
    let modferry: Modferry;
    const developers: Developer[] = [];
    let modules = 0;

    beforeAll(async () => {
      world = await startWorld(go);
      modferry = await startFor(world);
    });
    beforeEach(() => {
      world.reset();
      return async () => {
        for (const developer of developers.splice(0)) await developer.close();
      };
    });
    afterAll(async () => {
      await modferry.close();
      await world.close();
    });

    /** A module of its own for one test, at both origins and in the log. */
    async function publish() {
      modules += 1;
      const path = `victim.example/m${modules}`;
      const right = makeVersion(path, 'v1.0.0', {
        'go.mod': `module ${path}\n`,
        'a.go': 'package a\n',
      });
      for (const origin of world.origins) origin.add(makeModule(path, { 'v1.0.0': right }));
      await world.database.add(goSum(path, 'v1.0.0', right));
      return { path, right };
    }

    async function newcomer(proxy = modferry.url): Promise<Developer> {
      const developer = await newDeveloper(go, proxy, world);
      developers.push(developer);
      return developer;
    }

    /** The results of `go mod download` for every kind of client, each with an empty cache. */
    async function everyClient(path: string, proxy?: string) {
      const got = [];
      for (const { name, options } of CLIENTS) {
        const { go, home } = await newcomer(proxy);
        const { code, stdout } = await go(['mod', 'download', '-json', `${path}@v1.0.0`], options);
        const { Error: text, Sum, GoModSum } = JSON.parse(stdout);
        const cached = join(home, 'go', 'pkg', 'mod', 'cache', 'download', path, '@v', 'v1.0.0');
        const kept = ['mod', 'zip'].filter((end) => existsSync(`${cached}.${end}`));
        got.push({ name, code, text, kept, sums: [Sum, GoModSum] });
      }
      return got;
    }

    function refusals(end: 'mod' | 'zip', reason: string) {
      // An origin that failed in an earlier test is asked last.
      const causes = world.origins.map(({ url }) => `${new URL(url).host}: ${reason}`);
      const text = new RegExp(
        `/@v/v1\\.0\\.0\\.${end}: 502 Bad Gateway\\n[^]*(${causes.join('; ')}|${causes.toReversed().join('; ')}) \\(request `,
      );
      const aHash: unknown = expect.stringMatching(SHA);
      return CLIENTS.map(({ name }) => ({
        name,
        code: 1,
        text: expect.stringMatching(text),
        kept: end === 'zip' ? ['mod'] : [],
        sums: [undefined, end === 'zip' ? aHash : undefined],
      }));
    }

    it.each(WRONG_FILES)(
      'prints the reason when every origin has %s, and gets the right file once one is mended',
      async (_, end, forge, reason) => {
        const { path, right } = await publish();
        for (const origin of world.origins)
          origin.set(filePath(path, 'v1.0.0', end), { body: forge(right, path) });
        expect(await everyClient(path)).toEqual(refusals(end, reason));
        const bucket = await modferry.miniflare.getR2Bucket('FILES');
        expect((await bucket.list({ prefix: `${path}/@v/v1.0.0.${end}` })).objects).toEqual([]);
        world.origins[1].reset();
        expect(await everyClient(path)).toEqual(theRightFiles(right));
      },
    );

    it.each(['|', ','].flatMap((separator) => ['mod', 'zip'].map((end) => [separator, end])))(
      'gets the right file from the origin after a "%s" when the .%s of the first one is wrong',
      async (separator, end) => {
        const ORIGINS = world.origins.map(({ url }) => url).join(separator);
        const passing = await startFor(world, { variables: { ORIGINS } });
        try {
          const { path, right } = await publish();
          world.origins[0].fault('tampered', { match: `/${path}/@v/v1.0.0.${end}` });
          expect(await everyClient(path, passing.url)).toEqual(theRightFiles(right));
          await eventually(() =>
            expect(passing.log.filter(({ event }) => event === 'security')).toEqual([
              {
                event: 'security',
                request: expect.stringMatching(/^[0-9a-f-]{36}$/),
                kind: 'mismatch',
                subject: `${path}@v1.0.0.${end}`,
                origin: new URL(world.origins[0].url).host,
                database: world.database.name,
                expected: end === 'mod' ? hashGoMod(right.mod) : zipHash(right),
                found: expect.stringMatching(SHA),
              },
            ]),
          );
        } finally {
          await passing.close();
        }
      },
    );

    it('sees a broken connection when a large zip is wrong, and gets the right one with its next command', async () => {
      const fresh = await startFor(world);
      onTestFinished(() => fresh.close());
      const { zip, url } = serveBigZip('broken-off', 12 * MB, { at: world.origins, by: fresh });
      const path = 'big.example/broken-off';
      const right = { info: '', mod: zip.mod, zip };
      await world.database.add(goSum(path, 'v1.0.0', right));
      // Made before the request: an origin that takes long to answer would be overtaken by the
      // other.
      const headers = { 'content-type': 'application/zip' };
      const wrong = await alter({ status: 200, headers, body: zip }, 'tampered', '');
      world.origins[0].set(new URL(url).pathname, wrong);
      const { go } = await newcomer(fresh.url);
      const download = () => go(['mod', 'download', '-json', `${path}@v1.0.0`], { gosumdb: 'off' });
      const first = await download();
      expect({ code: first.code, error: JSON.parse(first.stdout).Error }).toEqual({
        code: 1,
        error: expect.stringContaining('unexpected EOF'),
      });
      expect(JSON.parse(succeeded(await download()))).toMatchObject({ Sum: zipHash(right) });
      expect(world.origins.map((origin) => origin.count('.zip'))).toEqual([1, 1]);
    });

    it('accepts a wrong file without modferry, if it checks nothing', async () => {
      const { path, right } = await publish();
      world.origins[0].fault('tampered', { match: '.zip' });
      const { go } = await newcomer(world.origins[0].url);
      const taken = await go(['mod', 'download', '-json', `${path}@v1.0.0`], { gosumdb: 'off' });
      expect(JSON.parse(succeeded(taken)).Sum).toMatch(new RegExp(SHA));
      expect(JSON.parse(succeeded(taken)).Sum).not.toBe(zipHash(right));
    });

    it('never gets another zip than the right one, whichever bit of it was flipped', async () => {
      const path = 'flipped.example/m';
      const files = { 'go.mod': `module ${path}\n`, 'a.go': 'package a\n' };
      const names = Array.from({ length: 40 }, (_, index) => `v1.0.${index}`);
      const versions = names.map((name) => [name, makeVersion(path, name, files)] as const);
      const flipped = versions.map(([name, right], index) => {
        const at = Math.floor((zipOf(right).length * index) / names.length);
        return [name, { ...right, zip: flipBit(zipOf(right), at) }] as const;
      });
      for (const [name, right] of versions) await world.database.add(goSum(path, name, right));
      for (const origin of world.origins) origin.add(makeModule(path, Object.fromEntries(flipped)));
      const { go } = await newcomer();
      const queries = names.map((name) => `${path}@${name}`);
      const { stdout } = await go(['mod', 'download', '-json', ...queries], { gosumdb: 'off' });
      const results: Record<string, string>[] = JSON.parse(
        `[${stdout.trim().replaceAll('}\n{', '},{')}]`,
      );
      // Some bits have no meaning: times, and names that are written a second time.
      const right = results.map(({ Version = '', Sum }) => [Version, Sum]).filter(([, sum]) => sum);
      const wrong = results.filter(({ Error: text }) => text?.includes('502 Bad Gateway'));
      expect(wrong.length).toBeGreaterThan(names.length / 3);
      expect(right.length + wrong.length).toBe(names.length);
      const all = new Map<string | undefined, FakeVersion>(versions);
      for (const [version, sum] of right)
        expect(zipHash(all.get(version) ?? { info: '', mod: '', zip: noise(0) })).toBe(sum);
    });
  });
});
