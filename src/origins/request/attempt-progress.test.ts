import { expect, it } from 'vitest';
import { AttemptProgress } from './attempt-progress.ts';

interface Scene {
  readonly progress: AttemptProgress;
  /** Moves the time. */
  readonly wait: (ms: number) => void;
}

/** The progress of a request that waits for a connection. */
function queued(): Scene {
  let now = Date.UTC(2026, 0, 1);
  return { progress: new AttemptProgress({ steady: () => now }), wait: (ms) => void (now += ms) };
}

/** The progress of a request that was just sent. */
function started(): Scene {
  const scene = queued();
  scene.progress.connected();
  return scene;
}

it('in the queue for a connection it does not wait for the origin', () => {
  const { progress, wait } = queued();
  wait(9_000);
  expect(progress).toMatchObject({ isConnected: false, waitingMs: 0, waitingSince: undefined });
  progress.connected();
  wait(120);
  expect(progress).toMatchObject({ isConnected: true, waitingMs: 120 });
  progress.headersArrived();
  wait(30);
  expect(progress).toMatchObject({ headersMs: 120, bodyMs: 30 });
});

it('until the headers modferry waits from the moment when it has a connection', () => {
  const { progress, wait } = started();
  wait(700);
  expect(progress).toMatchObject({ waitingMs: 700, headersMs: undefined, bodyMs: 0, bytes: 0 });
});

it('the headers end the wait, and their time is the latency', () => {
  const { progress, wait } = started();
  wait(120);
  progress.headersArrived();
  wait(1_000);
  expect(progress).toMatchObject({ waitingMs: 0, headersMs: 120, bodyMs: 1_000 });
});

it('while modferry is at work between two reads it does not wait for the origin', () => {
  const { progress, wait } = started();
  progress.headersArrived();
  progress.readStarted();
  wait(300);
  expect(progress.waitingMs).toBe(300);
  progress.readEnded(16_384);
  wait(5_000);
  expect([progress.waitingMs, progress.waitingSince]).toEqual([0, undefined]);
  progress.readStarted();
  expect(progress.waitingMs).toBe(0);
  wait(40);
  expect(progress.waitingMs).toBe(40);
});

it('a read after one that was never completed starts a new wait', () => {
  const { progress, wait } = started();
  progress.headersArrived();
  progress.readStarted();
  wait(300);
  progress.readStarted();
  expect(progress.waitingMs).toBe(0);
});

it('only reads that were completed count as bytes of the body', () => {
  const { progress } = started();
  progress.headersArrived();
  for (const bytes of [16_384, 100, 0]) {
    progress.readStarted();
    progress.readEnded(bytes);
  }
  progress.readStarted();
  expect(progress.bytes).toBe(16_484);
});

it('the time of the body is that since the headers, with and without waiting', () => {
  const { progress, wait } = started();
  wait(50);
  progress.headersArrived();
  progress.readStarted();
  wait(200);
  progress.readEnded(1);
  wait(30);
  progress.readStarted();
  wait(1);
  expect([progress.bodyMs, progress.headersMs]).toEqual([231, 50]);
});
