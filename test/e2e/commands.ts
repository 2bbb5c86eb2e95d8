import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goPlatform, type GoResult } from '../go/go.ts';
import { HELLO_DEV, HELLO_MASTER, PSEUDO, TOOLCHAIN_GO } from '../fakes/origin/modules.ts';
import { REAL_PROGRAM_OUTPUT, writeRealProgram } from '../fakes/origin/realcode.ts';
import type { Developer } from './go-setup.ts';

/** The version to which `go mod download` resolves a query. */
export const DOWNLOADS: readonly (readonly [query: string, version: string])[] = [
  ['example.com/hello@v1.1.0', 'v1.1.0'],
  ['example.com/hello@latest', 'v1.1.0'],
  ['example.com/hello@v1', 'v1.1.0'],
  ['example.com/hello@master', HELLO_MASTER],
  ['example.com/hello@Dev', HELLO_DEV],
  ['example.com/hello@0123456', HELLO_MASTER],
  ['example.com/hello/v2@v2.0.0', 'v2.0.0'],
  ['example.com/legacy@v3.0.0', 'v3.0.0+incompatible'],
  ['example.com/legacy@v3.0.0+incompatible', 'v3.0.0+incompatible'],
  ['example.com/pseudo@latest', PSEUDO],
  ['gopkg.in/yaml.v2@v2.2.1', 'v2.2.1'],
  ['github.com/Azure/Thing@v1.0.1-RC1', 'v1.0.1-RC1'],
];

/** A command that a developer runs, and its expected result. */
export interface Command {
  readonly name: string;
  readonly run: (developer: Developer) => Promise<unknown>;
  readonly expected: unknown;
}

/** The commands that modferry has to serve. */
export const COMMANDS: readonly Command[] = [
  ...DOWNLOADS.map(([query, version]) => ({
    name: `go mod download ${query}`,
    run: async (developer: Developer) =>
      versionOf(await developer.go(['mod', 'download', '-json', query])),
    expected: version,
  })),
  {
    name: 'go list -m -versions',
    run: async ({ go }) => succeeded(await go(['list', '-m', '-versions', 'example.com/hello'])),
    expected: 'example.com/hello v0.1.0 v1.0.0 v1.1.0 v1.2.0-rc.1\n',
  },
  {
    name: 'go get of a package deep inside a module',
    async run(developer) {
      const cwd = await emptyModule(developer);
      succeeded(await developer.go(['get', 'example.com/hello/cmd/x@v1.1.0'], { cwd }));
      return succeeded(
        await developer.go(['list', '-m', 'example.com/hello', 'example.com/dep'], { cwd }),
      );
    },
    expected: 'example.com/hello v1.1.0\nexample.com/dep v1.0.0\n',
  },
  {
    name: 'go install of a program, which runs',
    async run(developer) {
      succeeded(await developer.go(['install', 'example.com/hello/cmd/x@v1.1.0']));
      return succeeded(await developer.runProgram(join(developer.home, 'go', 'bin', 'x')));
    },
    expected: 'hello v1.1.0 1\n',
  },
  {
    name: 'another toolchain by GOTOOLCHAIN',
    run: async ({ go }) => succeeded(await go(['version'], { env: { GOTOOLCHAIN: TOOLCHAIN_GO } })),
    expected: `go version ${TOOLCHAIN_GO} ${goPlatform().replace('-', '/')}\n`,
  },
  {
    name: 'go mod tidy, go build and go mod verify of a program out of real code, which runs',
    async run(developer) {
      const cwd = join(developer.home, 'program');
      await writeRealProgram(cwd);
      succeeded(await developer.go(['mod', 'tidy'], { cwd }));
      succeeded(await developer.go(['build', '-o', 'program', '.'], { cwd }));
      const verified = succeeded(await developer.go(['mod', 'verify'], { cwd }));
      return [verified, succeeded(await developer.runProgram(join(cwd, 'program')))];
    },
    expected: ['all modules verified\n', REAL_PROGRAM_OUTPUT],
  },
];

async function emptyModule({ home }: Developer): Promise<string> {
  const cwd = join(home, 'empty');
  await mkdir(cwd);
  await writeFile(join(cwd, 'go.mod'), 'module example.org/empty\n\ngo 1.21\n');
  return cwd;
}

/** The standard output of a command that must have succeeded. */
export function succeeded({ code, stdout, stderr }: GoResult): string {
  if (code !== 0) throw new Error(`The go command ended with ${code}: ${stdout}${stderr}`);
  return stdout;
}

function versionOf(result: GoResult): unknown {
  const module: unknown = JSON.parse(succeeded(result));
  return typeof module === 'object' && module !== null && 'Version' in module
    ? module.Version
    : undefined;
}
