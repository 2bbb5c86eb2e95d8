import { parseArgs } from 'node:util';

export interface AuditArguments {
  /** Absent for the bucket of the local run. */
  readonly directory: string | undefined;
  readonly fix: boolean;
  readonly online: boolean;
  readonly restart: boolean;
  readonly help: boolean;
  /** Where the report goes as JSON. */
  readonly json: string | undefined;
  /** Where the progress is kept. */
  readonly state: string | undefined;
}

export const HELP = `Recomputes the hash of every stored file, and compares it with the checksum database.

  npm run audit -- [DIRECTORY] [options]

DIRECTORY has the layout of $GOMODCACHE/cache/download: a copy of a bucket, or a module cache of the go command.
Without it, the bucket of "npm start" in STATE_DIR (default .modferry) is audited; stop "npm start" before.

  --fix         remove what is wrong, when everything was read; modferry then fetches it anew
  --online      also ask the checksum databases for what is not stored; default: what is stored, and no network
  --json FILE   write the report as JSON too
  --state FILE  keep the progress in this file, default STATE_DIR/audit.json: the same command goes on from there
  --restart     start anew instead
  --help        print this

SUMDBS, PRIVATE and the TIMEOUT variables are read from wrangler.toml and the environment, as by "npm start".

Exit code: 0 nothing is wrong; 1 something is wrong, or was and is removed; 2 the audit could not be completed,
  or a database that --online should ask could not be asked.`;

/** Thrown when an audit cannot be run as asked; the message says why, and what to do. */
export class AuditError extends Error {
  override readonly name = 'AuditError';
}

/** Parses the command line. Throws `AuditError`. */
export function parseArguments(args: readonly string[]): AuditArguments {
  const { values, positionals } = parse(args);
  const [directory, second] = positionals;
  if (second !== undefined) {
    throw new AuditError(`Cannot audit ${JSON.stringify(second)}: name one directory at a time`);
  }
  const { fix = false, online = false, restart = false, help = false, json, state } = values;
  return { directory, fix, online, restart, help, json, state };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        fix: { type: 'boolean' },
        online: { type: 'boolean' },
        restart: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        json: { type: 'string' },
        state: { type: 'string' },
      },
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AuditError(`${why}; npm run audit -- --help lists the options`, { cause: error });
  }
}
