import { expect, it } from 'vitest';
import { fakeContext } from '../../test/fakes/mirror/context.ts';
import { cachedOnly } from './cached-only.ts';
import type { RequestContext } from './context.ts';
import { notCached } from './messages.ts';

it('the resolver gets the same request, and the same context but for the right to fetch', async () => {
  const calls: [request: string, context: RequestContext][] = [];
  const resolve = cachedOnly(async (request: string, context: RequestContext) => {
    calls.push([request, context]);
    return notCached(request);
  });
  const context = fakeContext();
  expect(await resolve('m', context)).toEqual(notCached('m'));
  expect(calls).toEqual([['m', { ...context, mayFetch: false }]]);
  expect(context.mayFetch).toBe(true);
});
