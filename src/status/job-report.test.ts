import { expect, it } from 'vitest';
import { jobsText } from './job-report.ts';

it('each job has a line that says when it ran, and why it does not', () => {
  const now = 100 * 60_000;
  const job = { isAllowed: true, ranAt: undefined, cursor: undefined };
  const text = jobsText(
    [
      { ...job, name: 'probe', ranAt: 97 * 60_000 },
      { ...job, name: 'log heads' },
      { ...job, name: 'store check', ranAt: now, cursor: 'example.com/a/@v/v1.0.0.mod' },
      { ...job, name: 'other', isAllowed: false },
    ],
    now,
  );
  expect(text).toBe(
    'probe: ran 3 min ago\n' +
      'log heads: has not run yet\n' +
      'store check: ran 0 min ago, and goes on at the next run\n' +
      'other: does not run, it needs the paid plan (VERIFY=all)\n',
  );
});
