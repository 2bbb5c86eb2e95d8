import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

// proc_pid_stat(5), proc_pid_status(5). Field 4 of stat is the parent; fields 14 and 15 are user
// and system time in ticks. The name in field 2 may contain any character, so fields are counted
// from its closing parenthesis.
const TICKS_PER_SECOND = 100;

/** The process ids of the workerd processes that `parent` started; default this process. */
export function workerdChildren(parent = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = readStat(pid);
      return stat?.name.startsWith('workerd') === true && stat.parent === parent;
    });
}

/** Memory in bytes and CPU time in seconds of a process. */
export interface Usage {
  readonly resident: number;
  /** The highest resident memory since the start or the last `resetPeak`. */
  readonly peak: number;
  readonly cpuSeconds: number;
}

export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024;
  return {
    resident: bytes('VmRSS'),
    peak: bytes('VmHWM'),
    cpuSeconds: readStat(pid)?.cpuSeconds ?? 0,
  };
}

/** Sets the peak to the current resident memory (proc_pid_clear_refs(5)). */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function readStat(pid: number): { name: string; parent: number; cpuSeconds: number } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // the process has ended
  }
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { name, parent: Number(fields[1]), cpuSeconds: ticks / TICKS_PER_SECOND };
}
