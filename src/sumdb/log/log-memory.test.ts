import { expect, it } from 'vitest';
import { bytes } from '../../../test/fakes/effects/values.ts';
import { clientOf, flipping, logOf, serves } from '../../../test/fakes/sumdb/log-client.ts';
import { type Address, fakeLogEffects } from '../../../test/fakes/sumdb/log-effects.ts';
import { systemClock } from '../../effects/clock.ts';
import { HashTile } from '../../tlog/hash-tile.ts';
import { parseTilePath } from '../../tlog/tile-path.ts';
import { LogMemory } from './log-memory.ts';

const log = logOf(2000);
const content = (path: string) => new Uint8Array(Buffer.from(log.answer(`/${path}`) ?? ''));
const tile = (path: string) => {
  const parsed = parseTilePath(path);
  if (!parsed) throw new Error(`no tile: ${path}`);
  return parsed;
};

it('one bad tile of a database costs none of the remembered tiles that its proof did not use', async () => {
  let address: Address = serves(log);
  const effects = fakeLogEffects((path) => address(path));
  const memory = new LogMemory(systemClock);
  const paths = ['tile/8/0/000', 'tile/8/0/001', 'tile/8/0/002'];
  for (const path of paths) await clientOf(log, effects, memory).tile(tile(path));
  address = flipping(serves(log), /^\/tile\/8\/0\/003$/);
  const bad = await clientOf(log, effects, memory).tile(tile('tile/8/0/003'));
  expect(bad.kind).toBe('failed');
  for (const path of paths) expect(memory.tile(path)?.bytes).toEqual(content(path));
  expect(memory.tile('tile/8/0/003')).toBeUndefined();
});

it('a remembered tile that does not fit any more is forgotten, and read anew', async () => {
  const effects = fakeLogEffects(serves(log));
  const memory = new LogMemory(systemClock);
  const path = 'tile/8/0/001';
  memory.keepTile(path, new HashTile(content('tile/8/0/002')));
  const answer = await clientOf(log, effects, memory).tile(tile(path));
  expect(answer).toMatchObject({ kind: 'proven', value: content(path) });
  expect(memory.tile(path)?.bytes).toEqual(content(path));
  memory.keepTile(path, new HashTile(content('tile/8/0/002')));
  effects.latest = bytes(log.treeHead());
  const down = fakeLogEffects(() => undefined);
  expect((await clientOf(log, down, memory).tile(tile('tile/8/0/001.p/3'))).kind).not.toBe(
    'proven',
  );
  expect(memory.tile(path)).toBeUndefined();
});

it('a head that it goes back to is published, compared, and consistent with nothing else', () => {
  const memory = new LogMemory(systemClock);
  const heads = [300, 600].map((size) => ({ size, hash: log.treeHash(size) }));
  for (const head of heads) memory.keepConsistent(head);
  Object.assign(memory, { isUnpublished: true, isCompared: false });
  const [head = { size: 0, hash: new Uint8Array() }] = heads;
  memory.goBackTo({ head, note: bytes(log.treeHead(300)) });
  expect(memory).toMatchObject({ latest: { head }, isUnpublished: false, isCompared: true });
  expect(heads.map((one) => memory.isConsistent(one))).toEqual([false, false]);
});
