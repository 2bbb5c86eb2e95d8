import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { failed, success } from '../effects/result.ts';
import { choice, parsedBy, text, timeout } from './variables.ts';

function read(schema: v.GenericSchema, value: unknown) {
  const parsed = v.safeParse(schema, value);
  return parsed.success ? parsed.output : parsed.issues.map(({ message }) => message);
}

describe('a variable', () => {
  it.each([[undefined], [null], [''], [' \n']])('that is %j has its default', (value) => {
    expect(read(text('NAME', 'default'), value)).toBe('default');
    expect(read(text('NAME'), value)).toBe('');
    expect(read(choice('NAME', ['off', 'on'], 'on'), value)).toBe('on');
    expect(read(timeout('NAME', '1s'), value)).toBe(1000);
  });

  it('is read without the spaces around it', () => {
    expect(read(text('NAME', 'default'), ' a b\n')).toBe('a b');
    expect(read(choice('NAME', ['off', 'on'], 'on'), ' off ')).toBe('off');
    expect(read(timeout('NAME', '1s'), ' 2s ')).toBe(2000);
  });

  it.each([7, true, ['a'], {}])('that is %j is refused once, as it is not text', (value) => {
    const refused = ['Cannot use NAME: it is not text, write it in quotes'];
    expect(read(text('NAME'), value)).toEqual(refused);
    expect(read(choice('NAME', ['off', 'on'], 'on'), value)).toEqual(refused);
    expect(read(timeout('NAME', '1s'), value)).toEqual(refused);
  });

  it('that cannot have its value is refused with the value and the remedy', () => {
    expect(read(choice('NAME', ['off', 'on'], 'on'), 'ON')).toEqual([
      'Cannot use NAME "ON": it is one of off, on',
    ]);
    expect(read(timeout('NAME', '1s'), '1h')).toEqual([
      'Cannot use NAME "1h": write a time from "50ms" to "10m", such as "10s"',
    ]);
  });
});

it('every problem of a parser is an issue', () => {
  const schema = v.pipe(
    v.string(),
    parsedBy((written) => (written === 'a' ? success(1) : failed(['one', 'two']))),
  );
  expect(read(schema, 'a')).toBe(1);
  expect(read(schema, 'b')).toEqual(['one', 'two']);
});
