/**
 * The last bytes of a zip file of `size` bytes. All positions, here and in the readers, count from
 * the file's start.
 */
export interface Tail {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the tail starts in the file. Only bytes from here up to `size` may be read. */
  readonly start: number;
  readonly size: number;
}

/** More of the file is needed: everything from `start` on, which is before the present tail. */
export interface BeyondTail {
  readonly kind: 'beyond-tail';
  readonly start: number;
}

/** The bytes are no zip that Go's archive/zip would open. */
export interface Broken {
  readonly kind: 'broken';
  readonly reason: string;
}

export function beyondTail(start: number): BeyondTail {
  return { kind: 'beyond-tail', start };
}

export function broken(reason: string): Broken {
  return { kind: 'broken', reason };
}

/** Returns the little-endian number at `at`, as do the functions below (APPNOTE 4.4.1.1). */
export function uint16(tail: Tail, at: number): number {
  return tail.view.getUint16(at - tail.start, true);
}

export function uint32(tail: Tail, at: number): number {
  return tail.view.getUint32(at - tail.start, true);
}

/** Rounded above 2^53, but never to a safe integer: what is larger than any file stays larger. */
export function uint64(tail: Tail, at: number): number {
  return Number(tail.view.getBigUint64(at - tail.start, true));
}

/** As uint64, for the one number that is signed in archive/zip: the offset of a local header. */
export function int64(tail: Tail, at: number): number {
  return Number(tail.view.getBigInt64(at - tail.start, true));
}
