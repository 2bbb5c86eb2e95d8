import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../test/fakes/effects/seeded-random.ts';
import { createLog } from '../../test/fakes/sumdb/transparency-log.ts';
import { bytes } from '../../test/fakes/effects/values.ts';
import { openNote } from './note.ts';
import { parseVerifierKey } from './verifier-key.ts';

// The package documentation of golang.org/x/mod/sumdb/note.
const NEUMANN = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const TEXT =
  'If you think cryptography is the answer to your problem,\n' +
  "then you don't know what your problem is.\n";
const NEUMANN_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const ENOCH_LINE =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';
const NOTE = `${TEXT}\n${NEUMANN_LINE}`;

function open(note: string | Uint8Array, verifierKey = NEUMANN) {
  const key = parseVerifierKey(verifierKey);
  if (!key.ok) throw new Error(key.reason);
  return openNote(typeof note === 'string' ? bytes(note) : note, key.value);
}

/** A line whose signature, after the four bytes of key hash in `hex`, is of `length` zeros. */
const line = (name: string, hex: string, length = 64) =>
  `— ${name} ${Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(length)]).toString('base64')}\n`;

const raw = (...parts: (string | number[])[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(...part))),
  );

const log = createLog({ name: 'log.example' });

describe('a note is verified', () => {
  it.each([
    ['with one signature', NOTE, TEXT],
    ['with a signature by an unknown key below', `${NOTE}${ENOCH_LINE}`, TEXT],
    ['with a signature by an unknown key above', `${TEXT}\n${ENOCH_LINE}${NEUMANN_LINE}`, TEXT],
    ['with its signature twice', `${NOTE}${NEUMANN_LINE}`, TEXT],
    [
      'whose second signature by the same key is wrong',
      `${NOTE}${line('PeterNeumann', 'c74f20a3')}`,
      TEXT,
    ],
    ['beside another key of the same name', `${NOTE}${line('PeterNeumann', 'c74f20a4')}`, TEXT],
    ['beside the same key hash of another name', `${NOTE}${line('Peter', 'c74f20a3')}`, TEXT],
    ['with 100 signatures', `${NOTE}${ENOCH_LINE.repeat(99)}`, TEXT],
  ])('if it is one %s', async (_, note, text) => {
    expect(await open(note)).toEqual({ kind: 'verified', text });
  });

  it.each([
    ['a blank line in its text', 'a\n\nb\n'],
    ['nothing but a line break', '\n'],
    ['a byte order mark', '\uFEFFa\n'],
    ['a replacement character', 'a\uFFFD\n'],
    ['characters beyond the first plane', '𐐀\n'],
    ['a delete character, which is no control character to x/mod', 'a\x7F\n'],
  ])('if its text has %s', async (_, text) => {
    expect(await open(log.sign(text), log.verifierKey)).toEqual({ kind: 'verified', text });
  });
});

describe('a note is malformed', () => {
  it.each([
    ['that is empty', ''],
    ['without signatures', TEXT],
    ['without a blank line', `${TEXT}${NEUMANN_LINE}`],
    ['with nothing below the blank line', `${TEXT}\n`],
    ['with a blank line below', `${NOTE}\n`],
    ['without its last line break', NOTE.trimEnd()],
    ['with carriage returns', NOTE.replaceAll('\n', '\r\n')],
    ['with a tab', NOTE.replace(' you', '\tyou')],
    ['with a null character', NOTE.replace(' you', '\0you')],
    ['with an escape character', NOTE.replace(' you', '\x1Byou')],
    ['with a byte that is no UTF-8', raw('a', [0xff], `\n\n${NEUMANN_LINE}`)],
    ['with an overlong character', raw('a', [0xc0, 0xaf], `\n\n${NEUMANN_LINE}`)],
    ['with half a surrogate pair', raw('a', [0xed, 0xa0, 0x80], `\n\n${NEUMANN_LINE}`)],
    ['with a character that is cut off', raw('a', [0xe2, 0x80], `\n\n${NEUMANN_LINE}`)],
    ['with a hyphen for a dash', NOTE.replace('— ', '- ')],
    ['without a space after the dash', NOTE.replace('— ', '—')],
    ['with two spaces after the dash', NOTE.replace('— ', '—  ')],
    ['with a name and no signature', `${TEXT}\n— PeterNeumann\n`],
    ['with an empty signature', `${TEXT}\n— PeterNeumann \n`],
    ['with a plus in a name', NOTE.replace('— Peter', '— Peter+')],
    ['with a no-break space in a name', NOTE.replace('— Peter', '— Peter\u00A0')],
    ['with a signature that is no base64', NOTE.replace('x08go', 'x08g*')],
    ['with base64 for URLs', NOTE.replace('x08go/', 'x08go_')],
    ['with a signature without its padding', NOTE.replace('JnAM=', 'JnAM')],
    ['with a space in its signature', NOTE.replace('x08go/ZJ', 'x08g o/Z')],
    [
      'with a signature of four bytes, all of them key hash',
      `${TEXT}\n${line('PeterNeumann', 'c74f20a3', 0)}`,
    ],
    ['with one bad line below a good one', `${NOTE}— x\n`],
    ['with 101 signatures', `${NOTE}${ENOCH_LINE.repeat(100)}`],
  ])('if it is one %s', async (_, note) => {
    expect(await open(note)).toEqual({
      kind: 'malformed',
      reason: expect.stringContaining('a note'),
    });
  });
});

