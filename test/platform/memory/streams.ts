/**
 * The pass-through streams of workerd, for Node. R2 takes a stream only where its length is known,
 * which is so for the readable half of a `FixedLengthStream`.
 */
const lengths = new WeakMap<object, number>();

/** The length that a stream declares; undefined where it declares none. */
export function declaredLength(stream: ReadableStream<Uint8Array>): number | undefined {
  return lengths.get(stream);
}

/** Makes the streams global, as they are in workerd. */
export function installStreams(): void {
  Object.assign(globalThis, { FixedLengthStream, IdentityTransformStream });
}

class IdentityTransformStream extends TransformStream<Uint8Array, Uint8Array> {
  constructor() {
    super({ transform: (chunk, controller) => controller.enqueue(chunk.slice()) });
  }
}

class FixedLengthStream extends TransformStream<Uint8Array, Uint8Array> {
  constructor(size: number) {
    let left = size;
    super({
      transform(chunk, controller) {
        left -= chunk.length;
        if (left < 0) throw new TypeError('Attempt to write too many bytes');
        controller.enqueue(chunk.slice());
      },
      flush() {
        if (left > 0) throw new TypeError('FixedLengthStream did not see all expected bytes');
      },
    });
    lengths.set(this.readable, size);
  }
}
