// Zip files for the tests of the directory reader: valid, or wrong in a single field. They have no
// contents.

type Field = readonly [bytes: 2 | 4 | 8, value: number];

export function pack(...fields: Field[]): Uint8Array {
  return join(
    ...fields.map(([bytes, value]) =>
      Uint8Array.from({ length: bytes }, (_, at) => Math.floor(value / 256 ** at) % 256),
    ),
  );
}

export function join(...parts: Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

interface Header {
  name?: string;
  compressed?: number;
  uncompressed?: number;
  offset?: number;
  extra?: Uint8Array;
  comment?: number;
}

export function header({
  name = 'a',
  compressed = 5,
  uncompressed = 9,
  ...rest
}: Header = {}): Uint8Array {
  const { offset = 0, extra = bytes(''), comment = 0 } = rest;
  const sizes: Field[] = [
    [4, compressed],
    [4, uncompressed],
  ];
  const lengths: Field[] = [
    [2, name.length],
    [2, extra.length],
    [2, comment],
  ];
  const fixed = pack(
    [4, 0x02014b50],
    [4, 0],
    [2, 0x800],
    [2, 8],
    [4, 0],
    [4, 0xfedcba98],
    ...sizes,
    ...lengths,
  );
  return join(fixed, pack([8, 0], [4, offset]), bytes(name), extra);
}

interface EndFields {
  records: number;
  size: number;
  offset: number;
  comment?: number;
}

export function end({ records, size, offset, comment = 0 }: EndFields): Uint8Array {
  return pack(
    [4, 0x06054b50],
    [4, 0],
    [2, records],
    [2, records],
    [4, size],
    [4, offset],
    [2, comment],
  );
}

export function end64({ records, size, offset }: EndFields, position: number): Uint8Array {
  const record = [
    pack([4, 0x06064b50], [8, 44], [4, 0], [8, 0], [8, records], [8, records]),
    pack([8, size], [8, offset]),
  ];
  return join(...record, pack([4, 0x07064b50], [4, 0], [8, position], [4, 1]));
}

export const noField = { records: 0xffff, size: 0xffffffff, offset: 0xffffffff };

/** The place of the local headers and contents, whose bytes do not matter here. */
export const body = new Uint8Array(100).fill(0x2e);

/** A zip of the given directory headers. `claims` replace fields of its end record. */
export function zip(headers: Uint8Array[], claims: Partial<EndFields> = {}): Uint8Array {
  const directory = join(...headers);
  const truth = { records: headers.length, size: directory.length, offset: body.length };
  return join(body, directory, end({ ...truth, ...claims }));
}

export function zip64(headers: Uint8Array[], claims: Partial<EndFields> = {}): Uint8Array {
  const directory = join(...headers);
  const truth = { records: headers.length, size: directory.length, offset: body.length, ...claims };
  return join(body, directory, end64(truth, body.length + directory.length), end(noField));
}

export function block64(...numbers: number[]): Uint8Array {
  return join(pack([2, 1], [2, numbers.length * 8]), ...numbers.map((number) => pack([8, number])));
}
