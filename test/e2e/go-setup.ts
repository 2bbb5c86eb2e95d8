import { startOrigin, type FakeOrigin } from '../fakes/origin/origin.ts';
import { goSums } from '../fakes/origin/module.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { realModules } from '../fakes/origin/realcode.ts';
import { startSumDB, type FakeSumDB } from '../fakes/sumdb/sumdb.ts';
import {
  findAnyGo,
  findGo,
  freshGoHome,
  goRoot,
  runGo,
  type GoOptions,
  type GoResult,
} from '../go/go.ts';
import { type Modferry, type ModferryOptions, startModferry } from '../worker/modferry.ts';

/**
 * The go commands that the tests run with. Where one cannot be found, its tests are skipped under a
 * name with the reason.
 */
export const GO_COMMANDS = ['1.23', '1.27'].map((minor) => {
  const go = findGo(minor);
  return {
    minor,
    go: go ?? '',
    name: go ? `go ${minor}` : `go ${minor} (skipped: it is neither in .go nor on PATH)`,
  };
});

/** For what does not depend on the release of the go command. */
export const NEWEST_GO = GO_COMMANDS.at(-1)?.go ?? '';

/**
 * The outside world of a test: two mirrors with the same modules, and a checksum database that has
 * all of them.
 */
export interface World {
  readonly origins: readonly [FakeOrigin, FakeOrigin];
  readonly database: FakeSumDB;
  /** Variables that send modferry there. */
  readonly variables: Readonly<Record<string, string>>;
  /** Stops every server, or starts it again. */
  stop(): Promise<void>;
  restart(): Promise<void>;
  reset(): void;
  close(): Promise<void>;
}

export async function startWorld(go: string): Promise<World> {
  const modules = [...fixtureModules(), ...realModules(goRoot(go))];
  const origins = [await startOrigin({ modules }), await startOrigin({ modules })] as const;
  const database = await startSumDB({ go: findAnyGo() ?? go, records: goSums(modules) });
  const servers = [...origins, database];
  return {
    origins,
    database,
    variables: {
      ORIGINS: origins.map(({ url }) => url).join('|'),
      SUMDBS: `${database.verifierKey} ${database.url}`,
    },
    async stop() {
      for (const server of servers) await server.stop();
    },
    async restart() {
      for (const server of servers) await server.restart();
    },
    reset() {
      for (const server of servers) server.reset();
    },
    async close() {
      for (const server of servers) await server.close();
    },
  };
}

export function startFor(world: World, options: Partial<ModferryOptions> = {}): Promise<Modferry> {
  return startModferry({ ...options, variables: { ...world.variables, ...options.variables } });
}

export interface Developer {
  /** Runs a go command, in the home or in `cwd`. */
  go(args: readonly string[], options?: Partial<GoOptions>): Promise<GoResult>;
  /** Runs a program that the go command has made, and that needs no go command. */
  runProgram(program: string): Promise<GoResult>;
  readonly home: string;
  close(): Promise<void>;
}

/**
 * A developer with an empty module cache: GOPROXY is modferry alone, and the checksum database is
 * reached through it or not at all.
 */
export async function newDeveloper(go: string, proxy: string, world: World): Promise<Developer> {
  const home = await freshGoHome();
  // A key without an address: the go command asks its proxy, or else a host that does not exist.
  const gosumdb = world.database.verifierKey;
  return {
    home: home.path,
    go: (args, options = {}) => runGo(go, args, { home, proxy, gosumdb, ...options }),
    runProgram: (program) => runGo(program, [], { home, proxy: 'off' }),
    close: () => home.close(),
  };
}
