import { isConfidential } from '../../access/caller.ts';
import { systemClock } from '../../effects/clock.ts';
import { handshake } from '../address/handshake.ts';
import { hangUp } from '../address/hang-up.ts';
import { visit } from '../address/visit.ts';
import type { Subject } from './check.ts';
import { CommandError } from '../terminal/command-error.ts';
import { runFirstDay } from './run-first-day.ts';

/**
 * Runs the checks from this machine, with a token of modferry where one is given. Resolves with
 * whether nothing is bad. Throws where the token would be sent in the clear.
 */
export function firstDay(
  subject: Pick<Subject, 'address' | 'large' | 'module'>,
  token: string | undefined,
): Promise<boolean> {
  if (token !== undefined && !isConfidential(new URL(subject.address)))
    throw new CommandError('Cannot send MODFERRY_TOKEN over http: write https', 1);
  return runFirstDay({
    subject: {
      ...subject,
      visit: (url, options) => visit(url, { ...options, token }),
      hangUp,
      handshake,
      pause: (ms) => systemClock.sleep(ms),
      now: () => Date.now(),
    },
    print: (line) => console.log(line),
  });
}
