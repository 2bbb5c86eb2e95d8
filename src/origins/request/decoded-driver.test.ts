import { expect, it } from 'vitest';
import { decodedDriver } from './decoded-driver.ts';
import type { OriginDriver } from './driver.ts';

const init = { headers: { Range: 'bytes=1-' }, signal: new AbortController().signal };

/** The paths that are requested, and the last status, of an origin that has `there` alone. */
async function ask(path: string, { there, status = 404 }: { there: string; status?: number }) {
  const paths: string[] = [];
  const driver: OriginDriver = async (path, received) => {
    expect(received).toBe(init);
    paths.push(path);
    return new Response('x', { status: path === there ? 200 : status });
  };
  const response = await decodedDriver(driver)(path, init);
  return { paths, status: response.status };
}

it.each([
  ['/corp.example/%21my%21tool/@v/list', '/corp.example/MyTool/@v/list'],
  ['/corp.example/x/@v/v1.0.0-%21r%21c1.zip', '/corp.example/x/@v/v1.0.0-RC1.zip'],
  ['/corp.example/!tool/@latest', '/corp.example/Tool/@latest'],
])('%s is asked for as %s after a 404 or a 410', async (path, decoded) => {
  for (const status of [404, 410])
    expect(await ask(path, { there: decoded, status })).toEqual({
      paths: [path, decoded],
      status: 200,
    });
});

it('what is below the escaped path is asked for once', async () => {
  const there = '/corp.example/%21tool/@v/list';
  expect(await ask(there, { there })).toEqual({ paths: [there], status: 200 });
});

it.each(['/corp.example/tool/@v/list', '/corp.example/x/@v/v1.0.0+incompatible.zip'])(
  '%s, which has no upper-case letter, is asked for once',
  async (path) => {
    expect(await ask(path, { there: '' })).toEqual({ paths: [path], status: 404 });
  },
);

it.each([401, 403, 429, 500])('status %i is not asked about again', async (status) => {
  const path = '/corp.example/%21tool/@v/list';
  expect(await ask(path, { there: '', status })).toEqual({ paths: [path], status });
});
