import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cleanEnvironment, goRoot, goVersion, sharedGoCache } from '../go/go.ts';

const SOURCE = fileURLToPath(new URL('sumdb/main.go', import.meta.url));

/**
 * The path of the checksum database's program, built with `go` when no build of this source by this release is in the
 * temporary directory yet. Needs no network: golang.org/x/mod is vendored in GOROOT, and is built in GOPATH mode.
 */
export async function buildSumDB(go: string): Promise<string> {
  const root = goRoot(go);
  const key = createHash('sha256')
    .update(goVersion(root))
    .update(readFileSync(SOURCE))
    .digest('hex')
    .slice(0, 16);
  const built = join(tmpdir(), `modferry-sumdb-${process.getuid?.() ?? 0}-${key}`);
  const program = join(built, 'sumdb');
  if (existsSync(program)) return program;

  mkdirSync(built, { recursive: true, mode: 0o700 });
  const work = mkdtempSync(join(built, 'work-'));
  try {
    await build(go, { root, work });
    // Several test files may build at once: the last one wins, and nobody sees half a program.
    renameSync(join(work, 'sumdb'), program);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}

async function build(go: string, { root, work }: { root: string; work: string }): Promise<void> {
  const vendored = join(root, 'src', 'cmd', 'vendor', 'golang.org', 'x', 'mod');
  const main = join(work, 'src', 'modferry', 'sumdb');
  cpSync(vendored, join(work, 'src', 'golang.org', 'x', 'mod'), { recursive: true });
  cpSync(SOURCE, join(main, 'main.go'));
  const env = {
    ...cleanEnvironment(),
    HOME: work,
    GOPATH: work,
    GOCACHE: sharedGoCache(),
    GO111MODULE: 'off',
    GOTOOLCHAIN: 'local',
    GOENV: 'off',
    GOFLAGS: '',
    GOPROXY: 'off',
    GOTELEMETRY: 'off',
    CGO_ENABLED: '0',
  };
  await promisify(execFile)(go, ['build', '-o', join(work, 'sumdb'), '.'], { cwd: main, env });
}
