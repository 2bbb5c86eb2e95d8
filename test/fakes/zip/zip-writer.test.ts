import { describe, expect, it } from 'vitest';
import { bodyBytes } from '../origin/answer.ts';
import { hashGoMod, hashZip, readZip } from './dirhash.ts';
import { dep } from '../origin/modules.ts';
import { versionOf } from '../origin/module.ts';
import { bigZip, writeZip, type ZipEntry } from './zip-writer.ts';

// Go's own dirhash and an independent implementation agree on these.
const MOD = { name: 'm.example/a@v1.0.0/go.mod', content: 'module m.example/a\n' };
const vectors: [claim: string, entries: ZipEntry[], h1: string][] = [
  ['no entries', [], 'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='],
  ['one file', [MOD], 'h1:av9yrO0xLWnLKVvGRll67xVmZK5YdpKqAxvW138cawU='],
  [
    'a directory entry',
    [MOD, { name: 'm.example/a@v1.0.0/', content: '' }],
    'h1:ue4hDrqpJQXR9e4+W8EpRLxqEG1X+9lr37KVgUx6jEg=',
  ],
  [
    'names whose byte order is not their UTF-16 order',
    [
      { name: 'm.example/a@v1.0.0/\u{10400}.txt', content: '2\n' },
      { name: 'm.example/a@v1.0.0/\uFB00.txt', content: '1\n', method: 'store' },
      MOD,
    ],
    'h1:AobGciS9+Tj3wK7lwx8zNSSzA0fwcyAyfT7+pewVZjQ=',
  ],
];

describe('hashZip', () => {
  it.each(vectors)('gives the hash that Go gives for a zip with %s', (_claim, entries, h1) => {
    expect(hashZip(writeZip(entries))).toBe(h1);
  });

  it('gives the hash that Go gives for the fixture example.com/dep', () => {
    const { zip, mod } = versionOf(dep(), 'v1.0.0');
    expect(zip).toBeInstanceOf(Uint8Array);
    expect(hashZip(zip instanceof Uint8Array ? zip : Buffer.alloc(0))).toBe(
      'h1:QQuvzL5w/S0+aEY5ifubzBeiPqBG9dYkl8Kd0zphti8=',
    );
    expect(hashGoMod(mod)).toBe('h1:WSQVVkzisfSKy5IAGHvpHm0MKSrZhF0Zc7f0B3QEwJc=');
  });

  it('gives the hash that Go gives for an empty go.mod', () => {
    expect(hashGoMod('')).toBe('h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=');
  });
});

describe('writeZip', () => {
  it('writes a wrong value into every place that states it', () => {
    const zip = Buffer.from(
      writeZip([{ ...MOD, method: 'store', lies: { size: 7, crc32: 9, localName: 'x' } }]),
    );
    const central = zip.indexOf(Buffer.from('PK\x01\x02', 'latin1'));
    expect([zip.readUInt32LE(22), zip.readUInt32LE(central + 24)]).toEqual([7, 7]);
    expect([zip.readUInt32LE(14), zip.readUInt32LE(central + 16)]).toEqual([9, 9]);
    expect(zip.toString('latin1', 30, 31)).toBe('x');
    expect(readZip(zip).map(({ name }) => name)).toEqual([MOD.name]);
  });
});

describe('bigZip', () => {
  it.each([1_000, 1_048_576, 5_000_001])(
    'makes a zip of exactly %i bytes with the hash that it states',
    async (size) => {
      const big = bigZip('example.com/big@v1.0.0/', size);
      const bytes = await bodyBytes(big);
      expect(bytes.byteLength).toBe(size);
      expect(hashZip(bytes)).toBe(big.h1());
      expect(Buffer.compare(await bodyBytes(big), bytes)).toBe(0);
    },
  );
});
