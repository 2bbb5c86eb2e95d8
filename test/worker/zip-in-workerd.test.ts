import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashZip } from '../../src/zip/hash/hash-zip.ts';
import { bytesSource } from '../../src/bytes/byte-source.ts';
import { emptyDeflate, PREFIX, randomZip } from '../fakes/zip/forged-zip.ts';
import { noise, writeZip, type ZipEntry } from '../fakes/zip/zip-writer.ts';
import { type BundledWorker, startBundledWorker } from './bundled-worker.ts';

// The unit tests of src/zip run in Node, whose zlib is not that of workerd: each zip has the same
// verdict in both.

let worker: BundledWorker;
beforeAll(async () => {
  worker = await startBundledWorker('test/contracts/zip-worker.ts');
});
afterAll(() => worker.close());

async function inWorkerd(zip: Uint8Array): Promise<unknown> {
  return (await fetch(worker.url, { method: 'POST', body: new Uint8Array(zip) })).json();
}

const zipOf = (entry: Omit<ZipEntry, 'name'>) => writeZip([{ name: `${PREFIX}a`, ...entry }]);
const zeros = (size: number) => Buffer.alloc(size);

it.each([
  ...[
    0, 1, 63, 64, 65, 16_384, 40_960, 40_961, 50_000, 65_536, 81_920, 200_000, 262_144, 1_000_000,
  ].flatMap((size): [string, Uint8Array][] => [
    [`${size} bytes that do not compress`, zipOf({ content: noise(size) })],
    [`${size} bytes that compress`, zipOf({ content: zeros(size) })],
    [`${size} bytes, stored`, zipOf({ content: noise(size), method: 'store' })],
  ]),
  ['4 MB that do not compress', zipOf({ content: noise(4_000_000) })],
  ['30 MB of zeros', zipOf({ content: zeros(30_000_000) })],
  ['one byte more than declared', zipOf({ content: noise(50_000), lies: { size: 49_999 } })],
  ['one byte less than declared', zipOf({ content: noise(50_000), lies: { size: 50_001 } })],
  [
    'one byte more than declared, large',
    zipOf({ content: noise(3_000_000), lies: { size: 2_999_999 } }),
  ],
  [
    'one byte less than declared, large',
    zipOf({ content: noise(3_000_000), lies: { size: 3_000_001 } }),
  ],
  ['a bomb that declares little', zipOf({ content: zeros(100_000_000), lies: { size: 100 } })],
  ['a bomb that declares much', zipOf({ content: zeros(100_000_000), lies: { size: 90_000_000 } })],
  [
    'bytes after the deflate stream',
    zipOf({ content: noise(99), data: Buffer.concat([deflateRawSync(noise(99)), noise(50)]) }),
  ],
  [
    'half a deflate stream',
    zipOf({ content: noise(9000), data: deflateRawSync(noise(9000)).subarray(0, 4000) }),
  ],
  [
    'half a large deflate stream',
    zipOf({ content: noise(3e6), data: deflateRawSync(noise(3e6)).subarray(0, 2e6) }),
  ],
  [
    'a body that is not a deflate stream',
    zipOf({ content: noise(9000), data: Buffer.alloc(9000, 0xff) }),
  ],
  [
    'a large body that is not a deflate stream',
    zipOf({ content: noise(3e6), data: Buffer.alloc(2e6, 0xff) }),
  ],
  [
    'a large deflate stream with a long tail',
    zipOf({ content: noise(2e6), data: Buffer.concat([deflateRawSync(noise(2e6)), noise(9e6)]) }),
  ],
  ['empty deflate blocks', zipOf({ content: '', data: emptyDeflate(2_000_000) })],
])('%s: the verdict in workerd is that in Node', async (_, zip) => {
  expect(await inWorkerd(zip)).toEqual(await hashZip(bytesSource(zip)));
});

it('400 random zips, most of them damaged, have the same verdict in workerd and Node', async () => {
  for (let seed = 0; seed < 400; seed++) {
    const zip = randomZip(seed);
    expect({ seed, verdict: await inWorkerd(zip) }).toEqual({
      seed,
      verdict: await hashZip(bytesSource(zip)),
    });
  }
});
