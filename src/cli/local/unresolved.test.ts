import { expect, it } from 'vitest';
import { findUnresolved } from './unresolved.ts';

const ORIGINS = [
  { name: 'good', url: 'https://good.example/go' },
  { name: 'bad', url: 'https://bad.example:8443' },
  { name: 'address', url: 'http://[::1]:80' },
];

const resolve = (host: string) =>
  host === 'bad.example' ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve();

const LINE = { event: 'trouble', label: 'bad', message: 'Cannot resolve its name: ENOTFOUND' };

it('names the origins whose names do not resolve, each once a minute', async () => {
  const unresolved = findUnresolved(ORIGINS, resolve);
  expect(await unresolved(1_000)).toEqual([LINE]);
  expect(await unresolved(60_999)).toEqual([]);
  expect(await unresolved(61_000)).toEqual([LINE]);
});

it('resolves the host alone', async () => {
  const hosts: string[] = [];
  await findUnresolved(ORIGINS, async (host) => void hosts.push(host))(0);
  expect(hosts).toEqual(['good.example', 'bad.example', '::1']);
});
