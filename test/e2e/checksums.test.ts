import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillerRecords } from '../fakes/sumdb/sumdb.ts';
import type { Modferry } from '../worker/modferry.ts';
import { succeeded } from './commands.ts';
import { GO_COMMANDS, newDeveloper, startFor, startWorld, type World } from './go-setup.ts';

describe.each(GO_COMMANDS)('$name', ({ go }) => {
  describe.skipIf(go === '')('with the checksum database behind modferry', () => {
    let world: World;
    let modferry: Modferry;
    beforeAll(async () => {
      world = await startWorld(go);
      modferry = await startFor(world);
    });
    afterAll(async () => {
      await modferry.close();
      await world.close();
    });

    /** The output of `go mod download` with an empty cache. */
    async function download(version: string, gosumdb?: string) {
      const developer = await newDeveloper(go, modferry.url, world);
      try {
        const result = await developer.go(['mod', 'download', version], gosumdb ? { gosumdb } : {});
        return { output: succeeded(result), requests: result.trace };
      } finally {
        await developer.close();
      }
    }
    const logged = (kind: string) => modferry.log.filter((line) => line['kind'] === kind).length;

    it('row 139: GOSUMDB may name modferry as the address of the database, and /supported is then not requested', async () => {
      const { verifierKey, name } = world.database;
      const { output } = await download(
        'example.com/hello@v1.1.0',
        `${verifierKey} ${modferry.url}/sumdb/${name}`,
      );
      expect(output).toBe('');
      expect(logged('sumdb supported')).toBe(0);
      expect(logged('lookup')).toBeGreaterThan(0);
    });

    it('row 140: a stored lookup still verifies after the log has grown, for new and for old clients', async () => {
      const old = await newDeveloper(go, modferry.url, world);
      try {
        expect(succeeded(await old.go(['mod', 'download', 'example.com/dep@v1.0.0']))).toBe('');
        for (const lines of fillerRecords(300)) await world.database.add(lines);
        // The old tree head is stored with the lookup of dep, the new one with that of hello/v2.
        expect(succeeded(await old.go(['mod', 'download', 'example.com/hello/v2@v2.0.0']))).toBe(
          '',
        );
        expect((await download('example.com/dep@v1.0.0')).output).toBe('');
        await world.database.stop();
        expect((await download('example.com/dep@v1.0.0')).output).toBe('');
        expect(succeeded(await old.go(['mod', 'download', 'example.com/hello@v1.1.0']))).toBe('');
      } finally {
        await world.database.restart();
        await old.close();
      }
    });
  });
});
