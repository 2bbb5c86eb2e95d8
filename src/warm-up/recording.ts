/**
 * A module with two versions, and its checksum database with a record of each. The look-up of the
 * first version has the tree head of one record, the other one that of both. The private key was
 * thrown away.
 */
import { decodeBase64 } from '../bytes/base64.ts';

export const VARIABLES = {
  ORIGINS: 'https://origin.invalid',
  SUMDBS: 'log.invalid+4dc0b232+AfIn9gg4ZpwfeQbkni7gsGPPXEF8KaFhcmSZ6aV9+Osv https://log.invalid',
};

export const PATHS = ['/warm.invalid/up/@v/v1.0.0.mod', '/warm.invalid/up/@v/v1.1.0.mod'] as const;

const GO_MOD = 'module warm.invalid/up\n\ngo 1.21\n';

const LOOKUP_1 = `0
warm.invalid/up v1.0.0 h1:Eks2FzvA6hnUcexjK53qa1fFuqQBCfhKZUh/BFy5YDY=
warm.invalid/up v1.0.0/go.mod h1:Eks2FzvA6hnUcexjK53qa1fFuqQBCfhKZUh/BFy5YDY=

go.sum database tree
1
+aK4WwgI/2wrgfh9FyrhJG+0fZyZ3HCQcTLznTUytOg=

— log.invalid TcCyMsrgj59CaeTfOEWpDJB7MmGoIr9jWVD2Yl2pE8XQNdngta72tIWjfEIU3XUuEoYBCIyL66wqmw8KCeU1KOlT3wA=
`;

const LOOKUP_2 = `1
warm.invalid/up v1.1.0 h1:Eks2FzvA6hnUcexjK53qa1fFuqQBCfhKZUh/BFy5YDY=
warm.invalid/up v1.1.0/go.mod h1:Eks2FzvA6hnUcexjK53qa1fFuqQBCfhKZUh/BFy5YDY=

go.sum database tree
2
H2VuCuOdIS8MdCRYwmMpsdLtMJXQtGze7LwIJw3pwIs=

— log.invalid TcCyMsJr0RD5LAKBL+blcyhSMOlHKQ8sfOZQSEiiRnzLKeCW8uHn7NBaFgtDRAVKS5k5PUALyL6yqefrFSkqxzXd0QY=
`;

const RECORD_1 = '+aK4WwgI/2wrgfh9FyrhJG+0fZyZ3HCQcTLznTUytOg=';
const RECORD_2 = 'LVJIJwUoHZ1kisOY0JW8K1eFTX2cFzHmzt3uhKd9Lks=';

/** What the origin and the database answer, by address. */
export const ANSWERS: ReadonlyMap<string, readonly Uint8Array[]> = new Map([
  ['https://origin.invalid/warm.invalid/up/@v/v1.0.0.mod', [encode(GO_MOD)]],
  ['https://origin.invalid/warm.invalid/up/@v/v1.1.0.mod', [encode(GO_MOD)]],
  ['https://log.invalid/lookup/warm.invalid/up@v1.0.0', [encode(LOOKUP_1)]],
  ['https://log.invalid/lookup/warm.invalid/up@v1.1.0', [encode(LOOKUP_2)]],
  ['https://log.invalid/tile/8/0/000.p/1', [decode(RECORD_1)]],
  ['https://log.invalid/tile/8/0/000.p/2', [decode(RECORD_1), decode(RECORD_2)]],
]);

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decode(text: string): Uint8Array {
  return decodeBase64(text) ?? new Uint8Array();
}
