import { afterAll, beforeAll, expect, it } from 'vitest';
import { hello } from '../fakes/origin/modules.ts';
import { type Stage, startStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());

it('an origin at the host by which a request came is not asked in it, and is asked in the next one', async () => {
  const { host } = new URL(stage.origin.url);
  const own = await stage.ask('/example.com/hello/@v/list', { headers: { host } });
  expect(own).toMatchObject({ status: 504, asked: 0 });
  expect(own.text).toContain(`${host}: not asked, its address is that of this modferry`);
  const other = await stage.ask('/example.com/hello/@v/list');
  expect(other).toMatchObject({ status: 200, asked: 1, text: hello().list });
});
