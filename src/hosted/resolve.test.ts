import { describe, expect, it } from 'vitest';
import { fakeContext } from '../../test/fakes/mirror/context.ts';
import { memoryStore } from '../../test/fakes/store/memory-store.ts';
import { moduleZip } from '../../test/fakes/zip/module-zip.ts';
import { bytesOf } from '../bytes/streams.ts';
import { latestOfList } from '../goproxy/latest-of-list.ts';
import type { ModuleRequest } from '../goproxy/request.ts';
import { LOCAL, type Outcome } from '../mirror/outcome.ts';
import { parseModulePath } from '../module/module-path.ts';
import { parsePatterns } from '../module/patterns.ts';
import { parseVersion, parseVersionQuery } from '../module/version.ts';
import type { DurableStore } from '../store/contract.ts';
import { etagOf } from '../store/etag.ts';
import { publishVersion } from './publish.ts';
import { withHosted } from './resolve.ts';

const module = defined(parseModulePath('corp.example/tool'));

function defined<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('Cannot parse a fixture');
  return value;
}

const MISSING: Outcome = {
  kind: 'missing',
  status: 404,
  text: 'not found: no origin of this proxy serves it',
  cache: 'failure',
  source: LOCAL,
};
const DOWN: Outcome = {
  kind: 'unavailable',
  status: 502,
  text: 'cannot get it: corp: connection failed',
  retryAfterSeconds: undefined,
  source: LOCAL,
};
const REFUSED: Outcome = { kind: 'refused', text: 'refused: corp says: no', source: LOCAL };

function found(text: string): Outcome {
  const body = new TextEncoder().encode(text);
  return {
    kind: 'found',
    file: { body, size: body.length, etag: etagOf(body) },
    contentType: 'text/plain; charset=utf-8',
    cache: 'mutable',
    source: { from: 'origin', origin: 'corp', effort: { tries: [], ms: 0 } as never },
  };
}

/** What the origins say, by the kind of the request, or by `<version>.mod`. */
type Origins = Readonly<Record<string, Outcome>>;

interface Stage {
  readonly ask: (request: ModuleRequest) => Promise<Outcome>;
  /** The requests that reached the origins. */
  readonly asked: readonly ModuleRequest[];
}

/** Hosted versions, each with a go.mod unless it is `+incompatible`. Default: the bucket works. */
async function stage(
  hosted: readonly string[],
  origins: Origins = {},
  durable?: DurableStore,
): Promise<Stage> {
  const bucket = memoryStore();
  const setUp = fakeContext({ tiers: { durable: bucket } });
  for (const text of hosted) {
    const isBare = text.endsWith('+incompatible');
    const goMod = `module ${module}\n\ngo 1.24\n`;
    const files = isBare ? { 'a.go': 'package a\n' } : { 'go.mod': goMod };
    const zip = moduleZip(module, text, files);
    const version = defined(parseVersion(text));
    const incoming = { body: new Blob([zip]).stream(), declaredBytes: zip.length };
    const { kind } = await publishVersion({ module, version }, incoming, setUp);
    expect(kind).toBe('published');
  }
  const patterns = parsePatterns('corp.example');
  if (!patterns.ok) throw new Error(patterns.reason.join());
  const asked: ModuleRequest[] = [];
  const hosting = withHosted(async (request: ModuleRequest) => {
    asked.push(request);
    const { kind } = request;
    const version = 'version' in request ? request.version : '';
    return origins[`${version}.${kind}`] ?? origins[kind] ?? MISSING;
  }, patterns.value);
  const resolve = latestOfList(hosting, patterns.value);
  const context = fakeContext({ tiers: { durable: durable ?? bucket } });
  return { asked, ask: (request) => resolve(request, context) };
}

async function fail(): Promise<never> {
  throw new Error('the store is down');
}

const BROKEN: DurableStore = {
  ...memoryStore(),
  read: fail,
  head: fail,
  readForSwap: fail,
  list: () => ({ [Symbol.asyncIterator]: () => ({ next: fail }) }),
};

async function bodyText(outcome: Outcome): Promise<string> {
  if (outcome.kind !== 'found') return `${outcome.kind}: ${outcome.text}`;
  return new TextDecoder().decode(await bytesOf(outcome.file.body));
}

describe('the list of a private module', () => {
  it.each<readonly [string, readonly string[], Outcome, string]>([
    ['hosted ones alone', ['v1.10.0', 'v1.9.0'], MISSING, 'v1.9.0\nv1.10.0\n'],
    ['those of an origin alone', [], found('v1.0.0\nv0.9.0\n'), 'v1.0.0\nv0.9.0\n'],
    [
      'both, sorted',
      ['v1.10.0'],
      found('v1.9.0\nv2.0.0+incompatible\nv1.11.0'),
      'v1.9.0\nv1.10.0\nv1.11.0\nv2.0.0+incompatible\n',
    ],
    ['both, each once', ['v1.0.0', 'v1.1.0'], found('v1.0.0\n'), 'v1.0.0\nv1.1.0\n'],
    ['no pseudo-version', ['v0.0.0-20240101000000-abcdefabcdef'], MISSING, ''],
    ['no line that is no version', ['v1.0.0'], found('v1.1.0\nmain\nv3.0.0\n'), 'v1.0.0\nv1.1.0\n'],
    ['nothing', [], MISSING, `missing: ${reason(MISSING)}`],
  ])('has %s', async (_name, hosted, list, text) => {
    const { ask } = await stage(hosted, { list });
    expect(await bodyText(await ask({ kind: 'list', module }))).toBe(text);
  });

  it.each([
    ['fails', DOWN],
    ['refuses', REFUSED],
  ])('stays a failure where an origin %s: a part of it would be wrong', async (_name, outcome) => {
    const { ask } = await stage(['v1.0.0'], { list: outcome });
    for (const kind of ['list', 'latest'] as const)
      expect(await ask({ kind, module })).toEqual(outcome);
  });

  it.each([
    ['has it', found('v1.0.0\n')],
    ['has none', MISSING],
  ])('is a failure where the bucket fails, and an origin %s', async (_name, list) => {
    const { ask } = await stage([], { list }, BROKEN);
    expect((await ask({ kind: 'list', module })).kind).toBe('unavailable');
    expect((await ask({ kind: 'latest', module })).kind).toBe('unavailable');
  });
});

