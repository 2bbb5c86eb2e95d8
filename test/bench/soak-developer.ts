import type { FakeSumDB } from '../fakes/sumdb/sumdb.ts';
import type { SeededRandom } from '../fakes/effects/seeded-random.ts';
import { freshGoHome, runGo } from '../go/go.ts';
import { type SoakModules, VERSION } from './soak-modules.ts';

/** The result of one `go mod download`. */
export interface Download {
  readonly modules: readonly string[];
  readonly seconds: number;
  /** The error text of the go command; absent when it succeeded. */
  readonly failure?: string;
  /** Modules whose hashes differ from the expected ones. */
  readonly wrong: readonly string[];
}

export interface DeveloperOptions {
  readonly go: string;
  readonly proxy: string;
  readonly database: FakeSumDB;
  readonly modules: SoakModules;
  readonly random: SeededRandom;
}

/**
 * A client that downloads repeatedly with an empty module cache: some new modules, and some that
 * were downloaded before.
 */
export function newSoakDeveloper(options: DeveloperOptions): { download(): Promise<Download> } {
  const { go, proxy, database, modules, random } = options;

  async function choose(): Promise<readonly string[]> {
    const recorded = modules.count;
    const old = Array.from({ length: random.below(3) }, () =>
      modules.path(random.below(Math.max(1, recorded))),
    );
    const fresh = Array.from({ length: 1 + random.below(3) }, () => modules.next());
    const chosen = [...new Set([...old, ...fresh])];
    // The record of a module that another client has just chosen may be missing. Adding a record
    // twice changes nothing.
    for (const path of chosen) await database.add(modules.record(path));
    return chosen;
  }

  return {
    async download() {
      const chosen = await choose();
      const home = await freshGoHome();
      try {
        const started = Date.now();
        const args = ['mod', 'download', '-json', ...chosen.map((path) => `${path}@${VERSION}`)];
        const { code, stdout, stderr } = await runGo(go, args, {
          home,
          proxy,
          gosumdb: database.verifierKey,
          env: { GOMAXPROCS: '1' },
        });
        const seconds = (Date.now() - started) / 1000;
        if (code !== 0) {
          const errors = parseObjects(stdout).flatMap(({ Error: error }) =>
            error === undefined ? [] : [error],
          );
          const failure = `exit code ${code}: ${[stderr, ...errors.map(String)].join('\n')}`;
          return { modules: chosen, seconds, failure, wrong: [] };
        }
        return { modules: chosen, seconds, wrong: wrongOnes(chosen, { stdout, modules }) };
      } finally {
        await home.close();
      }
    },
  };
}

/** The modules that the go command did not report with their expected hashes. */
function wrongOnes(
  chosen: readonly string[],
  { stdout, modules }: { stdout: string; modules: SoakModules },
): readonly string[] {
  const reported = new Map(parseObjects(stdout).map((one) => [one['Path'], one]));
  return chosen.filter((path) => {
    const { Sum, GoModSum } = modules.sums(path);
    const one = reported.get(path);
    return one?.['Sum'] !== Sum || one['GoModSum'] !== GoModSum;
  });
}

/** Parses the output of `-json`: a sequence of objects, each over several lines. */
function parseObjects(text: string): Readonly<Record<string, unknown>>[] {
  return text
    .split(/(?<=^\})\n/m)
    .filter((part) => part.trim() !== '')
    .map((part): unknown => JSON.parse(part))
    .filter(isObject);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
