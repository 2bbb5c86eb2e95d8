import { expect, it } from 'vitest';
import { hashPairsNatively } from '../tlog/hash-tile.ts';
import { warmUp } from './warm-up.ts';

it('the recorded requests are answered', async () => {
  await expect(warmUp(hashPairsNatively)).resolves.toBeUndefined();
});

it('the recorded proof is checked', async () => {
  await expect(warmUp((hashes) => new Uint8Array(hashes.length / 2))).rejects.toThrow(
    '/warm.invalid/up/@v/v1.1.0.mod was answered with 502',
  );
});
