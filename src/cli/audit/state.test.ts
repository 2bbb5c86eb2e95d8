import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { failed, success } from '../../effects/result.ts';
import { count, startProgress } from '../../operations/audit/progress.ts';
import { RIGHT, wrong } from '../../operations/audit/verdict.ts';
import { loadState, removeState, saveState } from './state.ts';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modferry-state-'));
  file = join(directory, 'deeper', 'audit.json');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it('what is saved is loaded, for the same subject, and nothing else is left beside it', async () => {
  const progress = { ...startProgress('a'), last: 'b', judgedMark: 'c', files: 2, bytes: 3 };
  count(progress, { key: 'x', kind: 'mod', judgement: RIGHT });
  const judgement = wrong({ expected: '1', found: '2', source: '3', proof: '4' });
  count(progress, { key: 'y', kind: 'tree head', judgement });
  await saveState(file, progress);
  expect(await loadState(file, 'a')).toEqual(success(progress));
  expect(await loadState(file, 'another tree')).toEqual(success(startProgress('another tree')));
  expect(await readdir(join(directory, 'deeper'))).toEqual(['audit.json']);
  await removeState(file);
  expect(await loadState(file, 'a')).toEqual(success(startProgress('a')));
});

it.each(['', '{}', '{"subject":"a"}', '[]', '{'])(
  'a file that holds %j is not written over',
  async (text) => {
    const other = join(directory, 'other');
    await writeFile(other, text);
    expect(await loadState(other, 'a')).toEqual(
      failed(expect.stringContaining('pass --restart to write over it')),
    );
  },
);
