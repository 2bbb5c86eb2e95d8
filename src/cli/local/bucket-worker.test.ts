import { describe, expect, it } from 'vitest';
import worker from './bucket-worker.ts';

type Env = Parameters<typeof worker.fetch>[1];

/** Bindings of which every use is an error. */
const untouched = (BUCKET_SECRET: string): Env => {
  const binding = new Proxy(
    {},
    {
      get(_, name) {
        throw new Error(`the binding was asked for ${String(name)}`);
      },
    },
  );
  return { FILES: binding, META: binding, BUCKET_SECRET } as Env;
};

const post = (headers: Record<string, string>) =>
  new Request('http://127.0.0.1/', {
    method: 'POST',
    headers,
    body: JSON.stringify({ ask: 'remove', keys: ['a'] }),
  });

describe('the Worker that hands out the bucket', () => {
  it.each([
    ['no secret', {}],
    ['an empty secret', { Authorization: '' }],
    ['another secret', { Authorization: 'guess' }],
  ])('refuses a request with %s, and touches no file', async (_, headers) => {
    const { status } = await worker.fetch(post(headers), untouched('secret'));
    expect(status).toBe(403);
  });

  it('takes the secret of its binding', async () => {
    const request = post({ Authorization: 'secret' });
    await expect(worker.fetch(request, untouched('secret'))).rejects.toThrow('asked for delete');
  });
});
