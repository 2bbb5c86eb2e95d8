import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import * as v from 'valibot';

const WRANGLER_TOML = join(import.meta.dirname, '..', '..', '..', 'wrangler.toml');

/** The bindings of one kind, with their names as the ids of what they bind in the local run. */
const Resources = v.pipe(
  v.array(v.object({ binding: v.string() })),
  v.transform((bindings) =>
    Object.fromEntries(bindings.map(({ binding }) => [binding, { id: binding }])),
  ),
);

const Settings = v.object({
  compatibility_date: v.string(),
  compatibility_flags: v.array(v.string()),
  kv_namespaces: Resources,
  r2_buckets: Resources,
  vars: v.record(v.string(), v.unknown()),
});

export interface LocalSettings {
  /** The variables of the Worker. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** The other options of the Worker, as Miniflare takes them. */
  readonly worker: {
    readonly compatibilityDate: string;
    readonly compatibilityFlags: string[];
    readonly kvNamespaces: v.InferOutput<typeof Resources>;
    readonly r2Buckets: v.InferOutput<typeof Resources>;
  };
}

/**
 * What the local run uses of wrangler.toml. It is parsed here, because wrangler takes two seconds to
 * load, and more than 100 MB that the process would never give back.
 */
export async function readSettings(): Promise<LocalSettings> {
  const settings = v.parse(Settings, parse(await readFile(WRANGLER_TOML, 'utf8')));
  return {
    variables: settings.vars,
    worker: {
      compatibilityDate: settings.compatibility_date,
      compatibilityFlags: settings.compatibility_flags,
      kvNamespaces: settings.kv_namespaces,
      r2Buckets: settings.r2_buckets,
    },
  };
}
