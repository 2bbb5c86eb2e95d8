import type { ReadLog } from '../access/policy/explain.ts';
import { failureText } from '../origins/failure.ts';
import { firstWith } from '../sumdb/observations/observations.ts';
import type { checksumSources } from './checksum-sources.ts';

/** Observations of another isolate are known here after so long. */
const OBSERVED_MS = 30_000;

/** Returns the function that tells what the log of a checksum database has of a version. */
export function logReader(checksums: ReturnType<typeof checksumSources>): ReadLog {
  return async function readLog(module, version, context) {
    const expected = await checksums.of(context)?.expect(module, version);
    switch (expected?.kind) {
      case 'known': {
        const { database, record } = expected;
        const all = (await checksums.observationsOf(database).read(OBSERVED_MS, context)) ?? [];
        const first = firstWith(record, all);
        if (!first) return { database, record, text: `${database} has it as record ${record}` };
        const since = new Date(first.at).toISOString();
        const how = first === all[0] ? 'before' : 'since';
        const text = `${database} has it as record ${record}, ${how} ${since}`;
        return { database, record, since, text };
      }
      case 'unknown': {
        const causes = expected.failures.map(
          ({ origin, reason }) => `${origin}: ${failureText(reason)}`,
        );
        return { text: `it could not be asked: ${causes.join('; ')}` };
      }
      case 'uncovered':
        return { text: 'no checksum database has a record of it, or none may be asked' };
      case undefined:
        return { text: 'SUMDBS names no checksum database' };
    }
  };
}
