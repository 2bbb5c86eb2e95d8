import { expect, it } from 'vitest';
import { describe as describeStep, progressLine } from './progress.ts';

const step = (files: number, bytes: number) => ({
  files,
  bytes,
  totalFiles: 40,
  totalBytes: 4e9,
  wrong: 1,
});

function shown(
  isTTY: boolean,
  steps: readonly (readonly [now: number, bytes: number])[],
): string[] {
  const written: string[] = [];
  let now = 0;
  const line = progressLine({ isTTY, now: () => now, write: (text) => void written.push(text) });
  for (const [at, bytes] of steps) {
    now = at;
    line.show(step(1, bytes));
  }
  line.finish();
  return written;
}

it('a line says how far it is, the rate of this run, and what is left at that rate', () => {
  expect(describeStep(step(10, 1e9), { bytes: 5e8, ms: 5_000 })).toBe(
    '10 of 40 files, 1000 MB of 4000 MB, 100 MB/s, 30 s left, 1 wrong',
  );
  expect(describeStep(step(10, 1e9), { bytes: 5e6, ms: 5_000 })).toContain(
    '1.0 MB/s, 50 min 0 s left',
  );
  expect(describeStep(step(10, 0), { bytes: 0, ms: 0 })).toContain('unknown time left');
});

it('a terminal has one line, which is written over; a log has one every ten seconds', () => {
  const steps = [0, 100, 300, 400, 600, 9_900, 10_100, 15_000, 20_200].map(
    (at) => [at, at * 1e5] as const,
  );
  const onTerminal = shown(true, steps);
  expect(onTerminal.every((text) => text.startsWith('\r\u001b[K') && !text.includes('\n'))).toBe(
    true,
  );
  expect(onTerminal.at(-1)).toBe('\r\u001b[K');
  const inLog = shown(false, steps);
  expect(inLog).toHaveLength(2);
  expect(inLog.every((text) => text.endsWith('\n'))).toBe(true);
});
