import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The script that runs wrangler in Node, without npx and without a shell. */
export function wranglerScript(): string {
  const manifest = createRequire(import.meta.url).resolve('wrangler/package.json');
  return join(dirname(manifest), 'bin', 'wrangler.js');
}
