import type { ReadLog } from '../access/policy/explain.ts';
import type { PolicyOptions } from '../access/policy/resolve.ts';
import { failureText } from '../origins/failure.ts';
import type { Checksums } from '../sumdb/checksums.ts';
import type { LogContext } from '../sumdb/log-context.ts';

/** No ages are asked for. */
export const NO_AGES: Pick<PolicyOptions, 'limitsOf' | 'openAges'> = {
  limitsOf: () => ({ explicitMs: undefined, listMs: undefined }),
  openAges: () => ({ of: async () => ({ kind: 'old' }), ofAll: async () => new Map() }),
};

/** Returns the function that tells what the log of a checksum database has of a version. */
export function logReader(checksumsOf: (context: LogContext) => Checksums | undefined): ReadLog {
  return async function readLog(module, version, context) {
    const checksums = checksumsOf(context);
    const expected = await checksums?.expect(module, version);
    switch (expected?.kind) {
      case 'known':
        return { database: expected.database, text: `${expected.database} has a record of it` };
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
