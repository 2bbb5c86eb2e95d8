/** Where the input lies in the memory of the module; see assemble.ts. */
const INPUT = 1024;

/** The most that the memory holds, with the output. */
const MAX_INPUT_BYTES = 32 * 1024;

/**
 * Returns a function that hashes the byte 1 and each 64 bytes of its input, by the compiled
 * sha256-pairs.wasm. A call into native code for each pair costs several times as much. The module
 * is instantiated at the first call.
 */
export function sha256PairsBy(module: WebAssembly.Module): (pairs: Uint8Array) => Uint8Array {
  let instance: Instance | undefined;
  return (pairs) => {
    if (pairs.length % 64 !== 0 || pairs.length > MAX_INPUT_BYTES)
      throw new RangeError(`Cannot hash ${pairs.length} bytes as pairs`);
    if (pairs.length === 0) return new Uint8Array();
    instance ??= instantiate(module);
    const output = INPUT + pairs.length;
    instance.memory.set(pairs, INPUT);
    instance.hashPairs(INPUT, output, pairs.length / 64);
    return instance.memory.slice(output, output + pairs.length / 2);
  };
}

interface Instance {
  /** The whole memory, which never grows. */
  readonly memory: Uint8Array;
  readonly hashPairs: (from: number, to: number, count: number) => unknown;
}

function instantiate(module: WebAssembly.Module): Instance {
  const { hashPairs, memory } = new WebAssembly.Instance(module).exports;
  if (!(memory instanceof WebAssembly.Memory) || typeof hashPairs !== 'function')
    throw new TypeError('Cannot use sha256-pairs.wasm: its exports are others');
  return {
    memory: new Uint8Array(memory.buffer),
    hashPairs: (from, to, count) => Reflect.apply(hashPairs, undefined, [from, to, count]),
  };
}
