/**
 * The source of sha256-pairs.wasm: SHA-256 (FIPS 180-4) of the byte 1 and 64 bytes of input, which
 * is the hash of a node in a transparency log. `write.ts` writes it to the file.
 *
 *     memory      0   256 bytes  the round constants
 *               256   256 bytes  the message schedule of a block
 *               512    32 bytes  the state
 *     (func $compress)  one block: the state by the first 16 words of the schedule
 *     (func (export "hashPairs") (param $from i32) (param $to i32) (param $count i32))
 *         `count` pairs at `from`, 1 or more, each to its 32 bytes at `to`
 *
 * The message has two blocks. The first one is the 1 and 63 bytes of input; its words are read one
 * byte before their place, so that they lie right. The second one is the last byte, the end mark,
 * zeros, and the length of 520 bits.
 */

const CONSTANTS = 0;
const SCHEDULE = 256;
const STATE = 512;
const WORDS = 64;

/** A part of the machine code. */
type Code = readonly number[];

const ADD: Code = [0x6a];
const SUB: Code = [0x6b];
const AND: Code = [0x71];
const OR: Code = [0x72];
const XOR: Code = [0x73];
const SHIFT_LEFT: Code = [0x74];
const SHIFT_RIGHT: Code = [0x76];
const ROTATE_LEFT: Code = [0x77];
const ROTATE_RIGHT: Code = [0x78];
const LESS: Code = [0x49];
const LOOP: Code = [0x03, 0x40];
const AGAIN_IF: Code = [0x0d, 0];
const END: Code = [0x0b];
const COMPRESS: Code = [0x10, 0];
const I32 = 0x7f;
/** "\0asm", version 1. */
const HEADER: Code = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

const line = (...parts: readonly Code[]): Code => parts.flat();
const get = (local: number): Code => [0x20, ...unsigned(local)];
const set = (local: number): Code => [0x21, ...unsigned(local)];
const tee = (local: number): Code => [0x22, ...unsigned(local)];
const constant = (value: number): Code => [0x41, ...signed(value)];
const load = (offset: number): Code => [0x28, 0, ...unsigned(offset)];
const loadByte = (offset: number): Code => [0x2d, 0, ...unsigned(offset)];
const store = (offset: number): Code => [0x36, 0, ...unsigned(offset)];
const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);

/** LEB128. */
function unsigned(value: number): Code {
  return value < 128 ? [value] : [(value % 128) + 128, ...unsigned(Math.floor(value / 128))];
}

function signed(value: number): Code {
  const low = value & 127;
  const rest = value >> 7;
  const isLast = (rest === 0 && low < 64) || (rest === -1 && low >= 64);
  return isLast ? [low] : [low + 128, ...signed(rest)];
}

const rotated = (word: Code, bits: number): Code => [...word, ...constant(bits), ...ROTATE_RIGHT];

/** Three rotations together, or two and a shift: the sigma functions. */
function sigma(word: Code, [a, b, c]: readonly [number, number, number], last: Code): Code {
  const third = [...word, ...constant(c), ...last];
  return [...rotated(word, a), ...rotated(word, b), ...XOR, ...third, ...XOR];
}

/** A word with its bytes the other way round; `local` is overwritten. */
function reversed(word: Code, local: number): Code {
  const left = [...get(local), ...constant(8), ...ROTATE_LEFT, ...constant(0x00ff00ff), ...AND];
  const right = [...rotated(get(local), 8), ...constant(0xff00ff00 | 0), ...AND];
  return [...word, ...set(local), ...left, ...right, ...OR];
}

const T = 8; // offset of a round, in bytes
const T1 = 9;

function schedule(): Code {
  const word = (at: number): Code => [...get(T), ...load(SCHEDULE + 4 * at)];
  return [
    ...line(constant(0), set(T), LOOP, get(T)),
    ...line(sigma(word(14), [17, 19, 10], SHIFT_RIGHT), word(9), ADD),
    ...line(sigma(word(1), [7, 18, 3], SHIFT_RIGHT), ADD, word(0), ADD),
    ...store(SCHEDULE + 4 * 16),
    ...line(get(T), constant(4), ADD, tee(T), constant(4 * (WORDS - 16)), LESS),
    ...line(AGAIN_IF, END),
  ];
}

