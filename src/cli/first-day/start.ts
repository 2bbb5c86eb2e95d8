import { systemClock } from '../../effects/clock.ts';
import { handshake } from '../address/handshake.ts';
import { hangUp } from '../address/hang-up.ts';
import { visit } from '../address/visit.ts';
import type { Subject } from './check.ts';
import { runFirstDay } from './run-first-day.ts';

/** Runs the checks from this machine. Resolves with whether nothing is bad. */
export function firstDay(subject: Pick<Subject, 'address' | 'large' | 'module'>): Promise<boolean> {
  return runFirstDay({
    subject: {
      ...subject,
      visit,
      hangUp,
      handshake,
      pause: (ms) => systemClock.sleep(ms),
      now: () => Date.now(),
    },
    print: (line) => console.log(line),
  });
}
