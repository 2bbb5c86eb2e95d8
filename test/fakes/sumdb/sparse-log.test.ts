import { describe, expect, it } from 'vitest';
import { createSparseLog, REPEATED_RECORD } from './sparse-log.ts';
import { createLog } from './transparency-log.ts';

const SIZE = 700;
const RECORDS = new Map([
  [0, 'a.example/m v1.0.0 h1:x\na.example/m v1.0.0/go.mod h1:y\n'],
  [300, 'b.example/Upper v1.0.0 h1:x\nb.example/Upper v1.0.0/go.mod h1:y\n'],
  [699, 'c.example/m v1.0.0 h1:x\nc.example/m v1.0.0/go.mod h1:y\n'],
]);

const whole = createLog();
for (let id = 0; id < SIZE; id++) whole.add(RECORDS.get(id) ?? REPEATED_RECORD);
const sparse = createSparseLog({ size: SIZE, records: RECORDS, signer: whole });

describe('a sparse log answers as a whole log with the same records:', () => {
  it.each([
    '/latest',
    '/lookup/a.example/m@v1.0.0',
    '/lookup/b.example/!upper@v1.0.0',
    '/lookup/c.example/m@v1.0.0',
    '/lookup/d.example/m@v1.0.0',
    '/tile/8/0/000',
    '/tile/8/0/001',
    '/tile/8/0/002.p/188',
    '/tile/8/0/002.p/189',
    '/tile/8/0/002',
    '/tile/8/1/000.p/2',
    '/tile/8/2/000.p/1',
    '/nonsense',
  ])('%s', (path) => {
    expect(text(sparse.answer(path))).toBe(text(whole.answer(path)));
  });

  it('the hash of each of its trees', () => {
    for (let size = 0; size <= SIZE; size++) {
      expect(text(sparse.treeHash(size))).toBe(text(whole.treeHash(size)));
    }
  });
});

it.each([
  ['/tile/8/0/x195/311', 256],
  ['/tile/8/0/x195/312.p/128', 128],
  ['/tile/8/1/001', 256],
  ['/tile/8/1/002.p/250', 250],
  ['/tile/8/2/000.p/2', 2],
])('a log of fifty million records has the tile %s', (path, width) => {
  const log = createSparseLog({ size: 50_000_000, records: RECORDS });
  expect(log.answer(path)?.length).toBe(width * 32);
});

function text(body: string | Uint8Array | undefined): string | undefined {
  return body instanceof Uint8Array ? Buffer.from(body).toString('hex') : body;
}
