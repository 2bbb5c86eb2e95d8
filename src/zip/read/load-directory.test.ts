import { expect, it } from 'vitest';
import { end, header, join } from '../../../test/fakes/zip/forged-directory.ts';
import { loadDirectory, MAX_DIRECTORY_BYTES } from './load-directory.ts';
import { bytesSource, type ByteSource } from '../../bytes/byte-source.ts';

/** A zip with a directory of about `size` bytes, and the reads of it. */
function sceneOf(size: number): { source: ByteSource; reads: number[] } {
  const headers = Array.from({ length: Math.ceil(size / 60_046) }, () =>
    header({ name: 'x'.repeat(60_000), offset: 0 }),
  );
  const directory = join(...headers);
  const body = new Uint8Array(100);
  const { length: records } = headers;
  const zip = join(body, directory, end({ records, size: directory.length, offset: body.length }));
  const inner = bytesSource(zip);
  const reads: number[] = [];
  const read = (offset: number, length: number) => {
    reads.push(length);
    return inner.read(offset, length);
  };
  return { source: { size: zip.length, read }, reads };
}

it('a small directory takes one read', async () => {
  const { source, reads } = sceneOf(100_000);
  expect(await loadDirectory(source)).toMatchObject({ kind: 'complete', start: 100 });
  expect(reads).toHaveLength(1);
});

it('a directory larger than the first tail takes a second read, from its start', async () => {
  const { source, reads } = sceneOf(1_000_000);
  expect(await loadDirectory(source)).toMatchObject({ kind: 'complete', start: 100 });
  expect(reads).toEqual([256 * 1024, source.size - 100]);
});

it('a directory over the limit is not read', async () => {
  const { source, reads } = sceneOf(MAX_DIRECTORY_BYTES + 100_000);
  expect(await loadDirectory(source)).toMatchObject({
    kind: 'broken',
    reason: expect.stringMatching(/^Directory is in the last \d+ bytes, more than the 16777216/),
  });
  expect(reads).toHaveLength(1);
});

it('a source that fails is an error and not a broken zip', async () => {
  const failing: ByteSource = { size: 1000, read: () => Promise.reject(new Error('disk')) };
  await expect(loadDirectory(failing)).rejects.toThrow('disk');
});
