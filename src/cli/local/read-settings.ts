import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { CommandError } from '../terminal/command-error.ts';
import { parseToml } from './parse-toml.ts';

const WRANGLER_TOML = join(import.meta.dirname, '..', '..', '..', 'wrangler.toml');

/**
 * The bindings of one kind, with their names as the ids of what they bind in the local run. Without
 * them modferry runs without such a tier, here as in a deployment.
 */
const Resources = v.pipe(
  v.optional(v.array(v.object({ binding: v.string() })), []),
  v.transform((bindings) =>
    Object.fromEntries(bindings.map(({ binding }) => [binding, { id: binding }])),
  ),
);

const Settings = v.object({
  compatibility_date: v.string(),
  compatibility_flags: v.array(v.string()),
  kv_namespaces: Resources,
  r2_buckets: Resources,
  vars: v.optional(v.record(v.string(), v.unknown()), {}),
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
 * load, and more than 100 MB that the process would never give back. Throws `CommandError`.
 */
export async function readSettings(): Promise<LocalSettings> {
  return parseSettings(await readFile(WRANGLER_TOML, 'utf8'));
}

/** `toml` is the text of wrangler.toml. Throws `CommandError`. */
export function parseSettings(toml: string): LocalSettings {
  const parsed = v.safeParse(Settings, parseToml(toml));
  if (!parsed.success) {
    throw new CommandError(`Cannot use wrangler.toml: ${v.summarize(parsed.issues)}`, 1);
  }
  const settings = parsed.output;
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
