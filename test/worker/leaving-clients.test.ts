import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownModule } from '../conformance/own-module.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type BehindFront, LEAVE_PATH, LEAVER, LEFT, startBehindFront } from './front.ts';
import { eventually } from '../eventually.ts';

// A client that disconnects while others wait for the same file, as the platform reports it: the
// request that fetches the file is aborted, and with it the fetch.

const ENDS = ['@v/list', '@latest', '@v/v1.0.0.info', '@v/v1.0.0.mod', '@v/v1.0.0.zip'];
const MODULES = ['left1', 'left2', 'left3'].map((name) => ownModule(name));
const JOINERS = 5;

let origin: FakeOrigin;
let modferry: BehindFront;
beforeAll(async () => {
  origin = await startOrigin({ modules: MODULES });
  modferry = await startBehindFront({ ORIGINS: origin.url, SUMDBS: 'off' });
});
afterAll(async () => {
  await modferry.close();
  await origin.close();
});

/**
 * What the first client of a file gets, which leaves when the origin was asked and `before` others
 * wait for the file, and what all others get.
 */
async function leaveOthersWaiting(path: string, before: number) {
  const leader = fetch(modferry.url + path, { headers: { [LEAVER]: path } });
  await eventually(() => expect(origin.count(path)).toBeGreaterThan(0));
  const join = async () => {
    const answer = await fetch(modferry.url + path);
    return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
  };
  const early = Array.from({ length: before }, join);
  await fetch(modferry.url + LEAVE_PATH, { method: 'POST', body: path });
  const late = Array.from({ length: JOINERS - before }, join);
  return { leader: (await leader).status, joiners: await Promise.all([...early, ...late]) };
}

it('who waits for a file gets it although the client that asked first leaves', async () => {
  const paths = MODULES.flatMap(({ path }) => ENDS.map((end) => `/${path}/${end}`));
  for (const match of paths) origin.fault('hang', { match, times: 1 });
  const all = await Promise.all(
    paths.map((path, at) => leaveOthersWaiting(path, at % (JOINERS + 1))),
  );
  const broken = origin.requests.filter(({ state }) => state === 'broken');
  for (const [at, path] of paths.entries()) {
    const body = Buffer.from(await (await fetch(origin.url + path)).arrayBuffer());
    const right = Array.from({ length: JOINERS }, () => ({ status: 200, body }));
    expect({ path, ...all[at] }).toEqual({ path, leader: LEFT, joiners: right });
  }
  // The first request for each file was aborted, and one that waited asked again.
  expect(new Set(broken.map(({ path }) => path))).toEqual(new Set(paths));
  expect(modferry.log.filter((line) => /different request|hung|cross/i.test(line))).toEqual([]);
});