function reason(outcome: Outcome): string {
  return outcome.kind === 'found' ? '' : outcome.text;
}

const at = (version: string) => found(`{"Version":"${version}","Time":"2024-01-01T00:00:00Z"}`);
const of = (version: string, mod = 'go 1.24\n') => ({
  list: found(`${version}\n`),
  [`${version}.info`]: at(version),
  [`${version}.mod`]: found(`module corp.example/tool\n${mod}`),
});

describe('the latest of a private module', () => {
  const pseudo = 'v0.0.0-20240101000000-abcdefabcdef';
  const later = 'v0.0.0-20250101000000-abcdefabcdef';
  it.each<readonly [string, readonly string[], Origins, string]>([
    ['the highest release', ['v1.9.0', 'v1.10.0', 'v1.11.0-rc.1'], {}, 'v1.10.0'],
    ['the highest pre-release where there is no release', ['v1.0.0-a', 'v1.0.0-b'], {}, 'v1.0.0-b'],
    ['a pseudo-version where there is nothing else', [pseudo, later], {}, later],
    ['the pseudo-version of an origin that is higher', [pseudo], { latest: at(later) }, later],
    ['the hosted pseudo-version that is higher', [later], { latest: at(pseudo) }, later],
    ['the one of an origin that is higher', ['v1.0.0'], of('v1.1.0'), 'v1.1.0'],
    ['the hosted one that is higher', ['v1.2.0'], of('v1.1.0'), 'v1.2.0'],
    ['a hosted release before a pre-release', ['v1.0.0'], of('v2.0.0-a'), 'v1.0.0'],
    ['a release of an origin before a pseudo-version', [pseudo], of('v0.1.0'), 'v0.1.0'],
    ['no +incompatible beside a hosted go.mod', ['v1.0.0'], of('v2.0.0+incompatible'), 'v1.0.0'],
    [
      'no hosted +incompatible beside the go.mod of an origin',
      ['v2.0.0+incompatible'],
      of('v1.0.0'),
      'v1.0.0',
    ],
    [
      'a hosted +incompatible where the origin has no go.mod',
      ['v2.0.0+incompatible'],
      of('v1.0.0', ''),
      'v2.0.0+incompatible',
    ],
  ])('is %s', async (_name, hosted, origins, version) => {
    const { ask } = await stage(hosted, origins);
    expect(JSON.parse(await bodyText(await ask({ kind: 'latest', module })))).toMatchObject({
      Version: version,
    });
  });

  it('is missing where nobody has a version', async () => {
    const { ask } = await stage([]);
    expect(await ask({ kind: 'latest', module })).toEqual(MISSING);
  });
});

describe('a file of a private module', () => {
  const files = ['info', 'mod', 'zip'] as const;
  const request = (kind: (typeof files)[number], text: string): ModuleRequest => ({
    kind,
    module,
    version: defined(parseVersion(text)),
  });

  it.each(files)(
    '.%s of a hosted version is the hosted one, and no origin hears of it',
    async (kind) => {
      const origins = { info: found('wrong'), 'v1.0.0.mod': found('wrong'), zip: found('wrong') };
      const { ask, asked } = await stage(['v1.0.0'], origins);
      const outcome = await ask(request(kind, 'v1.0.0'));
      expect([outcome.kind, await bodyText(outcome)]).toEqual([
        'found',
        expect.not.stringMatching('wrong'),
      ]);
      expect(asked).toEqual([]);
    },
  );

  it.each(files)('.%s of another version is that of the origins', async (kind) => {
    const { ask, asked } = await stage(['v1.0.0'], { info: DOWN, 'v1.1.0.mod': DOWN, zip: DOWN });
    expect(await ask(request(kind, 'v1.1.0'))).toEqual(DOWN);
    expect(asked).toHaveLength(1);
  });

  it.each(files)(
    '.%s is a failure where the bucket fails: an origin may have other bytes',
    async (kind) => {
      const { ask, asked } = await stage([], { info: found('x') }, BROKEN);
      expect((await ask(request(kind, 'v1.0.0'))).kind).toBe('unavailable');
      expect(asked).toEqual([]);
    },
  );

  it('is asked of the origins for a query', async () => {
    const { ask, asked } = await stage(['v1.0.0']);
    const query = defined(parseVersionQuery('main'));
    expect(await ask({ kind: 'query', module, query })).toEqual(MISSING);
    expect(asked).toHaveLength(1);
  });

  it('is asked of the origins for a module that is not private', async () => {
    const { ask, asked } = await stage([], { list: found('v1.0.0\n') }, BROKEN);
    const open = defined(parseModulePath('example.com/hello'));
    expect((await ask({ kind: 'list', module: open })).kind).toBe('found');
    expect(asked).toHaveLength(1);
  });
});
