import { type FakeModule, infoJSON, makeModule, makeVersion } from './module.ts';

// The fixture modules of docs/conformance.md. Each call makes new objects, so a test may add
// versions to its own.

const MASTER_HASH = '0123456789abcdef0123456789abcdef01234567';
const DEV_HASH = 'fedcba9876543210fedcba9876543210fedcba98';

/** The pseudo-versions of the branches of example.com/hello. */
export const HELLO_MASTER = 'v1.1.1-0.20240501120000-0123456789ab';
export const HELLO_DEV = 'v1.1.1-0.20240502120000-fedcba987654';
/** The only version of example.com/pseudo. */
export const PSEUDO = 'v0.0.0-20230102030405-abcdef012345';
export const CHECK_V1 = 'v0.0.0-20161208181325-20d25e280405';
export const TOOLCHAIN_GO = 'go1.90.0';
const TOOLCHAIN_PLATFORMS = [
  'darwin-amd64',
  'darwin-arm64',
  'linux-amd64',
  'linux-arm64',
  'windows-amd64',
];

/** Every fixture module. */
export function fixtureModules(): FakeModule[] {
  return [
    dep(),
    hello(),
    helloV2(),
    azureThing(),
    legacy(),
    pseudo(),
    toolchain(),
    yamlV2(),
    checkV1(),
  ];
}

/** The module that example.com/hello imports. Its hashes are vectors in zip-writer.test.ts. */
export function dep(): FakeModule {
  const path = 'example.com/dep';
  const files = {
    'go.mod': `module ${path}\n\ngo 1.18\n`,
    'dep.go': 'package dep\n\nconst X = 1\n',
  };
  return makeModule(path, { 'v1.0.0': makeVersion(path, 'v1.0.0', files) });
}

/** Four tagged versions, the branches master and Dev, and an installable program in cmd/x. */
export function hello(): FakeModule {
  const path = 'example.com/hello';
  const master = { time: '2024-05-01T12:00:00Z', ref: 'refs/heads/master', hash: MASTER_HASH };
  const dev = { time: '2024-05-02T12:00:00Z', ref: 'refs/heads/Dev', hash: DEV_HASH };
  const version = (name: string, options = {}) => ({
    [name]: makeVersion(path, name, helloFiles(path, name), options),
  });
  return makeModule(
    path,
    {
      ...version('v0.1.0', { time: '2023-06-01T08:00:00Z' }),
      ...version('v1.0.0', { time: '2023-09-01T08:00:00Z' }),
      ...version('v1.1.0'),
      ...version('v1.2.0-rc.1', { time: '2024-03-01T09:30:00Z' }),
      ...version(HELLO_MASTER, master),
      ...version(HELLO_DEV, dev),
    },
    {
      queries: {
        master: infoJSON(path, HELLO_MASTER, master),
        Dev: infoJSON(path, HELLO_DEV, dev),
        HEAD: infoJSON(path, HELLO_MASTER, { ...master, ref: 'HEAD' }),
        '0123456': infoJSON(path, HELLO_MASTER, master),
        '0123456789ab': infoJSON(path, HELLO_MASTER, master),
        [MASTER_HASH]: infoJSON(path, HELLO_MASTER, master),
      },
    },
  );
}

/** The second major version of example.com/hello, a module of its own. */
export function helloV2(): FakeModule {
  const path = 'example.com/hello/v2';
  return makeModule(path, { 'v2.0.0': makeVersion(path, 'v2.0.0', helloFiles(path, 'v2.0.0')) });
}

function helloFiles(path: string, version: string): Record<string, string> {
  return {
    'go.mod': `module ${path}\n\ngo 1.18\n\nrequire example.com/dep v1.0.0\n`,
    LICENSE: 'Public domain.\n',
    'cmd/x/main.go': `package main\n\nimport (\n\t"fmt"\n\n\t"${path}"\n)\n\nfunc main() { fmt.Println(hello.Greeting()) }\n`,
    'hello.go': [
      '// Package hello greets.',
      'package hello',
      '',
      'import (',
      '\t"fmt"',
      '',
      '\t"example.com/dep"',
      ')',
      '',
      '// Greeting says which version speaks.',
      `func Greeting() string { return fmt.Sprintf("hello ${version} %d", dep.X) }`,
      '',
    ].join('\n'),
  };
}