describe('a note is unsigned', () => {
  it.each([
    ['signed by an unknown key alone', `${TEXT}\n${ENOCH_LINE}`],
    ['signed by another key of the same name', `${TEXT}\n${line('PeterNeumann', 'c74f20a4')}`],
    ['signed by the same key hash of another name', `${TEXT}\n${line('Peter', 'c74f20a3')}`],
  ])('if it is one %s', async (_, note) => {
    expect(await open(note)).toEqual({
      kind: 'unsigned',
      reason: 'a note without a signature by PeterNeumann+c74f20a3',
    });
  });
});

describe('a note is forged', () => {
  it.each([
    ['with another text', NOTE.replace('answer', 'Answer')],
    ['with one more line of text', NOTE.replace('\n\n', '\nmore\n\n')],
    ['with one more blank line', NOTE.replace('\n\n', '\n\n\n')],
    ['with another signature', NOTE.replace('ZJkuBS9', 'ZJkuBS8')],
    ['with a signature of one byte', `${TEXT}\n${line('PeterNeumann', 'c74f20a3', 1)}`],
    ['with a signature of 63 bytes', `${TEXT}\n${line('PeterNeumann', 'c74f20a3', 63)}`],
    ['with a signature of 65 bytes', `${TEXT}\n${line('PeterNeumann', 'c74f20a3', 65)}`],
    [
      'with a wrong signature above the right one',
      `${TEXT}\n${line('PeterNeumann', 'c74f20a3')}${NEUMANN_LINE}`,
    ],
    [
      'with a wrong signature above a bad line',
      `${TEXT}\n${line('PeterNeumann', 'c74f20a3')}— x\n`,
    ],
  ])('if it is one %s', async (_, note) => {
    expect(await open(note)).toEqual({
      kind: 'forged',
      reason: 'a note with a wrong signature by PeterNeumann+c74f20a3',
    });
  });

  it('if S + L stands for S, a second form of the same signature', async () => {
    // S + L verifies too where the bound of RFC 8032, section 5.1.7, is not checked.
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const [text = '', signed = ''] = log.sign('a\n').split('\n\n');
    const signature = Buffer.from(signed.trim().split(' ').at(-1) ?? '', 'base64');
    const s = BigInt(`0x${Buffer.from(signature.subarray(36).toReversed()).toString('hex')}`);
    const other = Buffer.from((s + order).toString(16).padStart(64, '0'), 'hex').toReversed();
    signature.set(other, 36);
    const note = `${text}\n\n— log.example ${signature.toString('base64')}\n`;
    expect(await open(note, log.verifierKey)).toMatchObject({ kind: 'forged' });
  });

  it('if another key signed it under the same name', async () => {
    const [, hash = ''] = log.verifierKey.split('+');
    const note = createLog({ name: 'log.example' }).sign('a\n');
    const signature = Buffer.from(note.trim().split(' ').at(-1) ?? '', 'base64');
    Buffer.from(hash, 'hex').copy(signature);
    const claimed = `a\n\n— log.example ${signature.toString('base64')}\n`;
    expect(await open(note, log.verifierKey)).toMatchObject({ kind: 'unsigned' });
    expect(await open(claimed, log.verifierKey)).toMatchObject({ kind: 'forged' });
  });
});

it('a note with a changed bit is never verified', async () => {
  const random = seededRandom(1);
  for (let run = 0; run < 500; run++) {
    const opened = await open(random.damage(bytes(NOTE)));
    expect(opened.kind === 'verified' ? `run ${run}` : '').toBe('');
  }
});
