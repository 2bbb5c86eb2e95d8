import { expect, it } from 'vitest';
import { wranglerFailure } from './wrangler-failure.ts';

const SUBJECT = { host: 'go.example.com', account: 'a1' };

function report(message: string): string {
  return `Total Upload: 1 KiB\n\n✘ [ERROR] A request to the Cloudflare API (/x) failed.\n\n  ${message}\n  \n  If you think this is a bug, please open an issue at: https://example.com\n`;
}

it.each([
  [10_014, 'npm run deploy'],
  [10_063, 'https://dash.cloudflare.com/a1/workers-and-pages'],
  [10_072, 'cron triggers'],
  [100_117, 'delete the DNS records of go.example.com'],
  [100_328, 'remove [limits]'],
  [4_711, 'run this again'],
])('code %i is answered with a remedy', (code, remedy) => {
  const text = wranglerFailure(report(`It failed. [code: ${code}]`), SUBJECT);
  expect(text).toContain(`It failed. [code: ${code}]; `);
  expect(text).toContain(remedy);
  expect(text).not.toContain('\n');
  expect(text).not.toMatch(/Total Upload|please open/);
});

it('a report without an error is passed on', () => {
  expect(wranglerFailure('killed', SUBJECT)).toContain('killed; run this again');
  expect(wranglerFailure('', SUBJECT)).toContain('it gave no reason');
});
