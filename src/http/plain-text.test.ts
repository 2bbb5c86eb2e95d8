import { expect, it } from 'vitest';
import { errorText } from './plain-text.ts';

it.each([
  ['plain', 'plain (request r)\n'],
  ['two\nlines\tand\u0007bells', 'two lines and bells (request r)\n'],
])('%j is shown as %j', (text, shown) => expect(errorText(text, 'r')).toBe(shown));

it.each(['x'.repeat(5000), 'ä'.repeat(5000), '€'.repeat(5000), '😀'.repeat(5000)])(
  'a long text is cut to what a go command shows, between characters',
  (text) => {
    const shown = errorText(text, 'r');
    expect(new TextEncoder().encode(shown).length).toBeLessThanOrEqual(600);
    expect(shown).toMatch(/^(.)\1+… \(request r\)\n$/u);
  },
);