/** Upper case in the path and in a version: both are escaped in requests and not in the zip. */
export function azureThing(): FakeModule {
  const path = 'github.com/Azure/Thing';
  const files = {
    'go.mod': `module ${path}\n\ngo 1.18\n`,
    'thing.go': 'package thing\n\nconst Name = "Thing"\n',
  };
  return makeModule(path, {
    'v1.0.0': makeVersion(path, 'v1.0.0', files),
    'v1.0.1-RC1': makeVersion(path, 'v1.0.1-RC1', files),
  });
}

/**
 * No version has a go.mod: the served one is synthetic, and v3.0.0 resolves to v3.0.0+incompatible.
 */
export function legacy(): FakeModule {
  const path = 'example.com/legacy';
  const files = { 'legacy.go': 'package legacy\n\nconst Old = true\n' };
  const incompatible = 'v3.0.0+incompatible';
  const tag = { ref: 'refs/tags/v3.0.0' };
  return makeModule(
    path,
    {
      'v1.0.0': makeVersion(path, 'v1.0.0', files),
      [incompatible]: makeVersion(path, incompatible, files, tag),
    },
    { queries: { 'v3.0.0': infoJSON(path, incompatible, tag) } },
  );
}

/** A module without tags: its list is empty, and only @latest names a version. */
export function pseudo(): FakeModule {
  const path = 'example.com/pseudo';
  const options = {
    time: '2023-01-02T03:04:05Z',
    ref: 'refs/heads/main',
    hash: 'abcdef0123456789abcdef0123456789abcdef01',
  };
  const files = {
    'go.mod': `module ${path}\n`,
    'pseudo.go': 'package pseudo\n\nconst Tagged = false\n',
  };
  return makeModule(
    path,
    { [PSEUDO]: makeVersion(path, PSEUDO, files, options) },
    { queries: { main: infoJSON(path, PSEUDO, options) } },
  );
}

/**
 * A toolchain whose bin/go is a script that only prints its version. Its .info is not canonical
 * JSON, as that of real toolchains.
 */
export function toolchain(): FakeModule {
  const path = 'golang.org/toolchain';
  const versions = TOOLCHAIN_PLATFORMS.map((platform) => {
    const version = `v0.0.1-${TOOLCHAIN_GO}.${platform}`;
    const files = {
      VERSION: `${TOOLCHAIN_GO}\ntime 2026-01-01T00:00:00Z\n`,
      'bin/go': `#!/bin/sh\necho go version ${TOOLCHAIN_GO} ${platform.replace('-', '/')}\n`,
      'bin/gofmt': '#!/bin/sh\nexit 1\n',
      'lib/time/README': 'No time zones here.\n',
      [`pkg/tool/${platform.replace('-', '_')}/compile`]: '#!/bin/sh\nexit 1\n',
      'src/_go.mod': 'module std\n\ngo 1.90\n',
      'src/fmt/fmt.go': 'package fmt\n',
    };
    const info = `{"Version":"${version}", "Time":"2026-01-01T00:00:00Z"}\n`;
    return [version, { ...makeVersion(path, version, files), info }] as const;
  });
  return makeModule(path, Object.fromEntries(versions));
}

/**
 * A path with its major version in the form of gopkg.in and, like the real module, a go.mod with
 * quoted strings.
 */
export function yamlV2(): FakeModule {
  const path = 'gopkg.in/yaml.v2';
  const files = {
    'go.mod': `module "${path}"\n\nrequire (\n\t"gopkg.in/check.v1" ${CHECK_V1}\n)\n`,
    'yaml.go': 'package yaml\n\nconst Indent = 2\n',
  };
  return makeModule(path, { 'v2.2.1': makeVersion(path, 'v2.2.1', files) });
}

/** A v0 pseudo-version on a .v1 path, which is valid. */
export function checkV1(): FakeModule {
  const path = 'gopkg.in/check.v1';
  const files = { 'check.go': 'package check\n\nconst Strict = true\n' };
  const options = {
    time: '2016-12-08T18:13:25Z',
    hash: '20d25e2804050c1cd24a7eea1e7a6447dd0e74ec',
    ref: 'refs/heads/v1',
  };
  return makeModule(path, { [CHECK_V1]: makeVersion(path, CHECK_V1, files, options) });
}
