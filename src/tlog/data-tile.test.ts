import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../test/fakes/effects/seeded-random.ts';
import { fillerRecords } from '../../test/fakes/sumdb/sumdb.ts';
import { createLog } from '../../test/fakes/sumdb/transparency-log.ts';
import { bytes } from '../../test/fakes/effects/values.ts';
import { checkDataTile } from './data-tile.ts';
import type { Tile } from './tile-path.ts';

const RECORDS = fillerRecords(300);
const log = createLog();
for (const lines of RECORDS) log.add(lines);
const answer = (path: string) => new Uint8Array(Buffer.from(log.answer(path) ?? []));

const HASHES = answer('/tile/8/0/001.p/44');
const WHOLE: Tile = { level: 'data', index: 1, width: 44 };
const part = (from: number, to: number) =>
  RECORDS.slice(256 + from, 256 + to).map((text) => `${text}\n`);

describe('a data tile', () => {
  it('is accepted when it is full', () => {
    const tile: Tile = { level: 'data', index: 0, width: 256 };
    expect(checkDataTile(answer('/tile/8/data/000'), tile, answer('/tile/8/0/000'))).toBe('right');
  });

  it.each([1, 7, 43, 44])('is accepted when it is the first %d of the hashes', (width) => {
    const records = answer(`/tile/8/data/001.p/${width}`);
    expect(checkDataTile(records, { ...WHOLE, width }, HASHES)).toBe('right');
  });

  it.each([
    ['malformed when one is missing at the end', 'malformed', part(0, 43)],
    ['malformed when one is missing at the start', 'malformed', part(1, 44)],
    ['malformed when there is one more', 'malformed', [...part(0, 44), ...part(0, 1)]],
    ['malformed when there is one blank line more', 'malformed', [...part(0, 44), '\n']],
    ['refused when two are exchanged', 'other', [...part(1, 2), ...part(0, 1), ...part(2, 44)]],
    [
      'malformed when the last blank line is missing',
      'malformed',
      part(0, 44).join('').slice(0, -1),
    ],
    ['malformed when it is empty', 'malformed', ''],
    ['malformed when it is an HTML page', 'malformed', '<!doctype html>\n'],
    [
      'refused when it has the ids of lookups',
      'other',
      part(0, 44).map((text, at) => `${256 + at}\n${text}`),
    ],
  ])('is %s', (_, found, records) => {
    const body = typeof records === 'string' ? records : records.join('');
    expect(checkDataTile(bytes(body), WHOLE, HASHES)).toBe(found);
  });

  it('is refused with a single changed bit in a record or in a hash', () => {
    const random = seededRandom(3);
    const records = answer('/tile/8/data/001.p/44');
    for (let run = 0; run < 200; run++) {
      expect(checkDataTile(random.damage(records), WHOLE, HASHES)).not.toBe('right');
      expect(checkDataTile(records, WHOLE, random.damage(HASHES))).toBe('other');
    }
  });

  it('is refused with fewer hashes than records, or as a tile of hashes', () => {
    const records = answer('/tile/8/data/001.p/44');
    expect(checkDataTile(records, WHOLE, HASHES.subarray(0, 43 * 32))).toBe('other');
    expect(checkDataTile(records, { ...WHOLE, level: 0 }, HASHES)).toBe('malformed');
  });
});
