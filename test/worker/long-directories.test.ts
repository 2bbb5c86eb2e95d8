import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { noise, writeZip } from '../fakes/zip/zip-writer.ts';
import { MB } from './big-zip.ts';
import { download } from './download.ts';
import { type Modferry, startModferry } from './modferry.ts';
import { eventually } from '../eventually.ts';

// Zips whose directory begins before the last bytes that are in memory, where no hash is computed:
// the directory is read in the stored copy before the client gets the end.

/** A zip of 11 MB, of which the last 5 are the directory. */
function zipOf(prefix: string): Uint8Array {
  const longName = 'n'.repeat(180);
  const files = Array.from({ length: 20_000 }, (_, at) => ({
    name: `${prefix}${longName}${at}`,
    content: '',
  }));
  return writeZip([
    { name: `${prefix}go.mod`, content: 'module m\n' },
    { name: `${prefix}noise.bin`, content: noise(0.5 * MB), method: 'store' },
    ...files,
  ]);
}

/** A body that begins as a zip does, and whose end record points 5 MB back to no directory. */
function junk(): Uint8Array {
  const zip = Buffer.from(noise(10 * MB));
  zip.write('PK\u0003\u0004', 'latin1');
  const end = zip.length - 22;
  zip.write('PK\u0005\u0006', end, 'latin1');
  zip.fill(0, end + 4);
  zip.writeUInt16LE(9, end + 8);
  zip.writeUInt16LE(9, end + 10);
  zip.writeUInt32LE(5 * MB, end + 12);
  zip.writeUInt32LE(end - 5 * MB, end + 16);
  return zip;
}

let origin: FakeOrigin;
beforeAll(async () => {
  origin = await startOrigin();
});
afterAll(() => origin.close());

const own = (name: string) => `big.example/${name}@v1.0.0/`;
const foreign = () => 'other.example/evil@v9.9.9/';

describe.each([
  ['mod', 'with'],
  ['off', 'with'],
  ['off', 'without'],
])('with VERIFY=%s, %s a bucket', (VERIFY, bucket) => {
  const hasBucket = bucket === 'with';
  let modferry: Modferry;
  beforeAll(async () => {
    modferry = await startModferry({
      variables: { ORIGINS: origin.url, VERIFY },
      without: hasBucket ? [] : ['FILES'],
    });
    return () => modferry.close();
  });

  async function get(name: string, body: Uint8Array) {
    const path = `/big.example/${name}/@v/v1.0.0.zip`;
    origin.set(path, { body });
    const answer = await download(modferry.url + path);
    const isStored = async () => {
      const { status } = await download(`${modferry.url}/cached-only${path}`, { method: 'HEAD' });
      return status === 200;
    };
    return { answer, isStored, size: body.length };
  }

  it(`a zip of 20,000 files is ${hasBucket ? 'whole, and stored' : 'broken, and the log says why'}`, async () => {
    const name = `many-${VERIFY}-${bucket}`;
    const { answer, isStored, size } = await get(name, zipOf(own(name)));
    expect(answer).toMatchObject({ status: 200, broken: !hasBucket });
    expect(answer.bytes === size).toBe(hasBucket);
    await eventually(async () => {
      const text = modferry.log.map(({ message }) => String(message)).join();
      const isLogged = text.includes('cannot be checked');
      expect([await isStored(), isLogged]).toEqual([hasBucket, !hasBucket]);
    });
  });

  it.each([
    ['of another version', () => zipOf(foreign())],
    ['without a directory', junk],
  ])('a zip %s is never complete, and not stored', async (what, make) => {
    const name = `${what.replaceAll(' ', '-')}-${VERIFY}-${bucket}`;
    const { answer, isStored } = await get(name, make());
    expect(answer).toMatchObject({ status: 200, broken: true });
    expect(await isStored()).toBe(false);
  });
});
