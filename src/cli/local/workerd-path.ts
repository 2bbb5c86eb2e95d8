import { createRequire } from 'node:module';
import { platform } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';

/** Where Miniflare looks for another workerd than the one of its package. */
const MINIFLARE_VARIABLE = 'MINIFLARE_WORKERD_PATH';

const WRAPPER = join(import.meta.dirname, 'workerd.sh');

/**
 * Makes Miniflare start workerd through workerd.sh, so that workerd ends with this process in every
 * case. Windows ends the children of a process by itself.
 */
export function endWorkerdWithThisProcess(): void {
  if (platform() === 'win32' || process.env[MINIFLARE_VARIABLE] === WRAPPER) return;
  process.env['MODFERRY_WORKERD'] = process.env[MINIFLARE_VARIABLE] ?? workerdOfMiniflare();
  process.env[MINIFLARE_VARIABLE] = WRAPPER;
}

function workerdOfMiniflare(): string {
  const miniflare = createRequire(import.meta.url).resolve('miniflare');
  const workerd: unknown = createRequire(miniflare)('workerd');
  return v.parse(v.object({ default: v.string() }), workerd).default;
}
