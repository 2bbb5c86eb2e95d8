import type { Background } from '../../effects/background.ts';

/** Background work of a process: it runs until it is done or the process ends. */
export function processBackground(report: (label: string, error: unknown) => void): Background {
  return (label, work) => void work.catch((error: unknown) => report(label, error));
}
