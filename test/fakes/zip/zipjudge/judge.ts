import { join } from 'node:path';
import { startGoProgram } from '../../../go/program.ts';

/** Go's verdict on a zip. Errors are Go's own texts, empty where there is none. */
export interface GoVerdict {
  readonly h1: string;
  readonly hashError: string;
  readonly checkError: string;
  readonly unzipError: string;
}

/** The Unicode tables of a Go release, in the format of main.go. */
export interface GoUnicode {
  readonly version: string;
  readonly orbits: readonly (readonly number[])[];
  readonly letters: readonly (readonly [first: number, last: number])[];
}

/** The running program of main.go. */
export interface ZipJudge {
  /** Go's verdict on the zip as that of the module `path@version`. */
  zip(
    file: string,
    module: { readonly path: string; readonly version: string },
  ): Promise<GoVerdict>;
  /** The `h1:` hash of a go.mod. */
  mod(file: string): Promise<string>;
  /** Hashes the zip `runs` times, and measures each run in seconds. */
  time(
    file: string,
    runs: number,
  ): Promise<{ readonly h1: string; readonly seconds: readonly number[] }>;
  unicode(): Promise<GoUnicode>;
  close(): Promise<void>;
}

/** Starts the program, which `go` builds with golang.org/x/mod. */
export async function startZipJudge(go: string): Promise<ZipJudge> {
  const program = await startGoProgram(go, { source: join(import.meta.dirname, 'main.go') });
  const ask = async (question: object) => JSON.parse(await program.ask(JSON.stringify(question)));
  return {
    zip: (file, { path, version }) => ask({ zip: file, path, version }),
    mod: async (file) => String((await ask({ mod: file })).h1),
    time: (file, runs) => ask({ time: file, runs }),
    unicode: () => ask({ unicode: true }),
    close: () => program.close(),
  };
}
