import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { originFault, type BadOrigin, startBadOrigin } from '../fakes/origin/bad-origins.ts';
import { flipBit } from '../fakes/origin/faults.ts';
import { goSums } from '../fakes/origin/module.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { fillerRecords } from '../fakes/sumdb/sumdb.ts';
import { createLog, type FakeLog } from '../fakes/sumdb/transparency-log.ts';
import { freshGoHome, runGo } from '../go/go.ts';
import { type Modferry, startModferry } from '../worker/modferry.ts';
import { succeeded } from './commands.ts';
import { GO_COMMANDS } from './go-setup.ts';
import { eventually } from '../eventually.ts';

// A checksum database whose own two addresses are blocked, behind three origins: one does not carry
// it, one carries it with wrong tiles, and one carries it.

const FIRST = 'example.com/hello@v1.1.0';
const SECOND = 'gopkg.in/yaml.v2@v2.2.1';

function logWithEverything(): FakeLog {
  const log = createLog();
  const modules = fixtureModules();
  for (const lines of [...goSums(modules), ...fillerRecords(300)]) log.add(lines);
  return log;
}

/** The database as an origin gives it that has one bit of every tile of hashes wrong. */
function withWrongTiles(log: FakeLog) {
  const answer = (path: string) => {
    const body = log.answer(path);
    return body !== undefined && path.startsWith('/tile/8/0/') ? flipBit(body, 40) : body;
  };
  return { name: log.name, answer };
}

describe.each(GO_COMMANDS)('$name', ({ go }) => {
  describe.skipIf(go === '')('with GOSUMDB on, and modferry as its only proxy', () => {
    const log = logWithEverything();
    let origins: readonly [bare: FakeOrigin, wrong: FakeOrigin, right: FakeOrigin];
    let own: readonly BadOrigin[] = [];
    let modferry: Modferry;

    beforeAll(async () => {
      const modules = fixtureModules();
      origins = [
        await startOrigin({ modules }),
        await startOrigin({ modules, carries: withWrongTiles(log) }),
        await startOrigin({ modules, carries: log }),
      ];
    });
    beforeEach(() => {
      for (const origin of origins) origin.reset();
      return async () => {
        await modferry.close();
        for (const address of own) await address.close();
      };
    });
    afterAll(async () => {
      for (const origin of origins) await origin.close();
    });

    /** modferry with addresses of the database that have this fault. */
    async function start(fault: string): Promise<void> {
      const open = () => startBadOrigin(originFault(fault), { modules: [] });
      own = [await open(), await open()];
      modferry = await startModferry({
        variables: {
          ORIGINS: origins.map(({ url }) => url).join('|'),
          SUMDBS: `${log.verifierKey} ${own.map(({ url }) => url).join('|')}`,
        },
      });
    }

    async function download(version: string): Promise<void> {
      const home = await freshGoHome();
      const { verifierKey: gosumdb } = log;
      try {
        succeeded(
          await runGo(go, ['mod', 'download', version], { home, proxy: modferry.url, gosumdb }),
        );
      } finally {
        await home.close();
      }
    }

    it.each(['refused', 'packets dropped', 'accepts, never answers'])(
      'downloads modules while the addresses of the checksum database are: %s',
      async (fault) => {
        await start(fault);
        await download(FIRST);
        await download(SECOND);
        const first = modferry.log.find(({ kind }) => kind === 'mod');
        expect(first?.['ms']).toBeLessThan(5_000); // TIMEOUT_HEADERS is 10 s
        const [bare] = origins;
        expect(bare.count('/supported')).toBe(1);
        expect(bare.count(/^\/sumdb\/.*\/(lookup|tile|latest)/)).toBe(0);
      },
    );

    it('waits for no blocked address in the second lookup', async () => {
      await start('accepts, never answers');
      await download(FIRST);
      const answer = await fetch(`${modferry.url}/sumdb/${log.name}/lookup/${SECOND}`);
      expect(answer.status).toBe(200);
      await answer.text();
      const line = await eventually(() => {
        const found = modferry.log.findLast(({ kind, version }) => kind === 'lookup' && version);
        expect(found).toMatchObject({ module: 'gopkg.in/yaml.v2' });
        return found;
      });
      const carriers = origins.map(({ url }) => `${new URL(url).host}/sumdb/${log.name}`);
      expect(carriers.slice(1)).toContain(line?.['origin']);
      expect(line).not.toHaveProperty('hedged');
    });
  });
});
