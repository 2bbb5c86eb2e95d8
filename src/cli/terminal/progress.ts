import type { Step } from '../../operations/audit/audit.ts';
import { megabytes } from '../../operations/audit/report.ts';

/**
 * How often the line is written: on a terminal, where it replaces the one before, and elsewhere.
 */
const ON_TERMINAL_MS = 200;
const ELSEWHERE_MS = 10_000;

export interface ProgressOutput {
  readonly isTTY: boolean;
  readonly now: () => number;
  readonly write: (text: string) => void;
}

export interface ProgressLine {
  readonly show: (step: Step) => void;
  /** Removes the line from a terminal. */
  readonly finish: () => void;
}

/** Shows how far an audit is. */
export function progressLine(output: ProgressOutput): ProgressLine {
  const intervalMs = output.isTTY ? ON_TERMINAL_MS : ELSEWHERE_MS;
  let first: { readonly at: number; readonly bytes: number } | undefined;
  let written: number | undefined;
  return {
    show(step) {
      const now = output.now();
      first ??= { at: now, bytes: step.bytes };
      if (now - (written ?? first.at) < intervalMs) return;
      written = now;
      const line = describe(step, { bytes: step.bytes - first.bytes, ms: now - first.at });
      output.write(output.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
    },
    finish() {
      if (output.isTTY && written !== undefined) output.write('\r\u001b[K');
    },
  };
}

/**
 * One line: files and bytes of all, the rate of this run, the time that the rest takes at that
 * rate, and what is wrong.
 */
export function describe(step: Step, run: { readonly bytes: number; readonly ms: number }): string {
  const { bytes, files, totalBytes, totalFiles, wrong } = step;
  const rate = run.ms > 0 ? run.bytes / (run.ms / 1000) : 0;
  const left = rate > 0 ? duration((totalBytes - bytes) / rate) : 'unknown time';
  return [
    `${files} of ${totalFiles} files`,
    `${megabytes(bytes)} of ${megabytes(totalBytes)}`,
    `${megabytes(rate)}/s`,
    `${left} left`,
    `${wrong} wrong`,
  ].join(', ');
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
