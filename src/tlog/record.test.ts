import { describe, expect, it } from 'vitest';
import { bytes, text as textOf } from '../../test/fakes/effects/values.ts';
import { parseRecord, recordHashes } from './record.ts';

const ZIP = 'h1:QQuvzL5w/S0+aEY5ifubzBeiPqBG9dYkl8Kd0zphti8=';
const MOD = 'h1:WSQVVkzisfSKy5IAGHvpHm0MKSrZhF0Zc7f0B3QEwJc=';
const LINES = `example.com/dep v1.0.0 ${ZIP}\nexample.com/dep v1.0.0/go.mod ${MOD}\n`;
const NOTE = 'go.sum database tree\n…\n\n— sum.golang.org …\n';

const raw = (...parts: (string | number)[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))),
  );

describe('a record', () => {
  it.each([
    ['of two lines', `7\n${LINES}\n${NOTE}`, 7, LINES, NOTE],
    ['that is the first', `0\n${LINES}\n${NOTE}`, 0, LINES, NOTE],
    ['beyond 2^32', `4294967297\n${LINES}\n${NOTE}`, 2 ** 32 + 1, LINES, NOTE],
    ['of any text', '1\n𐐀\uFEFF\n\n', 1, '𐐀\uFEFF\n', ''],
    ['with a byte order mark', '1\n\uFEFFa\n\nb', 1, '\uFEFFa\n', 'b'],
    ['of an empty line, as in x/mod', '1\n\n\nb', 1, '\n', 'b'],
    ['with a note that begins with a blank line', '1\na\n\n\nb', 1, 'a\n', '\nb'],
  ])('%s is parsed', (_, body, id, text, note) => {
    const record = parseRecord(bytes(body));
    expect(record && { ...record, note: textOf(record.note) }).toEqual({ id, text, note });
  });

  it('returns a note that is no text as it is: openNote refuses it', () => {
    expect(parseRecord(raw('1\na\n\n', 0xff))?.note).toEqual(Uint8Array.of(0xff));
  });

  it.each([
    ['that is empty', ''],
    ['without a line', '7'],
    ['without an id', `\n${LINES}\n${NOTE}`],
    ['that begins with its lines', `${LINES}\n${NOTE}`],
    ['with a negative id', `-7\n${LINES}\n${NOTE}`],
    ['with an id with a sign', `+7\n${LINES}\n${NOTE}`],
    ['with a leading zero', `07\n${LINES}\n${NOTE}`],
    ['with a space', `7 \n${LINES}\n${NOTE}`],
    ['with a carriage return', `7\r\n${LINES}\n${NOTE}`],
    ['with an id that is no safe integer', `9007199254740992\n${LINES}\n${NOTE}`],
    ['with an id that is no text', raw(0xff, `\n${LINES}\n`)],
    ['with a byte order mark before its id', `\uFEFF7\n${LINES}\n${NOTE}`],
    ['without a blank line', `7\n${LINES}`],
    ['with a tab', `7\na\tb\n\n${NOTE}`],
    ['with carriage returns', `7\na\r\n\n${NOTE}`],
    ['with a null character', `7\na\0\n\n${NOTE}`],
    ['that is no UTF-8', raw('7\na', 0xff, '\n\n')],
    ['with half a character', raw('7\na', 0xe2, 0x80, '\n\n')],
    ['that is an HTML page', '<!doctype html>\n<p>\n\n</p>\n'],
  ])('%s is refused', (_, body) => {
    expect(parseRecord(typeof body === 'string' ? bytes(body) : body)).toBeUndefined();
  });
});

const find = (text: string) => recordHashes(text, 'example.com/dep', 'v1.0.0');

describe('the hashes of a version', () => {
  const [zipLine = '', modLine = ''] = LINES.split('\n');

  it.each([
    ['in two lines', LINES],
    ['in the other order', `${modLine}\n${zipLine}\n`],
    [
      'among other versions',
      `example.com/dep v1.0.1 h1:x\n${LINES}example.com/dep/v2 v1.0.0 h1:y\n`,
    ],
    [
      'among other algorithms',
      `${zipLine.replace('h1:', 'h2:x')}\n${LINES}${modLine.replace('h1:', 'h2:')}\n`,
    ],
    [
      'above a second one, which the go command ignores',
      `${LINES}${zipLine.replace('QQ', 'RR')}\n`,
    ],
  ])('are found %s', (_, text) => {
    expect(find(text)).toEqual({ zip: ZIP, mod: MOD });
  });

  it.each([
    ['without the zip', `${modLine}\n`],
    ['without the go.mod', `${zipLine}\n`],
    ['of another module', LINES.replaceAll('dep', 'deq')],
    ['of a module of which it is a part', LINES.replaceAll('example.com', 'an.example.com')],
    ['of another version', LINES.replaceAll('v1.0.0', 'v1.0.01')],
    ['with another algorithm only', LINES.replaceAll('h1:', 'h2:')],
    ['with two spaces', LINES.replaceAll(' h1:', '  h1:')],
    ['with a hash of 31 bytes', LINES.replace(ZIP, `h1:${Buffer.alloc(31).toString('base64')}`)],
    ['with a hash of 33 bytes', LINES.replace(ZIP, `h1:${Buffer.alloc(33).toString('base64')}`)],
    ['with a second spelling of the hash', LINES.replace('hti8=', 'hti9=')],
    ['with something after its hash', LINES.replace(ZIP, `${ZIP} x`)],
    ['with a malformed hash above the good one', `${zipLine.slice(0, -2)}\n${LINES}`],
  ])('are not found %s', (_, text) => {
    expect(find(text)).toBeUndefined();
  });
});
