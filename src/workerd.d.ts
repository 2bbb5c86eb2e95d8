/**
 * The part of Node's modules that workerd has without a compatibility flag and that the core uses.
 * Node's own types would bring Node's globals with them, and the core must not type-check with
 * those.
 */
declare module 'node:crypto' {
  interface Hash {
    update(bytes: Uint8Array): Hash;
    copy(): Hash;
    digest(): Uint8Array<ArrayBuffer>;
  }
  export function createHash(algorithm: 'sha256'): Hash;
}

declare module 'node:zlib' {
  interface InflateOptions {
    readonly chunkSize?: number;
    readonly maxOutputLength?: number;
  }
  interface InflateRaw {
    on(event: 'data', listener: (content: Uint8Array) => void): void;
    on(event: 'end', listener: () => void): void;
    on(event: 'error', listener: (error: unknown) => void): void;
    write(piece: Uint8Array, written: (error?: unknown) => void): boolean;
    end(): void;
    destroy(): void;
  }
  export function crc32(bytes: Uint8Array, value?: number): number;
  export function inflateRawSync(bytes: Uint8Array, options: InflateOptions): Uint8Array;
  export function createInflateRaw(options: InflateOptions): InflateRaw;
}
