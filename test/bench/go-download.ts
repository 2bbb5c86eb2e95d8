import { goSums } from '../fakes/origin/module.ts';
import { startOrigin } from '../fakes/origin/origin.ts';
import { startSumDB } from '../fakes/sumdb/sumdb.ts';
import { startBenchModferry } from './bench-modferry.ts';
import { table } from './table.ts';
import { noiseModule, timedDownload } from './timed-download.ts';

const MODULES = 20;
const BYTES = 500_000;

/**
 * The wall time of a `go mod download` of twenty modules of 500 kB each, direct and through
 * modferry.
 */
export async function measureGoDownload(script: string, go: string): Promise<string> {
  const modules = Array.from({ length: MODULES }, (_, index) =>
    noiseModule(`bench.example/m${index}`, { bytes: BYTES, seed: index }),
  );
  const origin = await startOrigin({ modules });
  const database = await startSumDB({ go, records: goSums(modules) });
  const modferry = await startBenchModferry({ script, origins: [origin.url], database });
  const paths = modules.map(({ path }) => path);
  const seconds = async (proxy: string, gosumdb: string) => {
    const result = await timedDownload(go, { proxy, gosumdb, modules: paths });
    if (result.kind !== 'done')
      throw new Error(`Cannot download through ${proxy}: ${JSON.stringify(result)}`);
    return result.seconds.toFixed(2);
  };
  try {
    const direct = () => seconds(origin.url, `${database.verifierKey} ${database.url}`);
    const through = () => seconds(modferry.url, database.verifierKey);
    const rows = [
      ['direct, first', await direct()],
      ['direct, again', await direct()],
      ['modferry cold', await through()],
      ['modferry warm', await through()],
      ['modferry warm, again', await through()],
    ];
    return table([`go mod download of ${MODULES} modules`, 'wall s'], rows);
  } finally {
    await modferry.close();
    await database.close();
    await origin.close();
  }
}
