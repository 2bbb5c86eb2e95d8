import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sourceOf } from './module-directory.ts';
import { EPOCH, type FakeModule, makeModule, makeVersion } from './module.ts';

/**
 * The modules that are vendored in a GOROOT (golang.org/x/mod, x/sync, x/sys, x/tools and more),
 * under their real paths and versions: real code that a real go command can resolve and build
 * without the network.
 *
 * A module has only its vendored packages, without tests. Each go.mod is synthetic: it has the go
 * line of modules.txt and, because of graph pruning, every module of the set that the code imports
 * directly or indirectly. A go line may require the release of the GOROOT itself, so each go
 * command needs the modules of its own GOROOT.
 */
export function realModules(goroot: string): FakeModule[] {
  const vendored = [join(goroot, 'src', 'cmd', 'vendor'), join(goroot, 'src', 'vendor')].flatMap(
    readVendored,
  );
  const sources = mergeByPath(vendored);
  const imports = new Map(
    [...sources].map(([path, source]) => [path, importedModules(source, sources)]),
  );
  return [...sources.values()].map(({ path, version, go, files }) => {
    const requires = [...closure(path, imports)].flatMap((required) => {
      const found = sources.get(required);
      return found === undefined ? [] : [`\t${required} ${found.version}\n`];
    });
    const block = requires.length === 0 ? '' : `\nrequire (\n${requires.toSorted().join('')})\n`;
    const mod = `module ${path}\n\ngo ${go}\n${block}`;
    const time = pseudoTime(version);
    return makeModule(path, {
      [version]: makeVersion(path, version, { 'go.mod': mod, ...files }, { time }),
    });
  });
}

interface Source {
  readonly path: string;
  readonly version: string;
  readonly go: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

// modules.txt:   # golang.org/x/mod v0.19.0
//                ## explicit; go 1.18
//                golang.org/x/mod/semver
function readVendored(dir: string): Source[] {
  const text = readFileSync(join(dir, 'modules.txt'), 'utf8');
  return [...text.matchAll(/^# (\S+) (\S+)\n## .*?go (\S+)$/gm)].flatMap(
    ([, path = '', version = '', go = '']) => {
      const source = join(dir, path);
      return existsSync(source) ? [{ path, version, go, files: sourceOf(source) }] : [];
    },
  );
}

/**
 * GOROOT has two vendor trees with different packages of the same module. The first tree determines
 * the version.
 */
function mergeByPath(vendored: readonly Source[]): Map<string, Source> {
  const merged = new Map<string, Source>();
  for (const source of vendored) {
    const first = merged.get(source.path);
    if (first === undefined) merged.set(source.path, source);
    else if (first.version === source.version) {
      merged.set(source.path, { ...first, files: { ...first.files, ...source.files } });
    }
  }
  return merged;
}

function importedModules(source: Source, known: ReadonlyMap<string, Source>): Set<string> {
  const found = new Set<string>();
  for (const [name, content] of Object.entries(source.files)) {
    if (!name.endsWith('.go')) continue;
    for (const [, imported = ''] of Buffer.from(content)
      .toString()
      .matchAll(/^(?:import\s+|\t)(?:[\w.]+ )?"([^"\s]+)"/gm)) {
      for (const path of known.keys())
        if (imported === path || imported.startsWith(`${path}/`)) found.add(path);
    }
  }
  found.delete(source.path);
  return found;
}

function closure(path: string, imports: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const all = new Set<string>();
  const pending = [path];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const required of imports.get(next) ?? []) {
      if (required === path || all.has(required)) continue;
      all.add(required);
      pending.push(required);
    }
  }
  return all;
}

/** The commit time in a pseudo-version. The go command compares it with the `.info`. */
function pseudoTime(version: string): string {
  const digits = /[-.](\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)-[0-9a-f]{12}$/.exec(version);
  if (digits === null) return EPOCH;
  const [, year, month, day, hour, minute, second] = digits;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}

const PROGRAM = `package main

import (
	"fmt"
	"os"

	"golang.org/x/arch/x86/x86asm"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"
	"golang.org/x/text/unicode/norm"
)

func main() {
	var group errgroup.Group
	group.Go(func() error {
		_, err := dirhash.DefaultHash(nil, nil)
		return err
	})
	inst, err := x86asm.Decode([]byte{0x90}, 64)
	fmt.Println(semver.Canonical("v1.2"), norm.NFC.String("e\\u0301"), inst.Op, term.IsTerminal(int(os.Stdin.Fd())), err, group.Wait())
}
`;

/** The output of the program. */
export const REAL_PROGRAM_OUTPUT = 'v1.2.0 \u00e9 NOP false <nil> <nil>\n';

/**
 * Writes a small main module that imports real modules. Its go.mod has no requirements: `go mod
 * tidy` adds them.
 */
export async function writeRealProgram(dir: string, goLine = '1.23'): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'go.mod'), `module example.org/program\n\ngo ${goLine}\n`);
  await writeFile(join(dir, 'main.go'), PROGRAM);
}
