// Malicious and damaged module zips.

import { deflateRawSync } from 'node:zlib';
import { block64, end, end64, join, noField } from './forged-directory.ts';
import { seededRandom } from '../effects/seeded-random.ts';
import { noise, writeZip, type ZipEntry, type ZipLies } from './zip-writer.ts';

export const PREFIX = 'example.com/m@v1.0.0/';

/**
 * The zip with every size and offset of its directory in zip64 blocks, and with a zip64 end record.
 * `zip` must come from `writeZip`, without a comment, a preamble or wrong values about its
 * directory.
 */
export function toZip64(zip: Uint8Array): Uint8Array {
  const source = Buffer.from(zip);
  const start = source.readUInt32LE(source.length - 6);
  const headers: Uint8Array[] = [];
  for (let at = start; at < source.length - 22;) {
    const next = at + 46 + source.readUInt16LE(at + 28);
    const fixed = Buffer.from(source.subarray(at, at + 46));
    const sizes = block64(fixed.readUInt32LE(24), fixed.readUInt32LE(20), fixed.readUInt32LE(42));
    fixed.fill(0xff, 20, 28);
    fixed.fill(0xff, 42, 46);
    fixed.writeUInt16LE(sizes.length, 30);
    headers.push(fixed, source.subarray(at + 46, next), sizes);
    at = next;
  }
  const directory = join(...headers);
  const truth = { records: headers.length / 3, size: directory.length, offset: start };
  return join(
    source.subarray(0, start),
    directory,
    end64(truth, start + directory.length),
    end(noField),
  );
}

/**
 * A zip of `count` entries that share one piece of data: `data`, which is `content` as it is in a
 * zip.
 */
export function overlapping(
  count: number,
  entry: { content: Uint8Array; data: Uint8Array },
): Uint8Array {
  const zip = Buffer.from(writeZip([{ ...entry, name: `${PREFIX}000000`, descriptor: false }]));
  const start = zip.readUInt32LE(zip.length - 6);
  const headers = Array.from({ length: count }, (_, index) => {
    const header = Buffer.from(zip.subarray(start, zip.length - 22));
    header.write(String(index).padStart(6, '0'), header.length - 6);
    return header;
  });
  const directory = join(...headers);
  return join(
    zip.subarray(0, start),
    directory,
    end({ records: count, size: directory.length, offset: start }),
  );
}

/** Empty stored deflate blocks of 5 bytes each, then the end of the stream (RFC 1951, 3.2.4). */
export function emptyDeflate(bytes: number): Uint8Array {
  const blocks = new Uint8Array(5 * Math.ceil(bytes / 5));
  for (let at = 0; at < blocks.length; at += 5) blocks.fill(0xff, at + 3, at + 5);
  return join(blocks, Uint8Array.of(3, 0));
}

const GOOD_PATHS = [
  'go.mod|a.go|b/b.go|b/c/c.go|LICENSE|x y.txt|.github/ci|\u00e9.go|e!#$%&()+,-.=@[]^_{}~|b/|d/||d/e/f/g/h',
  `\u017f.txt|\u{10400}.txt|\ufb00.txt|go.mod.txt|com10.go|${'z'.repeat(200)}`,
].flatMap((paths) => paths.split('|'));

const BAD_PATHS = [
  'A.go|B/x.go|b|b/b.go/x|a.go/|S.txt|s.txt|\u{10428}.txt|GO.MOD|b/go.mod|d/GO.mod|../x|./x|a//b|/x|x.|con|Aux.txt',
  "a:b|a*|line\nfeed|e\u0301|\u0663|x/../y|...|\ufeff|a\\b|it's|\u2028|x/lpt1.c/y|b//|/",
].flatMap((paths) => paths.split('|'));

/** A module zip that is valid or has a few defects. The same seed gives the same zip. */
export function randomZip(seed: number): Uint8Array {
  const random = seededRandom(seed);
  const upTo = (limit: number) => random.below(limit);
  const pick = <T>(from: readonly T[]) => random.pick(from);
  const chance = (part: number) => random.next() < part;

  const lies = (content: Uint8Array): ZipLies =>
    pick<() => ZipLies>([
      () => ({ size: Math.max(0, content.length + upTo(5) - 2) }),
      () => ({ compressedSize: upTo(content.length + 20) }),
      () => ({ crc32: chance(0.5) ? 0 : upTo(2 ** 32) }),
      () => ({ method: pick([0, 8, 9, 14]) }),
      () => ({ headerOffset: upTo(300) }),
      () => ({ flags: pick([1, 8, 0x800, 0x41]) }),
      () => ({ localName: 'elsewhere/x' }),
      () => ({ size: pick([500 * 2 ** 20, 16 * 2 ** 20 + 1, 2 ** 32 - 1]) }),
    ])();
  const entry = (bad: number): ZipEntry => {
    const path = pick(chance(bad) ? BAD_PATHS : GOOD_PATHS);
    const name = Buffer.from((chance(bad / 10) ? 'example.com/m@v1.0.1/' : PREFIX) + path);
    if (chance(bad / 10)) name[upTo(name.length)] = 0xff;
    const isDirectory = name.at(-1) === 0x2f;
    const content = noise(
      isDirectory && !chance(bad) ? 0 : upTo(chance(0.1) ? 3000 : 40),
      seed + 1,
    );
    const method = chance(0.4) ? 'store' : 'deflate';
    const garbage = chance(0.1) ? { data: join(deflateRawSync(content), noise(upTo(6))) } : {};
    return {
      name,
      content,
      method,
      descriptor: pick([true, false, 'unsigned'] as const),
      ...(method === 'deflate' ? garbage : {}),
      ...(chance(bad) ? { lies: lies(content) } : {}),
    };
  };

  const bad = pick([0, 0, 0.1, 0.3]);
  const entries = Array.from({ length: upTo(7) }, () => entry(bad));
  const unique =
    bad > 0 ? entries : [...new Map(entries.map((entry) => [String(entry.name), entry])).values()];
  const plain = writeZip(unique);
  return pick<() => Uint8Array>([
    () => plain,
    () => plain,
    () => toZip64(plain),
    () => writeZip(unique, { comment: 'x'.repeat(upTo(100)) }),
    () => writeZip(unique, { preamble: noise(upTo(50)) }),
    () => writeZip(unique, { entryCount: upTo(4) }),
    () => join(plain, noise(upTo(100))),
    () => plain.subarray(0, upTo(plain.length)),
    () => plain.subarray(upTo(plain.length)),
    () => plain.with(upTo(plain.length), upTo(256)),
    () => plain.with(upTo(plain.length), upTo(256)),
    () => plain.with(upTo(plain.length), upTo(256)).with(upTo(plain.length), upTo(256)),
  ])();
}
