// Prints what wrangler reads from a wrangler.toml, as JSON. It runs in a process of its own
// (read-settings.ts): wrangler takes more than 100 MB, which a process that imported it never
// gives back.
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from 'wrangler';
import type { Settings } from './read-settings.ts';

const [, , file = ''] = process.argv;
const { vars } = unstable_readConfig({ config: file });
const { workerOptions } = unstable_getMiniflareWorkerOptions(file);
const { compatibilityDate, compatibilityFlags, kvNamespaces, r2Buckets } = workerOptions;
process.stdout.write(
  JSON.stringify({
    vars,
    worker: { compatibilityDate, compatibilityFlags, kvNamespaces, r2Buckets },
  } satisfies Record<keyof Settings, unknown>),
);
