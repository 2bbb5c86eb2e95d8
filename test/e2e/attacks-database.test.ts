import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hashGoMod } from '../fakes/zip/dirhash.ts';
import { flipBit } from '../fakes/origin/faults.ts';
import {
  type FakeVersion,
  filePath,
  goSum,
  goSums,
  makeModule,
  makeVersion,
  versionOf,
  zipHash,
} from '../fakes/origin/module.ts';
import { dep, fixtureModules } from '../fakes/origin/modules.ts';
import type { FakeServer } from '../fakes/origin/fake-server.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { fillerRecords } from '../fakes/sumdb/sumdb.ts';
import { createLog, type FakeLog, startLogServer } from '../fakes/sumdb/transparency-log.ts';
import { freshGoHome, runGo } from '../go/go.ts';
import { type Modferry, type ModferryOptions, startModferry } from '../worker/modferry.ts';
import { GO_COMMANDS } from './go-setup.ts';

// Checksum databases with wrong answers, or whose answers are changed on their way. No go command
// gets a file that only such an answer covers, even if it checks nothing itself, and no go command
// that checks gets the answer.

const PATH = 'example.com/dep';
const LOOKUP = `/lookup/${PATH}@v1.0.0`;
const RIGHT = versionOf(dep(), 'v1.0.0');
/** What the attacker wants every client to have. */
const EVIL = makeVersion(PATH, 'v1.0.0', {
  'go.mod': `module ${PATH}\n`,
  'dep.go': 'package evil\n',
});

type Client = { readonly name: string; readonly gosumdb?: string };
const CHECKING: Client = { name: 'that checks' };
const CLIENTS = [CHECKING, { name: 'that checks nothing', gosumdb: 'off' }];

/** A new module: one fork of the log has the right hash, the other one the attacker's. */
const LATE = 'late.example/m';
const late = (content: string) =>
  makeVersion(LATE, 'v1.0.0', { 'go.mod': `module ${LATE}\n`, 'a.go': content });

type Respond = FakeLog['answer'];
type Text = string | Uint8Array;

/** The log with another answer for the paths that match. */
const changing =
  (match: RegExp, change: (text: string, log: FakeLog) => Text) =>
  (log: FakeLog): Respond =>
  (path) => {
    const body = log.answer(path);
    return body !== undefined && match.test(path)
      ? change(Buffer.from(body).toString('latin1'), log)
      : body;
  };
