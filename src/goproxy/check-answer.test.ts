import { describe, expect, it } from 'vitest';
import { bytes } from '../../test/fakes/effects/values.ts';
import { checkInfo, checkList, checkMod } from './check-answer.ts';

const RIGHT = { ok: true, value: undefined };
const WRONG = { ok: false, reason: { kind: 'wrong content' } };
const answer = (body: string | Uint8Array) => (typeof body === 'string' ? bytes(body) : body);
const PAGE = '<!DOCTYPE html><title>Sign in</title>';

describe('a list', () => {
  it.each([
    '',
    '\n',
    'v1.0.0\n',
    'v1.0.0',
    'v1.0.0 2024-01-15T10:00:00Z\r\nv1.1.0\r\n',
    'junk\nv1.0.0\n',
    'v1.0.0\nv1.1.0-rc.1',
    'v1.0.0\nv1.1.0 2024-01-15T10:00:00Z',
    'v1.0.0\nv1.1\n',
    'v1.0.0\nlatest',
  ])('%j is accepted', (body) => expect(checkList(answer(body))).toEqual(RIGHT));
  it.each(['v1.0.0\nv', 'v1.0.0\nv1', 'v1.0.0\nv1.', 'v1.0.0\nv1.10', 'v1.0.0\nv1.10.'])(
    '%j is refused, because it was cut short',
    (body) => expect(checkList(answer(body))).toMatchObject(WRONG),
  );
  it.each(['sign in please', PAGE, ` \n${PAGE}`, '{"error":"no"}'])('%j is refused', (body) => {
    expect(checkList(answer(body))).toMatchObject(WRONG);
  });
});

describe('an info', () => {
  it.each([
    '{"Version":"v1.0.0"}',
    '{"version":"v1.0.0","time":"2024-01-15T10:00:00Z"}',
    '{"Version":"v1.0.0","Time":"2024-01-15T10:00:00.123+02:00","Origin":{}}',
    '{"Version":"v1.0.0","Time":null}',
  ])('%s of the requested version is accepted', (body) => {
    expect(checkInfo(answer(body), 'v1.0.0')).toEqual(RIGHT);
  });
  it.each([
    '{"Version":"v1.0.1"}',
    '{"Version":"v1.0.0","Time":""}',
    '{"Version":"v1.0.0","Time":"yesterday"}',
    '{"Version":"v1.0.0","Time":"2024-01-15t10:00:00z"}',
    '{"Version":"v1.0.0","Time":"2024-02-30T10:00:00Z"}',
    '{"Version":"v1.0.0","Time":"2024-13-01T10:00:00Z"}',
    '{"Version":"v1.0.0","Time":"2024-01-15T10:00:00,5Z"}',
    '{"Version":"v1.0.0","Time":7}',
    '{"Time":"2024-01-15T10:00:00Z"}',
    '{}',
    '[]',
    'null',
    '"v1.0.0"',
    '',
    'v1.0.0',
    PAGE,
  ])('%s is refused', (body) => {
    expect(checkInfo(answer(body), 'v1.0.0')).toMatchObject(WRONG);
  });
  it.each([
    ['v1.0.0', true],
    ['v0.0.0-20240115100000-abcdefabcdef', true],
    ['main', false],
    ['v1', false],
    ['', false],
  ])('of a branch may name the version %j: %s', (version, isRight) => {
    expect(checkInfo(answer(JSON.stringify({ Version: version }))).ok).toBe(isRight);
  });
});

describe('a go.mod', () => {
  it.each([
    'module m\n',
    '\ufeff// Deprecated: use n.\r\nmodule "m"\r\n',
    'go 1.21\n\nmodule\tm',
    'module (\n\tm\n)\n',
    'module `m` // a comment\nrequire (\n\ta.example/b v1.0.0 // indirect\n)',
    'module m\n\nretract [v1.0.0, v1.1.0]\nsomething (\n\tmodule x y\n)\n',
    'module example.com/orig/fork',
    'module example.com/hello',
    'module example.com/hel\n',
  ])('%j is one', (body) => expect(checkMod(answer(body), 'example.com/hello')).toEqual(RIGHT));
  it('with a comment in another encoding is one', () => {
    const comment = Uint8Array.of(0x2f, 0x2f, 0x20, 0xc4, 0xe3, 0xba, 0xc3, 0x0a);
    expect(checkMod(Uint8Array.of(...comment, ...bytes('module m\n')))).toEqual(RIGHT);
  });
  it.each([
    ['what was cut within the path', 'module example.com/hel'],
    ['what was cut within a block', 'module example.com/hello\n\nrequire (\n\ta.example/b v1'],
    ['a sentence with a later line about a module', 'Sorry.\nmodule not found\n'],
    ['a module line without a path', 'module\n'],
    ['two module lines', 'module m\nmodule m\n'],
    ['a page', PAGE],
    ['bytes that are no UTF-8', new Uint8Array([0xff, 0xfe])],
    ['a JSON error', '{"error":"rate limited"}'],
    ['nothing', ''],
    ['a sentence', 'Too many requests'],
  ])('%s is none', (_, body) =>
    expect(checkMod(answer(body), 'example.com/hello')).toMatchObject(WRONG),
  );
});
