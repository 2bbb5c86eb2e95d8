import {
  type FakeModule,
  goSum,
  goSums,
  infoJSON,
  makeModule,
  makeVersion,
} from '../fakes/origin/module.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { answersOf } from '../fakes/origin/origin.ts';
import { createLog, type FakeLog, logAnswer } from '../fakes/sumdb/transparency-log.ts';
import { bigZip } from '../fakes/zip/zip-writer.ts';
import type { Isolate } from './isolate.ts';
import { networkOf, type Server } from './upstream.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

/** A deployment in a world with one origin and a checksum database of the size of the real one. */
export interface Scene {
  readonly world: World;
  readonly log: FakeLog;
  /** The addresses that were asked for, in order. */
  readonly fetched: readonly string[];
  /** An isolate that has served a request before, in the data centre of that name. */
  usedIsolate(dataCentre: string): Promise<Isolate>;
}

export interface SceneOptions extends Partial<Pick<WorldOptions, 'limits' | 'variables'>> {
  /** How long the checksum database takes until the headers of an answer. Default 0. */
  readonly databaseLatencyMs?: number;
}

/** The path of the module whose zip is larger than what is kept in memory. */
export const BIG = 'example.com/big';
/** The path of a list that scenes do not ask for otherwise. */
const OTHER_LIST = '/example.com/dep/@v/list';

const LOG_SIZE = 50_000_017;
const ORIGIN = 'https://origin.example';
const DATABASES = ['https://sum.example', 'https://sum2.example'];

export function createScene({
  databaseLatencyMs = 0,
  variables,
  ...options
}: SceneOptions = {}): Scene {
  const log = createLog({ start: { size: LOG_SIZE, records: RECORDS } });
  const fetched: string[] = [];
  const database: Server = (path) => logAnswer(log, path);
  const network = networkOf({
    [ORIGIN]: answersOf(MODULES),
    ...Object.fromEntries(DATABASES.map((address) => [address, database])),
  });
  const world = createWorld({
    ...options,
    variables: {
      ORIGINS: ORIGIN,
      SUMDBS: `${log.verifierKey} ${DATABASES.join('|')}`,
      ...variables,
    },
    async fetch(url, init) {
      fetched.push(url);
      if (databaseLatencyMs > 0 && !url.startsWith(ORIGIN))
        await world.clock.sleep(databaseLatencyMs, init.signal ?? undefined);
      return network(url, init);
    },
  });
  return {
    world,
    log,
    fetched,
    async usedIsolate(name) {
      const isolate = world.dataCentre(name).isolate();
      await isolate.get(OTHER_LIST);
      return isolate;
    },
  };
}

/** Records of modules that are published now: the log gets a new tree head. */
export function growLog(log: FakeLog): void {
  for (let id = 0; id < 300; id++) {
    const version = `v1.0.${id}`;
    log.add(goSum('example.com/new', version, makeVersion('example.com/new', version, {})));
  }
}

function bigModule(): FakeModule {
  const zip = bigZip(`${BIG}@v1.0.0/`, 9 * 1024 * 1024);
  const version = { info: infoJSON(BIG, 'v1.0.0'), mod: zip.mod, zip };
  return makeModule(BIG, { 'v1.0.0': version });
}

/** Records all over the log, as those of older versions are. */
function spread(records: readonly string[]): Map<number, string> {
  const step = Math.floor(LOG_SIZE / (records.length + 1));
  return new Map(records.map((text, at) => [(at + 1) * step, text]));
}

const MODULES = [...fixtureModules(), bigModule()];
const RECORDS = spread(goSums(MODULES));