/** Round `at` of eight: `locals` are those of the words a to h. */
function round(at: number, locals: readonly number[]): Code {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = locals;
  return [
    ...line(get(h), sigma(get(e), [6, 11, 25], ROTATE_RIGHT), ADD),
    ...line(get(g), get(f), get(g), XOR, get(e), AND, XOR, ADD),
    ...line(get(T), load(CONSTANTS + 4 * at), ADD),
    ...line(get(T), load(SCHEDULE + 4 * at), ADD, tee(T1)),
    ...line(get(d), ADD, set(d)),
    ...line(get(T1), sigma(get(a), [2, 13, 22], ROTATE_RIGHT), ADD),
    ...line(get(a), get(b), AND, get(c), get(a), get(b), OR, AND, OR),
    ...line(ADD, set(h)),
  ];
}

function compress(): Code {
  const state = numbers(8);
  // After eight rounds each word is in its own local again.
  const rounds = state.flatMap((at) =>
    round(at, [...state.slice(8 - at), ...state.slice(0, 8 - at)]),
  );
  return [
    ...schedule(),
    ...state.flatMap((at) => [...constant(STATE), ...load(4 * at), ...set(at)]),
    ...line(constant(0), set(T), LOOP, rounds),
    ...line(get(T), constant(32), ADD, tee(T), constant(4 * WORDS), LESS),
    ...line(AGAIN_IF, END),
    ...state.flatMap((at) => {
      const before = [...constant(STATE), ...load(4 * at)];
      return line(constant(STATE), before, get(at), ADD, store(4 * at));
    }),
  ];
}

const FROM = 0;
const TO = 1;
const COUNT = 2;
const WORD = 3;

function hashPairs(): Code {
  const toSchedule = (at: number, word: Code): Code => [
    ...constant(SCHEDULE),
    ...word,
    ...store(4 * at),
  ];
  const before = [...get(FROM), ...constant(1), ...SUB, ...load(0)];
  const first = [...constant(0xffffff), ...AND, ...constant(0x01000000), ...OR];
  const last = [...get(FROM), ...loadByte(63), ...constant(24), ...SHIFT_LEFT];
  const endMark = [...constant(0x800000), ...OR];
  return [
    ...LOOP,
    ...initialState().flatMap((word, at) => line(constant(STATE), constant(word), store(4 * at))),
    ...toSchedule(0, [...reversed(before, WORD), ...first]),
    ...numbers(15).flatMap((at) =>
      toSchedule(at + 1, reversed([...get(FROM), ...load(4 * at + 3)], WORD)),
    ),
    ...COMPRESS,
    ...toSchedule(0, [...last, ...endMark]),
    ...numbers(14).flatMap((at) => toSchedule(at + 1, constant(0))),
    ...toSchedule(15, constant(8 * 65)),
    ...COMPRESS,
    ...numbers(8).flatMap((at) => {
      const word = reversed([...constant(STATE), ...load(4 * at)], WORD);
      return line(get(TO), word, store(4 * at));
    }),
    ...line(get(FROM), constant(64), ADD, set(FROM)),
    ...line(get(TO), constant(32), ADD, set(TO)),
    ...line(get(COUNT), constant(1), SUB, tee(COUNT), AGAIN_IF, END),
  ];
}

/** The first 32 bits of the fractional parts of the roots of the first primes. */
function fractions(count: number, root: (prime: number) => number): readonly number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n += 1) {
    if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  }
  return primes.map((prime) => Math.floor((root(prime) % 1) * 2 ** 32) | 0);
}

const initialState = () => fractions(8, Math.sqrt);

function text(value: string): Code {
  return [value.length, ...new TextEncoder().encode(value)];
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

/** A function with so many locals of its own, all of them i32. */
function body(locals: number, code: Code): Code {
  const content = [1, locals, I32, ...code, ...END];
  return [...unsigned(content.length), ...content];
}

/** The module. Source of the format: https://webassembly.github.io/spec/core/binary/. */
export function assembleSha256Pairs(): Uint8Array {
  const constants = fractions(WORDS, Math.cbrt).flatMap((word) =>
    [0, 8, 16, 24].map((shift) => (word >>> shift) & 255),
  );
  return Uint8Array.from([
    ...HEADER,
    ...section(1, [2, 0x60, 0, 0, 0x60, 3, I32, I32, I32, 0]), // types
    ...section(3, [2, 0, 1]), // functions
    ...section(5, [1, 0, 1]), // a memory of 64 KiB
    ...section(7, [2, ...text('memory'), 2, 0, ...text('hashPairs'), 0, 1]), // exports
    ...section(10, [2, ...body(10, compress()), ...body(1, hashPairs())]),
    ...section(11, [1, 0, ...constant(CONSTANTS), ...END, ...unsigned(4 * WORDS), ...constants]),
  ]);
}
