/** Writes sha256-pairs.wasm anew: `node src/cli/local/write-wasm.ts`, after a change of its source. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assembleSha256Pairs } from '../../bytes/sha256-pairs/assemble.ts';

const folder = join(import.meta.dirname, '..', '..', 'bytes', 'sha256-pairs');
await writeFile(join(folder, 'sha256-pairs.wasm'), assembleSha256Pairs());
