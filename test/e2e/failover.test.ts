import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../fakes/origin/faults.ts';
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

const FAULTS: readonly (readonly [name: string, fault: Fault])[] = [
  ['answers with an HTML page', 'html'],
  ['answers 500', 500],
  ['answers 403', 403],
  ['never answers', 'hang'],
  ['resets every connection', 'reset'],
];

describe.each(GO_COMMANDS)('$name', ({ go }) => {
  describe.skipIf(go === '')('with modferry as its only proxy', () => {
    let world: World;
    let modferry: Modferry;
    let developer: Developer;

    beforeAll(async () => {
      world = await startWorld(go);
    });
    beforeEach(async () => {
      world.reset();
      modferry = await startFor(world, {
        variables: { TIMEOUT_HEADERS: '500ms', TIMEOUT_TOTAL: '5s' },
      });
      developer = await newDeveloper(go, modferry.url, world);
      return async () => {
        await developer.close();
        await modferry.close();
      };
    });
    afterAll(() => world.close());

    async function install(): Promise<string> {
      succeeded(await developer.go(['install', 'example.com/hello/cmd/x@v1.1.0']));
      const latest = await developer.go(['mod', 'download', 'github.com/Azure/Thing@latest']);
      succeeded(latest);
      return succeeded(await developer.runProgram(join(developer.home, 'go', 'bin', 'x')));
    }

    it.each(FAULTS)('installs a program while the first origin %s', async (_name, fault) => {
      world.origins[0].fault(fault);
      expect(await install()).toBe('hello v1.1.0 1\n');
    });

    it('installs a program while the first origin is down', async () => {
      await world.origins[0].stop();
      try {
        expect(await install()).toBe('hello v1.1.0 1\n');
      } finally {
        await world.origins[0].restart();
      }
    });

    it.each(['is down', 'resets every connection'])(
      'stops with an error, and does not go to the repository, when every origin %s',
      async (how) => {
        if (how === 'is down') await world.stop();
        else for (const origin of world.origins) origin.fault('reset');
        try {
          const proxy = `${modferry.url},direct`;
          const failed = await developer.go(['mod', 'download', 'example.com/hello@v1.1.0'], {
            proxy,
            env: { GOVCS: '*:off' },
          });
          expect(failed.code).toBe(1);
          expect(failed.stderr).toMatch(
            /502 Bad Gateway[\s\S]*cannot get example\.com\/hello@v1\.1\.0\.info: .*connection failed.*\(request [0-9a-f-]{36}\)/,
          );
          for (const origin of world.origins)
            expect(failed.stderr).toContain(new URL(origin.url).host);
          for (const sign of ['[Truncated', 'dial ', 'GOVCS', 'unrecognized import path'])
            expect(failed.stderr).not.toContain(sign);
        } finally {
          if (how === 'is down') await world.restart();
        }
      },
    );

    it('prints 504 and the limit when every origin hangs', async () => {
      for (const origin of world.origins) origin.fault('hang');
      const failed = await developer.go(['mod', 'download', 'example.com/hello@v1.1.0']);
      expect(failed.code).toBe(1);
      expect(failed.stderr).toMatch(
        /504 Gateway Timeout[\s\S]*no answer within 0\.5 s.*\(request [0-9a-f-]{36}\)/,
      );
    });

    it('requests the files of a download in the order of the protocol', async () => {
      succeeded(await developer.go(['mod', 'download', 'example.com/hello@v1.1.0']));
      await eventually(() => expect(kindsOf(modferry).at(-1)).toBe('zip'));
      const kinds = kindsOf(modferry).filter((kind) => kind !== 'tile');
      expect(kinds).toEqual(['info', 'mod', 'sumdb supported', 'lookup', 'zip']);
      for (const server of [...world.origins, world.database]) await server.stop();
      try {
        const before = kindsOf(modferry).length;
        succeeded(await developer.go(['list', '-m', 'example.com/hello@v1.1.0']));
        expect(kindsOf(modferry).length).toBe(before); // The client has its own cache.
      } finally {
        await world.restart();
      }
    });

    it('requests only list, info, mod and the checksum database for go list -m -versions', async () => {
      succeeded(await developer.go(['list', '-m', '-versions', 'example.com/hello']));
      await eventually(() => expect(kindsOf(modferry)).toContain('lookup'));
      const kinds = kindsOf(modferry).filter((kind) => kind !== 'tile');
      expect(kinds).toEqual(['list', 'info', 'mod', 'sumdb supported', 'lookup']);
    });
  });
});

function kindsOf({ log }: Modferry): string[] {
  return log.filter(({ event }) => event === 'request').map(({ kind }) => String(kind));
}
