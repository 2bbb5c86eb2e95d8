import { describe, expect, it } from 'vitest';
import { bytes, text } from '../../../test/fakes/effects/values.ts';
import {
  grow,
  hash,
  hello,
  logOf,
  record,
  v1,
  verifierKeyOf,
} from '../../../test/fakes/sumdb/log-client.ts';
import { createLog, type FakeLog } from '../../../test/fakes/sumdb/transparency-log.ts';
import { parseTilePath } from '../../tlog/tile-path.ts';
import { LogVerifier, placeAlone } from './log-verifier.ts';
import { proven } from './proof.ts';
import { openHead, type SignedHead } from './signed-head.ts';
import { TileSource } from './tile-source.ts';

const log = logOf(600);
const contentOf = (tiles: FakeLog, path: string) =>
  new Uint8Array(Buffer.from(tiles.answer(`/${path}`) ?? ''));

/** A verifier that has the tiles of a log, without those that `lacks` names, and no network. */
function verifierOf(tiles: FakeLog, lacks = /^$/) {
  const source = new TileSource({
    async readCache(path) {
      return lacks.test(path) || tiles.answer(`/${path}`) === undefined
        ? undefined
        : contentOf(tiles, path);
    },
    hasPartialTiles: true,
    writeCache: () => {},
  });
  return new LogVerifier(verifierKeyOf(tiles), source);
}

async function headOf(signer: FakeLog, size = signer.size): Promise<SignedHead> {
  const note = bytes(signer.treeHead(size));
  const opened = await openHead(note, { key: verifierKeyOf(signer), path: 'latest' });
  if (opened.kind !== 'proven') throw new Error(opened.reason);
  return opened.value;
}

function lookup(content: string, verifier = verifierOf(log)) {
  return verifier.proveLookup({
    bytes: bytes(content),
    module: hello,
    version: v1,
    place: placeAlone,
  });
}

const tile = (path: string) => {
  const parsed = parseTilePath(path);
  if (!parsed) throw new Error(`no tile: ${path}`);
  return parsed;
};

describe('a look-up', () => {
  const right = log.lookup(hello, 'v1.0.0');

  it('is proven by the tiles of its log', async () => {
    const value = { zip: hash(1), mod: hash(2), bytes: bytes(right) };
    expect(await lookup(right)).toMatchObject({ kind: 'proven', value });
  });

  it('is unproven without them, by no fault of its own', async () => {
    expect(await lookup(right, verifierOf(log, /^tile\/8\/0\/001/))).toMatchObject({
      kind: 'unproven',
      reason: expect.stringContaining('is not stored'),
      lacking: { kind: 'missing tile', answer: undefined },
      effort: { attempts: 0 },
    });
  });

  it('is unproven where the tiles do not fit together', async () => {
    const stranger = createLog({ keyFrom: log });
    grow(stranger, 600);
    expect(await lookup(right, verifierOf(stranger))).toMatchObject({
      kind: 'unproven',
      lacking: { kind: 'inconsistent tiles' },
    });
  });

  it.each([
    ['is a page', '<html>'],
    ['is of another version', log.lookup('filler.example/m7', 'v1.0.0')],
  ])('is refuted when it %s, which shows nothing of its database', async (_, content) => {
    const proof = await lookup(content);
    expect(proof).toMatchObject({ kind: 'refuted' });
    expect(proof.kind === 'refuted' && proof.evidence).toBeUndefined();
  });

  it.each([
    ['has another hash', right.replace(hash(1), hash(77))],
    ['has a tree head without it', log.lookup(hello, 'v1.0.0', 200)],
    ['has a tree head that ends before it', log.lookup(hello, 'v1.0.0', 300)],
    ['is signed by another key', logOf(600, { name: log.name }).lookup(hello, 'v1.0.0')],
  ])('is forged when it %s', async (_, content) => {
    expect(await lookup(content)).toMatchObject({
      kind: 'refuted',
      evidence: { kind: 'forged', path: 'lookup/example.com/hello@v1.0.0' },
    });
  });
});

describe('two tree heads', () => {
  it.each([
    [0, 600],
    [255, 600],
    [256, 257],
    [600, 600],
  ])('of %i and %i records are one log', async (older, newer) => {
    const heads = [await headOf(log, older), await headOf(log, newer)] as const;
    expect(await verifierOf(log).compareHeads(...heads)).toMatchObject(proven(heads[1]));
  });

  it.each([
    ['of different sizes', 500],
    ['of the same size', 600],
  ])('%s contradict each other, with both notes as the proof', async (_, size) => {
    const fork = log.fork(400);
    grow(fork, 200, 9);
    const older = await headOf(fork, size);
    const newer = await headOf(log);
    const proof = await verifierOf(log).compareHeads(older, newer);
    expect(proof).toMatchObject({ kind: 'refuted', evidence: { kind: 'fork' } });
    const evidence = proof.kind === 'refuted' ? proof.evidence : undefined;
    for (const { note } of [older, newer])
      expect(evidence?.kind === 'fork' && evidence.proof).toContain(text(note));
  });

  it('that no tiles join are unproven', async () => {
    const stranger = logOf(600, { keyFrom: log });
    stranger.add(record('more.example/m', 1));
    const proof = await verifierOf(log).compareHeads(await headOf(log), await headOf(stranger));
    expect(proof).toMatchObject({ kind: 'unproven' });
  });
});

describe('a tile', () => {
  it.each(['tile/8/0/000', 'tile/8/0/001.p/7', 'tile/8/1/000.p/2', 'tile/8/data/002.p/88'])(
    '%s is proven in its tree, and refused with another byte in it',
    async (path) => {
      const { head } = await headOf(log);
      const right = contentOf(log, path);
      const wrong = right.with(40, (right[40] ?? 0) ^ 1);
      const verifier = verifierOf(log);
      expect(await verifier.proveTile(tile(path), right, head)).toEqual(proven(right));
      expect((await verifier.proveTile(tile(path), wrong, head)).kind).not.toBe('proven');
    },
  );

  it('beyond the tree is a mistake of the caller', async () => {
    const { head } = await headOf(log);
    const proof = verifierOf(log).proveTile(tile('tile/8/0/003'), new Uint8Array(8192), head);
    await expect(proof).rejects.toThrow(RangeError);
  });
});
