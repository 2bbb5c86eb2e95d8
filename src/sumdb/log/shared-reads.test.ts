import { describe, expect, it } from 'vitest';
import { fakeClock, settled } from '../../../test/fakes/effects/clock.ts';
import { SharedReads } from './shared-reads.ts';

const neverCalled = () => Promise.reject(new Error('read twice'));

function setup() {
  const clock = fakeClock();
  const first = Promise.withResolvers<string>();
  const reads = new SharedReads<string>(clock);
  return { clock, first, reads, led: reads.read('tile', () => first.promise) };
}

describe('a tile that another request is reading', () => {
  it('is not read a second time', async () => {
    const { first, led, reads } = setup();
    const joined = [reads.read('tile', neverCalled), reads.read('tile', neverCalled)];
    first.resolve('bytes');
    expect(await Promise.all([led, ...joined])).toEqual(['bytes', 'bytes', 'bytes']);
  });

  it('is read by each that waits when the other one fails', async () => {
    const { first, led, reads } = setup();
    let count = 0;
    const own = async () => `own ${(count += 1)}`;
    const joined = [reads.read('tile', own), reads.read('tile', own)];
    first.reject(new Error('its client has left'));
    await expect(led).rejects.toThrow('its client has left');
    expect(await Promise.all(joined)).toEqual(['own 1', 'own 2']);
  });

  it('is read after three seconds where the platform has ended the other one', async () => {
    const { clock, reads } = setup();
    let result = '';
    void reads.read('tile', async () => 'own').then((value) => (result = value));
    await clock.advance(2_999);
    expect(result).toBe('');
    await clock.advance(1);
    expect(result).toBe('own');
  });
});

it('a tile is read anew when nobody is reading it', async () => {
  const { first, led, reads } = setup();
  first.resolve('old');
  await led;
  await settled();
  expect(await reads.read('tile', async () => 'new')).toBe('new');
});
