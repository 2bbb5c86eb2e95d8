import type { Config } from '../../config/config.ts';
import { type LogLine, parseLogLine, type TroubleLine } from '../terminal/log-line.ts';
import { readableLog } from '../terminal/readable-log.ts';
import type { LogFormat } from './start-options.ts';
import { findUnresolved } from './unresolved.ts';

export interface LogOptions {
  readonly format: LogFormat;
  readonly config: Pick<Config, 'origins' | 'databases'>;
  readonly write: (line: string) => void;
}

/**
 * The log of the local run. It takes what workerd writes, one message at a time with its time: the
 * lines of the Worker, and workerd's own messages.
 */
export function openLog({
  format,
  config,
  write,
}: LogOptions): (message: string, time: number) => void {
  const show = format === 'json' ? jsonLog(write) : readableLog({ write, schedule });
  const origins = [...config.origins, ...config.databases.flatMap(({ origins }) => origins)];
  const unresolved = findUnresolved(origins);
  return (message, time) => {
    const line = parseLogLine(message);
    if (line) show(line, time);
    else if (!isNameFailure(message)) show(fromWorkerd(message), time);
    else
      void unresolved(time).then((lines) => {
        for (const line of lines) show(line, time);
      });
  };
}

function jsonLog(write: (line: string) => void): (line: LogLine, time: number) => void {
  return (line, time) => write(JSON.stringify({ time: new Date(time).toISOString(), ...line }));
}

function schedule(run: () => void, ms: number): void {
  setTimeout(run, ms).unref();
}

/**
 * workerd writes an exception with a stack when a host name does not resolve, and does not say
 * which name that is. No other message of workerd is told apart by its text.
 */
function isNameFailure(message: string): boolean {
  return /DNS lookup failed|failed to lookup address/.test(message);
}

/** A message of workerd without the addresses of its stack, which is behind the first line. */
function fromWorkerd(message: string): TroubleLine {
  const [first = ''] = message.split(/\n+stack:/, 1);
  return {
    event: 'trouble',
    label: 'workerd',
    message: first.trim().replaceAll(/\s*\n\s*/g, '; '),
  };
}
