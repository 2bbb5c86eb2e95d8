import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';

const WRANGLER_TOML = join(import.meta.dirname, '..', '..', '..', 'wrangler.toml');
const PRINT_SETTINGS = join(import.meta.dirname, 'print-settings.ts');

const Resources = v.record(v.string(), v.object({ id: v.string() }));

const Settings = v.object({
  /** The variables of the Worker. */
  vars: v.record(v.string(), v.unknown()),
  /** The other options of the Worker, as Miniflare takes them. */
  worker: v.object({
    compatibilityDate: v.string(),
    compatibilityFlags: v.array(v.string()),
    kvNamespaces: Resources,
    r2Buckets: Resources,
  }),
});

export type Settings = v.InferOutput<typeof Settings>;

let settings: Promise<Settings> | undefined;

/** The settings of wrangler.toml, as wrangler reads them. The file is read once a process. */
export function readSettings(): Promise<Settings> {
  settings ??= printSettings();
  return settings;
}

async function printSettings(): Promise<Settings> {
  const { stdout } = await promisify(execFile)(process.execPath, [PRINT_SETTINGS, WRANGLER_TOML]);
  return v.parse(Settings, JSON.parse(stdout));
}