const onLookup = (change: (text: string, log: FakeLog) => Text) => changing(/^\/lookup\//, change);
const latin = (text: string) => Buffer.from(text, 'latin1');

const ATTACKS: readonly (readonly [
  what: string,
  attack: (log: FakeLog) => Respond,
  text: RegExp,
  isForged: boolean,
])[] = [
  [
    'a record has one bit flipped',
    onLookup((text) => flipBit(latin(text), text.indexOf('h1:') + 5)),
    /record \d+ is another one in the log/,
    true,
  ],
  [
    'a record has other hashes',
    onLookup((text) =>
      latin(text.replaceAll(/example\.com\/dep v1[^\n]*\n[^\n]*\n/g, goSum(PATH, 'v1.0.0', EVIL))),
    ),
    /record \d+ is another one in the log/,
    true,
  ],
  [
    'a record has the place of another one',
    onLookup((text) => latin(text.replace(/^\d+/, '7'))),
    /record 7 is another one in the log/,
    true,
  ],
  [
    'a record lies beyond the tree that is signed with it',
    (log) => (path) => (path === LOOKUP ? log.lookup(PATH, 'v1.0.0', 300) : log.answer(path)),
    /a record 300 in a tree of 300/,
    true,
  ],
  [
    'a lookup has the record of another version',
    (log) => (path) => log.answer(path === LOOKUP ? '/lookup/example.com/hello@v1.1.0' : path),
    /a body that is no record of this version/,
    false,
  ],
  [
    'a tree head has one bit flipped',
    onLookup((text) => flipBit(latin(text), text.indexOf('tree\n') + 7)),
    /a note with a wrong signature by sum\.example\.test/,
    true,
  ],
  [
    'every tile of hashes has one bit flipped',
    changing(/^\/tile\/8\/0\//, (text) => flipBit(latin(text), 40)),
    /tile\/8\/1\/000\.p\/1 or one below it is not of the tree of \d+ records/,
    false,
  ],
  [
    'another key has signed everything',
    (log) => {
      const other = createLog({ name: log.name });
      for (const lines of recordsOf(log)) other.add(lines);
      return other.answer;
    },
    /a note without a signature by sum\.example\.test/,
    true,
  ],
];

function recordsOf(log: FakeLog): string[] {
  const [full = '', part = ''] = ['000', `001.p/${log.size - 256}`].map((tile) =>
    String(log.answer(`/tile/8/data/${tile}`)),
  );
  return `${full}${part}`
    .split('\n\n')
    .slice(0, -1)
    .map((lines) => `${lines}\n`);
}

describe.each(GO_COMMANDS)('$name', ({ go }) => {
  describe.skipIf(go === '')('with modferry as its only proxy', () => {
    let log: FakeLog;
    let respond: Respond;
    let origin: FakeOrigin;
    let attacked: FakeServer;
    let honest: FakeServer;
    const closing: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      origin = await startOrigin({ modules: fixtureModules() });
      attacked = await startLogServer(() => ({ ...log, answer: (path) => respond(path) }));
      honest = await startLogServer(() => log);
    });
    beforeEach(() => {
      log = createLog();
      for (const lines of [...fillerRecords(300), ...goSums(fixtureModules())]) log.add(lines);
      respond = log.answer;
      origin.reset();
      return async () => {
        for (const close of closing.splice(0)) await close();
      };
    });
    afterAll(async () => {
      for (const server of [origin, attacked, honest]) await server.close();
    });

    async function start(addresses: readonly FakeServer[], options: Partial<ModferryOptions> = {}) {
      const SUMDBS = `${log.verifierKey} ${addresses.map(({ url }) => url).join('|')}`;
      const variables = { ORIGINS: origin.url, SUMDBS, ...options.variables };
      const modferry = await startModferry({ ...options, variables });
      closing.push(modferry.close);
      return modferry;
    }

    /** The results of `go mod download` for both kinds of client, each with an empty cache. */
    async function everyClient(
      { url }: Modferry,
      query = `${PATH}@v1.0.0`,
      clients: readonly Client[] = CLIENTS,
    ) {
      const got = [];
      for (const { name, ...options } of clients) {
        const home = await freshGoHome();
        const gosumdb = log.verifierKey;
        const args = ['mod', 'download', '-json', query];
        const { code, stdout } = await runGo(go, args, { home, proxy: url, gosumdb, ...options });
        await home.close();
        const { Error: text, Sum, GoModSum } = JSON.parse(stdout);
        got.push({ name, code, text, sums: [Sum, GoModSum] });
      }
      return got;
    }

    describe.each(ATTACKS)('while %s', (_, attack, text, isForged) => {
      beforeEach(() => {
        respond = attack(log);
      });

      it('prints the reason, and gets the right files from the same modferry when the attack is over', async () => {
        const modferry = await start([attacked]);
        origin.set(filePath(PATH, 'v1.0.0', 'zip'), { body: EVIL.zip });
        origin.set(filePath(PATH, 'v1.0.0', 'mod'), { body: EVIL.mod });
        expect(await everyClient(modferry)).toEqual(
          refusals('/@v/v1.0.0.mod: 502 Bad Gateway', text),
        );
        expect(await keptOf(modferry, `${PATH}/@v/v1.0.0.`)).toEqual([`${PATH}/@v/v1.0.0.info`]);
        expect(await keptOf(modferry, `sumdb/${log.name}/lookup/`)).toEqual([]);
        const kinds = new Set(events(modferry).map(({ kind }) => kind));
        expect([...kinds]).toEqual(isForged ? ['forged'] : []);
        respond = log.answer;
        origin.reset();
        expect(await everyClient(modferry)).toEqual(theRightFiles(RIGHT));
      });

      it('gets the right files when another address of the database is honest', async () => {
        const modferry = await start([attacked, honest]);
        expect(await everyClient(modferry)).toEqual(theRightFiles(RIGHT));
      });

      it('prints the reason also with VERIFY=off, if it checks', async () => {
        const modferry = await start([attacked], { variables: { VERIFY: 'off' } });
        const refused = refusals(`/sumdb/${log.name}${LOOKUP}: 502 Bad Gateway`, text);
        expect(await everyClient(modferry, `${PATH}@v1.0.0`, [CHECKING])).toEqual(
          refused.slice(0, 1),
        );
      });
    });

    const latest = async ({ url }: Modferry) =>
      (await fetch(`${url}/sumdb/${log.name}/latest`)).text();

    it.each([
      ['longer than', 5],
      ['as long as', 0],
      ['shorter than', -5],
    ])(
      'gets the old log when the database forks to one %s it, and the fork is refused',
      async (_, more) => {
        const modferry = await start([attacked]);
        expect(await everyClient(modferry)).toEqual(theRightFiles(RIGHT));
        const before = log.treeHead();

        const evil = late('package evil\n');
        origin.add(makeModule(LATE, { 'v1.0.0': evil }));
        const fork = log.fork(log.size - 10);
        fork.add(goSum(LATE, 'v1.0.0', evil));
        for (const lines of fillerRecords(9 + more)) fork.add(lines);
        respond = fork.answer;
        expect(await everyClient(modferry, `${LATE}@v1.0.0`)).toEqual(
          refusals('/@v/v1.0.0.mod: 502 Bad Gateway', /the log has forked/),
        );
        const [event] = events(modferry);
        expect(event).toMatchObject({ event: 'security', kind: 'fork', database: log.name });
        for (const head of [before, fork.treeHead()]) expect(event?.['proof']).toContain(head);
        expect(await latest(modferry)).toBe(before);
        expect(await everyClient(modferry)).toEqual(theRightFiles(RIGHT));

        const right = late('package late\n');
        log.add(goSum(LATE, 'v1.0.0', right));
        origin.add(makeModule(LATE, { 'v1.0.0': right }));
        respond = log.answer;
        expect(await everyClient(modferry, `${LATE}@v1.0.0`)).toEqual(theRightFiles(right));
      },
    );

    it('gets nothing of a fork after modferry was restarted either', async () => {
      const first = await start([attacked]);
      expect(await everyClient(first)).toEqual(theRightFiles(RIGHT));
      await first.stop();
      const fork = log.fork(10);
      for (const lines of goSums(fixtureModules())) fork.add(lines);
      for (const lines of fillerRecords(400)) fork.add(lines);
      respond = fork.answer;
      const again = await start([attacked], { stateDirectory: first.stateDirectory });
      const refused = refusals('/@v/v1.1.0.mod: 502 Bad Gateway', /the log has forked/);
      expect(await everyClient(again, 'example.com/hello@v1.1.0')).toEqual(refused);
      expect(events(again)[0]).toMatchObject({ kind: 'fork' });
      expect(await everyClient(again)).toEqual(theRightFiles(RIGHT));
    });

    it('gets the newest tree head when the database goes back to an older one', async () => {
      const modferry = await start([attacked]);
      const newest = log.treeHead();
      expect(await latest(modferry)).toBe(newest);
      await modferry.miniflare.purgeCache();
      const older = log.treeHead(310);
      respond = (path) => (path === '/latest' ? older : log.answer(path));
      expect(await latest(modferry)).toBe(newest);
      const proof: unknown = expect.stringContaining(older);
      expect(events(modferry)).toMatchObject([{ kind: 'rollback', database: log.name, proof }]);
      expect(events(modferry)[0]?.['proof']).toContain(newest);
      expect(await everyClient(modferry)).toEqual(theRightFiles(RIGHT));
    });
  });
});

const events = (modferry: Modferry) => modferry.log.filter(({ event }) => event === 'security');

async function keptOf({ miniflare }: Modferry, prefix: string): Promise<string[]> {
  const bucket = await miniflare.getR2Bucket('FILES');
  return (await bucket.list({ prefix })).objects.map(({ key }) => key);
}

function theRightFiles(right: FakeVersion) {
  const sums = [zipHash(right), hashGoMod(right.mod)];
  return CLIENTS.map(({ name }) => ({ name, code: 0, text: undefined, sums }));
}

function refusals(where: string, reason: RegExp) {
  const text: unknown = expect.stringMatching(
    new RegExp(`${where}\\n[^]*127\\.0\\.0\\.1:\\d+: [^;]*${reason.source}[^;]*\\(request `),
  );
  return CLIENTS.map(({ name }) => ({ name, code: 1, text, sums: [undefined, undefined] }));
}
