import type { H1 } from '../../bytes/h1.ts';
import { sha256 } from '../../bytes/sha256.ts';
import { hashLines } from './h1.ts';

/**
 * The `h1:` hash of a go.mod, which go.sum has in the line with `/go.mod` (cmd/go modfetch,
 * goModSum).
 */
export function hashMod(bytes: Uint8Array): H1 {
  return hashLines([{ name: new TextEncoder().encode('go.mod'), sum: sha256(bytes) }]);
}
