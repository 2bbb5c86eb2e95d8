import { expect, it } from 'vitest';
import { CommandError } from '../terminal/command-error.ts';
import { parseSettings, readSettings } from './read-settings.ts';

const NEEDED = 'compatibility_date = "2026-10-01"\ncompatibility_flags = []\n';

it('wrangler.toml as it is binds a bucket and a namespace', async () => {
  const { worker } = await readSettings();
  expect(worker).toMatchObject({
    kvNamespaces: { META: { id: 'META' } },
    r2Buckets: { FILES: { id: 'FILES' } },
  });
});

it('a wrangler.toml without buckets, namespaces and variables binds none', () => {
  expect(parseSettings(NEEDED)).toMatchObject({
    variables: {},
    worker: { kvNamespaces: {}, r2Buckets: {} },
  });
});

it.each([
  ['', /^Cannot use wrangler\.toml: .*compatibility_date/s],
  [`${NEEDED}[[r2_buckets]]\n`, /^Cannot use wrangler\.toml: .*r2_buckets\.0\.binding/s],
  ['name = "x"\nmain = = 1\n', /^Cannot use wrangler\.toml: line 2, column 8: .*; mend this line$/],
])('%j is refused in words', (toml, message) => {
  expect(() => parseSettings(toml)).toThrow(CommandError);
  expect(() => parseSettings(toml)).toThrow(message);
});
