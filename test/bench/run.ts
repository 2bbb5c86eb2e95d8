import { parseArgs } from 'node:util';
import { buildWorker } from '../../src/cli/local/build.ts';
import { findAnyGo } from '../go/go.ts';
import { measureCpu } from './cpu/measure.ts';
import { measureFaults } from './faults.ts';
import { measureGoDownload } from './go-download.ts';
import { measureLocalRun } from './local-run.ts';
import { measureMemory } from './memory.ts';
import { measureZipHash } from './zip-hash.ts';

/** `npm run bench`: measurements, never assertions. `npm run bench -- cpu`: those of CPU alone. */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { top: { type: 'string', multiple: true, default: [] } },
});
const script = await buildWorker();

async function measureGo(): Promise<string> {
  const go = findAnyGo();
  return go
    ? `${await measureGoDownload(script, go)}\n\n${await measureFaults(script, go)}`
    : 'No go command was found: its downloads are not measured';
}

async function measureLocal(): Promise<string> {
  const go = findAnyGo();
  return go ? measureLocalRun(go) : 'No go command was found: npm start is not measured';
}

const benches: Readonly<Record<string, () => Promise<string>>> = {
  go: measureGo,
  local: measureLocal,
  memory: () => measureMemory(script),
  'zip-hash': measureZipHash,
  cpu: () => measureCpu(script, values.top),
};
for (const name of positionals.length > 0 ? positionals : Object.keys(benches)) {
  const measure = benches[name];
  if (!measure)
    throw new Error(`Cannot find the bench "${name}": use ${Object.keys(benches).join(', ')}`);
  process.stdout.write(`${await measure()}\n\n`);
}
