import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Modferry } from '../worker/modferry.ts';
import { COMMANDS } from './commands.ts';
import {
  type Developer,
  GO_COMMANDS,
  newDeveloper,
  startFor,
  startWorld,
  type World,
} from './go-setup.ts';

describe.each(GO_COMMANDS)('$name', ({ go }) => {
  describe.skipIf(go === '')('with modferry as its only proxy', () => {
    let world: World;
    let modferry: Modferry;
    let developer: Developer;

    beforeAll(async () => {
      world = await startWorld(go);
      modferry = await startFor(world);
    });
    beforeEach(async () => {
      developer = await newDeveloper(go, modferry.url, world);
      return () => developer.close();
    });
    afterAll(async () => {
      await modferry.close();
      await world.close();
    });

    // The three groups run in this order: each needs what the one before has stored.
    describe('while its origins are up', () => {
      it.each(COMMANDS)('$name', async ({ run, expected }) => {
        expect(await run(developer)).toEqual(expected);
        expect(modferry.log.some(({ kind }) => kind === 'sumdb supported')).toBe(true);
      });
    });

    describe('while every origin and the checksum database are down', () => {
      beforeAll(() => world.stop());
      it.each(COMMANDS)('$name', async ({ run, expected }) => {
        expect(await run(developer)).toEqual(expected);
      });
    });

    describe('after a restart, while they are still down', () => {
      beforeAll(async () => {
        const { stateDirectory } = modferry;
        await modferry.stop();
        modferry = await startFor(world, { stateDirectory });
      });
      it.each(COMMANDS)('$name', async ({ run, expected }) => {
        expect(await run(developer)).toEqual(expected);
      });
    });
  });
});
