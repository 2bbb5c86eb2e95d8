import type { SharedState } from '../../src/effects/shared-state.ts';
import { type Claim, equal, newKey } from './claims.ts';

export interface Shared {
  readonly state: SharedState;
  /** Moves the clock that it was given. */
  readonly pass: (seconds: number) => Promise<void>;
}

/** The contract of src/effects/shared-state.ts, while no text is dropped. */
export const sharedClaims: readonly Claim<Shared>[] = [
  {
    claim: 'a text that is not there is undefined',
    async check({ state }) {
      equal(await state.read(newKey()), undefined);
    },
  },
  {
    claim: 'a text is read as it was written, whatever its characters',
    async check({ state }) {
      for (const text of ['{"version":1}', 'Ä\u{1F6A2}\n\u0000', '', 'x'.repeat(300_000)]) {
        const name = newKey();
        await state.write(name, text, 600);
        equal(await state.read(name), text);
      }
    },
  },
  {
    claim: 'a later text replaces an earlier one',
    async check({ state }) {
      const name = newKey();
      await state.write(name, 'one', 600);
      await state.write(name, 'two', 600);
      equal(await state.read(name), 'two');
    },
  },
  {
    claim: 'similar names are different texts',
    async check({ state }) {
      const name = newKey();
      await state.write(name, 'one', 600);
      await state.write(`${name}?x`, 'two', 600);
      await state.write(`${name}/x`, 'three', 600);
      equal(await state.read(name), 'one');
    },
  },
  {
    claim: 'a text expires after its seconds and not before, also when they are few',
    async check({ state, pass }) {
      for (const seconds of [5, 90, 3600]) {
        const name = newKey();
        await state.write(name, 'text', seconds);
        await pass(seconds - 1);
        equal(await state.read(name), 'text');
        await pass(1);
        equal(await state.read(name), undefined);
      }
    },
  },
];
