import { describe, expect, it } from 'vitest';
import { noise } from '../../../test/fakes/zip/zip-writer.ts';
import { checkModuleZip } from './check-module-zip.ts';
import type { Entry } from '../read/directory-header.ts';

const PREFIX = 'example.com/m@v1.0.0/';
const MIB = 1024 * 1024;

type Name = string | Uint8Array | readonly [path: string, size: number];

function entriesOf(names: readonly Name[]): Entry[] {
  return names.map((given) => {
    const [path, uncompressedSize] =
      typeof given === 'string' || given instanceof Uint8Array ? [given, 1] : given;
    const name = typeof path === 'string' ? new TextEncoder().encode(path) : path;
    const numbers = { method: 0, crc32: 0, flags: 0, localHeaderOffset: 0, directoryOffset: 0 };
    return { name, compressedSize: 0, uncompressedSize, ...numbers };
  });
}

function check(...paths: readonly Name[]): string | undefined {
  const names = paths.map((given): Name => {
    if (typeof given === 'string') return PREFIX + given;
    return given instanceof Uint8Array ? given : [PREFIX + given[0], given[1]];
  });
  return checkModuleZip(entriesOf(names), { prefix: PREFIX, size: 1000 });
}

describe('checkModuleZip', () => {
  it.each<[claim: string, paths: Name[]]>([
    ['no entries', []],
    [
      'files in directories',
      ['go.mod', 'm.go', 'cmd/hello/hello.go', 'cmd/hello/world.go', 'cmd/x/y'],
    ],
    ['the root and other directories', ['', 'a/', 'a/b/', 'a/b/c', 'a/', 'b/', 'b/']],
    ['a directory that is called go.mod', ['go.mod/a.go', 'x/GO.MOD/', 'x/GO.MOD/y']],
    ['names around go.mod', ['go.mod.txt', 'a/xgo.mod', 'go.mode', 'gomod']],
    ['every punctuation mark that is allowed', ['!#$%&()+,-.=@[]^_{}~ x']],
    ['names that begin with a dot', ['.github/x', '..a', '.con']],
    ['letters of all scripts', ['日本語.go', 'é', '\u{10400}', 'ªº', 'ⅷ'.replace('ⅷ', 'ñ')]],
    [
      'names that begin like device names of Windows',
      ['console', 'com10', 'com0', 'aux_.c', 'lpt', 'xcon'],
    ],
    ['names like the short names of Windows', ['progra~1']],
    ['the dotless i beside i', ['ı', 'i']],
    [
      'files as large as they may be',
      [
        ['go.mod', 16 * MIB],
        ['LICENSE', 16 * MIB],
        ['x', 468 * MIB],
      ],
    ],
    [
      'a LICENSE elsewhere that is larger',
      [
        ['a/LICENSE', 17 * MIB],
        ['license', 17 * MIB],
      ],
    ],
  ])('accepts %s', (_, paths) => expect(check(...paths)).toBeUndefined());

  const entry = (path: string) => `entry "${PREFIX}${path}"`;
  const STRANGE = 'has a character that Go does not allow in a path';
  const RESERVED = 'has a path element that Windows reserves';

  it.each<[paths: Name[], reason: string]>([
    // golang.org/x/mod/zip testdata/check_zip and testdata/unzip.
    [['valid.go', 'not/../clean'], `${entry('not/../clean')} is not a clean path`],
    [["invalid.go'"], `${entry("invalid.go'")} ${STRANGE}`],
    [['GO.MOD'], `${entry('GO.MOD')} is a go.mod in upper case`],
    [['go.mod', 'sub/go.mod'], `${entry('sub/go.mod')} is a go.mod below the root of the module`],
    [
      ['a.go', 'b/GO.MOD', 'b/b.go'],
      `${entry('b/GO.MOD')} is a go.mod below the root of the module`,
    ],
    [['dup.go', 'dup.go'], `${entry('dup.go')} occurs twice`],
    [['a.go', 'a.go/b.go'], `${entry('a.go/b.go')} is both a file and a directory`],
    [['m.go', 'M.GO'], `${entry('M.GO')} collides with "m.go", but for case the same path`],
    // Each rule in turn.
    [['a.go/b.go', 'a.go'], `${entry('a.go')} is both a file and a directory`],
    [['a', 'a/'], `${entry('a/')} is both a file and a directory`],
    [['a/x', 'A/y'], `${entry('A/y')} collides with "a", but for case the same path`],
    [['a/x', 'b/', 'A/'], `${entry('A/')} collides with "a", but for case the same path`],
    [['a/b/c/d', 'a/B/x'], `${entry('a/B/x')} collides with "a/b", but for case the same path`],
    [['s', '\u017f'], `${entry('\u017f')} collides with "s", but for case the same path`],
    [['k', '\u212a'], `${entry('\u212a')} collides with "k", but for case the same path`],
    [['a//b'], `${entry('a//b')} is not a clean path`],
    [['/a'], `${entry('/a')} is not a clean path`],
    [['./a'], `${entry('./a')} is not a clean path`],
    [['..'], `${entry('..')} is not a clean path`],
    [['../../etc/passwd'], `${entry('../../etc/passwd')} is not a clean path`],
    [['/'], `${entry('/')} is not a clean path`],
    [['a//'], `${entry('a//')} is not a clean path`],
    [['a./b'], `${entry('a./b')} has a path element that ends with a dot`],
    [['...'], `${entry('...')} has a path element that ends with a dot`],
    ...['a\\b', 'a:b', 'a*', 'a?', 'a"', 'a<', 'a|', 'a`', 'e\u0301', '\u0663', '€', '\ufe0f'].map(
      (path): [Name[], string] => [[path], `${entry(path)} ${STRANGE}`],
    ),
    [['\ufeffx'], `${entry('\ufffdx')} ${STRANGE}`],
    [['a\nb'], `${entry('a\ufffdb')} ${STRANGE}`],
    ...['con', 'x/CON.txt', 'Aux', 'nul.', 'com1.a.b', 'LPT9/x', 'prn.go'].map(
      (path): [Name[], string] => [
        [path],
        `${entry(path)} ${path.endsWith('.') ? 'has a path element that ends with a dot' : RESERVED}`,
      ],
    ),
    [[Buffer.from(`${PREFIX}\xff`, 'latin1')], `${entry('\ufffd')} has a name that is not UTF-8`],
    [
      [Buffer.from(`${PREFIX}\xed\xa0\x80`, 'latin1')],
      `${entry('\ufffd\ufffd\ufffd')} has a name that is not UTF-8`,
    ],
    [
      [['go.mod', 16 * MIB + 1]],
      `${entry('go.mod')} declares 16777217 bytes, over Go's limit of 16777216 for this file`,
    ],
    [
      [['LICENSE', 17 * MIB]],
      `${entry('LICENSE')} declares 17825792 bytes, over Go's limit of 16777216 for this file`,
    ],
    [
      [
        ['a', 300 * MIB],
        ['b', 201 * MIB],
      ],
      `entries declare 525336576 bytes in all, over Go's limit of 524288000`,
    ],
    [
      [['a', 2 ** 52]],
      `entries declare 4503599627370496 bytes in all, over Go's limit of 524288000`,
    ],
  ])('refuses %j', (paths, reason) => expect(check(...paths)).toBe(reason));

  it.each(['noprefix', PREFIX.slice(0, -1), 'example.com/M@v1.0.0/x', '../x', ''])(
    'refuses %j outside of the prefix',
    (name) => {
      const zip = { prefix: PREFIX, size: 1000 };
      expect(checkModuleZip(entriesOf([`${PREFIX}go.mod`, name]), zip)).toBe(
        `entry "${name}" is outside of ${PREFIX}`,
      );
    },
  );

  it('counts the file itself, and not what directories declare', () => {
    const zip = (size: number) =>
      checkModuleZip(entriesOf([[`${PREFIX}a/`, 600 * MIB]]), { prefix: PREFIX, size });
    expect(zip(500 * MIB)).toBeUndefined();
    expect(zip(500 * MIB + 1)).toBe("zip of 524288001 bytes, over Go's limit of 524288000");
  });

  it('masks control characters in a name, also in the one that it collides with', () => {
    expect(check('a\u001b[2Jb')).toBe(`${entry('a\ufffd[2Jb')} ${STRANGE}`);
  });

  it('checks each of 20,000 entries once, however deep they lie', () => {
    const seeds = noise(20_000);
    const paths = Array.from(seeds, (seed, index) => `d${seed}/${'x/'.repeat(50)}É${index}.go`);
    expect(check(...paths)).toBeUndefined();
    expect(check(...paths, paths[7] ?? '')).toBe(`${entry(paths[7] ?? '')} occurs twice`);
  });
});
