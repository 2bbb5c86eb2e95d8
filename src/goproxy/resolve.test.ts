import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeFetch, originOf } from '../../test/fakes/effects/fetch.ts';
import { bytes, modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { fakeContext, memoryTiers } from '../../test/fakes/mirror/context.ts';
import { writeZip } from '../../test/fakes/zip/zip-writer.ts';
import { bytesOf } from '../bytes/streams.ts';
import { parsePatterns } from '../module/patterns.ts';
import type { Origin } from '../origins/origin.ts';
import type { LogContext } from '../sumdb/log-context.ts';
import { moduleResolver } from './resolve.ts';
import { verificationOf } from './verification.ts';

const hello = modulePath('example.com/hello');
const v1 = version('v1.0.0');

function patternsOf(globs: string): Origin['modules'] {
  const patterns = parsePatterns(globs);
  if (!patterns.ok) throw new Error(patterns.reason.join());
  return patterns.value;
}

const list = () => new Response('v1.0.0\n');

function setup(replies: Parameters<typeof fakeFetch>[0], origins = [originOf('a')]) {
  const clock = fakeClock();
  const fetch = fakeFetch(replies);
  const context = fakeContext({ clock, fetch, tiers: memoryTiers(clock) });
  const contexts: LogContext[] = [];
  const resolve = moduleResolver({
    origins,
    privateModules: [],
    verificationOf(of) {
      contexts.push(of);
      return verificationOf('off', undefined);
    },
  });
  return { fetch, context, contexts, resolve };
}

it('a small file is resolved to its bytes', async () => {
  const { resolve, context } = setup({ 'https://a': list });
  const outcome = await resolve({ kind: 'list', module: hello }, context);
  expect(outcome).toMatchObject({ kind: 'found', cache: 'mutable', source: { origin: 'a' } });
  expect(outcome.kind === 'found' && text(await bytesOf(outcome.file.body))).toBe('v1.0.0\n');
});

it('a zip is resolved to its bytes', async () => {
  const zip = writeZip([{ name: `${hello}@${v1}/go.mod`, content: 'module m\n' }]);
  const { resolve, context } = setup({ 'https://a': () => new Response(new Uint8Array(zip)) });
  const outcome = await resolve({ kind: 'zip', module: hello, version: v1 }, context);
  expect(outcome).toMatchObject({ kind: 'found', contentType: 'application/zip' });
});

it('the files of a request are compared by the context of that request', async () => {
  const { resolve, context, contexts } = setup({ 'https://a': list });
  await resolve({ kind: 'list', module: hello }, context);
  expect(contexts).toEqual([context]);
});

it('only the origins that serve a module are asked for it', async () => {
  const origins = [originOf('corp', { modules: patternsOf('corp.example') }), originOf('public')];
  const { resolve, context, fetch } = setup(
    { 'https://corp': list, 'https://public': list },
    origins,
  );
  await resolve({ kind: 'list', module: modulePath('corp.example/tool') }, context);
  await resolve({ kind: 'list', module: hello }, context);
  expect(fetch.calls.map(({ url }) => url)).toEqual([
    'https://corp/corp.example/tool/@v/list',
    'https://public/example.com/hello/@v/list',
  ]);
});

it('a module that no origin serves is a 404 that is not kept, and no origin is asked', async () => {
  const origins = [originOf('corp', { modules: patternsOf('corp.example') })];
  const { resolve, context, fetch } = setup({}, origins);
  expect(await resolve({ kind: 'list', module: hello }, context)).toMatchObject({
    kind: 'missing',
    status: 404,
    cache: 'failure',
  });
  expect(fetch.calls).toEqual([]);
});

it('a request that may not fetch is resolved from the store alone', async () => {
  const { resolve, context, fetch } = setup({ 'https://a': () => new Response('module m\n') });
  const request = { kind: 'mod', module: hello, version: v1 } as const;
  const stored = { ...context, mayFetch: false };
  expect(await resolve(request, stored)).toMatchObject({ kind: 'missing' });
  expect(fetch.calls).toEqual([]);
  await resolve(request, context);
  await context.idle();
  const outcome = await resolve(request, stored);
  expect(outcome.kind === 'found' && outcome.file.body).toEqual(bytes('module m\n'));
});
