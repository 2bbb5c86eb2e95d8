import { resolve } from 'node:path';
import * as v from 'valibot';
import { failed, type Result, success } from '../../effects/result.ts';

const Route = v.union([
  v.string(),
  v.looseObject({ pattern: v.string(), custom_domain: v.optional(v.boolean()) }),
]);

const Manifest = v.looseObject({
  name: v.string(),
  main: v.string(),
  account_id: v.optional(v.string()),
  routes: v.optional(v.array(Route), []),
  r2_buckets: v.optional(
    v.array(v.looseObject({ binding: v.string(), bucket_name: v.optional(v.string()) })),
    [],
  ),
  kv_namespaces: v.optional(
    v.array(v.looseObject({ binding: v.string(), id: v.optional(v.string()) })),
    [],
  ),
  vars: v.optional(v.record(v.string(), v.unknown()), {}),
});

/** wrangler.toml, as far as a deployment reads it. */
export type Manifest = v.InferOutput<typeof Manifest>;

/** The manifest in what a TOML parser made of wrangler.toml. */
export function parseManifest(toml: unknown): Result<Manifest> {
  const parsed = v.safeParse(Manifest, toml);
  if (parsed.success) return success(parsed.output);
  return failed(`Cannot use wrangler.toml: ${v.summarize(parsed.issues)}`);
}

/** The names that wrangler.toml serves at, by its `routes`. */
export function hostsOf({ routes }: Manifest): readonly string[] {
  return routes.flatMap((route) =>
    typeof route !== 'string' && route.custom_domain === true ? [route.pattern] : [],
  );
}

/**
 * The name of a bucket or namespace that wrangler.toml gives none. `wrangler deploy` alone would
 * make it under the same name.
 */
export function resourceName(worker: string, binding: string): string {
  return `${worker}-${binding.toLowerCase().replaceAll('_', '-')}`;
}

/** What a deployment knows besides wrangler.toml. */
export interface Deployment {
  readonly host: string;
  readonly verify: string;
  /** Names by their bindings; a binding without one is left out. */
  readonly buckets: ReadonlyMap<string, string>;
  /** Ids by their bindings. */
  readonly namespaces: ReadonlyMap<string, string>;
}

/**
 * The configuration for wrangler: wrangler.toml in `directory` with everything filled in. Its own
 * file, because wrangler.toml belongs to its user, and wrangler writes ids into JSON alone.
 */
export function wranglerConfig(
  manifest: Manifest,
  directory: string,
  { buckets, host, namespaces, verify }: Deployment,
): Manifest {
  const { main, routes, vars } = manifest;
  const hasRoute = routes.some((route) => typeof route !== 'string' && route.pattern === host);
  return {
    ...manifest,
    main: resolve(directory, main),
    routes: hasRoute ? routes : [...routes, { pattern: host, custom_domain: true }],
    r2_buckets: manifest.r2_buckets.flatMap((bucket) => {
      const name = buckets.get(bucket.binding);
      return name === undefined ? [] : [{ ...bucket, bucket_name: name }];
    }),
    kv_namespaces: manifest.kv_namespaces.flatMap((namespace) => {
      const id = namespaces.get(namespace.binding);
      return id === undefined ? [] : [{ ...namespace, id }];
    }),
    vars: { ...vars, VERIFY: verify, CACHE_HOST: vars['CACHE_HOST'] || host },
  };
}
