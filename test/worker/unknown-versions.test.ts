import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NEGATIVE } from '../conformance/headers.ts';
import { failure, type Stage, startStage, summary } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());

it('row 115: two hundred unknown versions are one request each, and leave nothing in bucket and KV', async () => {
  const { path } = stage.freshModule();
  const names = Array.from(
    { length: 200 },
    () => `v0.0.0-20240101000000-${randomBytes(6).toString('hex')}`,
  );
  const answers = await stage.askAll(
    path,
    names.map((name, at) => `@v/${name}.${['info', 'mod', 'zip'][at % 3]}`),
  );
  expect(answers.map(summary)).toEqual(names.map(() => failure(404, 1, NEGATIVE)));
  for (const tier of ['durable', 'world'] as const) {
    const keys = (await stage.keys(tier)).filter((key) => key.startsWith(path));
    expect({ tier, keys }).toEqual({ tier, keys: [] });
  }
});
