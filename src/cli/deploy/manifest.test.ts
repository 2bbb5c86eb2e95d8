import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse } from 'smol-toml';
import { expect, it } from 'vitest';
import { parseManifest, wranglerConfig } from './manifest.ts';

const toml = await readFile(new URL('../../../wrangler.toml', import.meta.url), 'utf8');

const deployment = {
  host: 'go.example.com',
  verify: 'mod',
  buckets: new Map([['FILES', 'modferry-files']]),
  namespaces: new Map([['META', 'id1']]),
};

function configOf(text: string) {
  const manifest = parseManifest(parse(text));
  if (!manifest.ok) throw new Error(manifest.reason);
  return wranglerConfig(manifest.value, '/root', deployment);
}

it('everything of wrangler.toml stays but what a deployment knows better', () => {
  const config = configOf(toml);
  const own = parse(toml);
  expect(config).toEqual({
    ...own,
    main: resolve('/root', 'src/worker.ts'),
    routes: [{ pattern: 'go.example.com', custom_domain: true }],
    r2_buckets: [{ binding: 'FILES', bucket_name: 'modferry-files' }],
    kv_namespaces: [{ binding: 'META', id: 'id1' }],
    vars: { ...Object(own['vars']), VERIFY: 'mod', CACHE_HOST: 'go.example.com' },
  });
});

it('a route and a CACHE_HOST that its user wrote stay', () => {
  const route = 'routes = [{ pattern = "go.example.com", custom_domain = true, zone_id = "z" }]';
  const config = configOf(
    `${route}\n${toml.replace('CACHE_HOST = ""', 'CACHE_HOST = "a.example"')}`,
  );
  expect(config.routes).toEqual([{ pattern: 'go.example.com', custom_domain: true, zone_id: 'z' }]);
  expect(config.vars['CACHE_HOST']).toBe('a.example');
});
