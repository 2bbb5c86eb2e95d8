import { expect, it } from 'vitest';
import { Vitals } from './attempt-progress.ts';

/** Vitals of a request, and how to let time go by. */
function started(): { readonly vitals: Vitals; readonly wait: (ms: number) => void } {
  let now = Date.UTC(2026, 0, 1);
  return { vitals: new Vitals({ now: () => now }), wait: (ms) => void (now += ms) };
}

it('until the headers the origin keeps us waiting from the start', () => {
  const { vitals, wait } = started();
  wait(700);
  expect(vitals).toMatchObject({ silence: 700, headersAfter: undefined, bodyMs: 0, bytes: 0 });
});

it('the headers end the silence, and are what the latency is measured by', () => {
  const { vitals, wait } = started();
  wait(120);
  vitals.headersCame();
  wait(1_000);
  expect(vitals).toMatchObject({ silence: 0, headersAfter: 120, bodyMs: 1_000 });
});

it('while modferry is busy between two reads nobody is waited for', () => {
  const { vitals, wait } = started();
  vitals.headersCame();
  vitals.readBegins();
  wait(300);
  expect(vitals.silence).toBe(300);
  vitals.readEnds(16_384);
  wait(5_000);
  expect([vitals.silence, vitals.waitingSince]).toEqual([0, undefined]);
  vitals.readBegins();
  expect(vitals.silence).toBe(0);
  wait(40);
  expect(vitals.silence).toBe(40);
});

it('a read after one that was never completed starts a new silence', () => {
  const { vitals, wait } = started();
  vitals.headersCame();
  vitals.readBegins();
  wait(300);
  vitals.readBegins();
  expect(vitals.silence).toBe(0);
});

it('only reads that were completed count as bytes of the body', () => {
  const { vitals } = started();
  vitals.headersCame();
  for (const bytes of [16_384, 100, 0]) {
    vitals.readBegins();
    vitals.readEnds(bytes);
  }
  vitals.readBegins();
  expect(vitals.bytes).toBe(16_484);
});

it('the time of the body is that since the headers, in silence or not', () => {
  const { vitals, wait } = started();
  wait(50);
  vitals.headersCame();
  vitals.readBegins();
  wait(200);
  vitals.readEnds(1);
  wait(30);
  vitals.readBegins();
  wait(1);
  expect([vitals.bodyMs, vitals.headersAfter]).toEqual([231, 50]);
});
