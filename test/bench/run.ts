import { buildWorker } from '../../src/cli/local/build.ts';
import { findAnyGo } from '../go/go.ts';
import { measureFaults } from './faults.ts';
import { measureGoDownload } from './go-download.ts';
import { measureMemory } from './memory.ts';
import { measureZipHash } from './zip-hash.ts';

/** `npm run bench`: measurements, never assertions. */
const script = await buildWorker();
const go = findAnyGo();
const downloads = go
  ? `${await measureGoDownload(script, go)}\n\n${await measureFaults(script, go)}`
  : 'No go command was found: its downloads are not measured';
process.stdout.write(
  `${downloads}\n\n${await measureMemory(script)}\n\n${await measureZipHash()}\n`,
);
