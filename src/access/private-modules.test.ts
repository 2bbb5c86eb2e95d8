import { describe, expect, it } from 'vitest';
import { modulePath } from '../../test/fakes/effects/values.ts';
import { fakeContext } from '../../test/fakes/mirror/context.ts';
import { malformed } from '../mirror/messages.ts';
import type { ModulePath } from '../module/module-path.ts';
import { parsePatterns, type Patterns } from '../module/patterns.ts';
import { refusePrivate } from './private-modules.ts';

interface Asked {
  readonly kind: string;
  readonly module?: ModulePath;
}

const ANSWER = malformed('an answer');

function patternsOf(globs: string): Patterns {
  const patterns = parsePatterns(globs);
  if (!patterns.ok) throw new Error(patterns.reason.join());
  return patterns.value;
}

function setup(globs: string) {
  const passed: Asked[] = [];
  const resolve = refusePrivate(async (request: Asked) => {
    passed.push(request);
    return ANSWER;
  }, patternsOf(globs));
  return { passed, resolve: (request: Asked) => resolve(request, fakeContext()) };
}

describe('a request for a private module', () => {
  it.each(['list', 'info', 'mod', 'zip', 'lookup'])(
    '(%s) is refused and goes no further',
    async (kind) => {
      const { resolve, passed } = setup('*.corp.example');
      expect(await resolve({ kind, module: modulePath('git.corp.example/tool') })).toEqual({
        kind: 'refused',
        text: 'git.corp.example/tool is private here, and no checksum database is asked about it: name it in GONOSUMDB',
        source: { from: 'local' },
      });
      expect(passed).toEqual([]);
    },
  );

  it.each([
    ['corp.example', 'corp.example/deep/down/v2'],
    ['github.com/acme', 'github.com/acme/tool'],
    ['a.example,b.example', 'b.example/x'],
    ['github.com/Acme', 'github.com/Acme/tool'],
  ])('(%s) is refused for %s, as GOPRIVATE covers it', async (globs, module) => {
    expect(await setup(globs).resolve({ kind: 'mod', module: modulePath(module) })).toHaveProperty(
      'kind',
      'refused',
    );
  });
});

describe('any other request', () => {
  it.each([
    ['corp.example', { kind: 'mod', module: modulePath('example.com/hello') }],
    ['github.com/acme', { kind: 'mod', module: modulePath('github.com/acme2/tool') }],
    ['github.com/acme', { kind: 'mod', module: modulePath('github.com/Acme/tool') }],
    ['', { kind: 'mod', module: modulePath('corp.example/tool') }],
    ['corp.example', { kind: 'tile' }],
    ['corp.example', { kind: 'latest' }],
  ])('with PRIVATE %j, %j, is resolved', async (globs, request) => {
    const { resolve, passed } = setup(globs);
    expect(await resolve(request)).toBe(ANSWER);
    expect(passed).toEqual([request]);
  });
});
