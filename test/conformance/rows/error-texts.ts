import { NEGATIVE } from '../headers.ts';
import { ownModule } from '../own-module.ts';
import type { Row } from '../row.ts';
import { failure, get, override } from '../steps.ts';

// Row 67: whatever text an origin sends, the error text has the shape that every answer is checked
// for (every-answer.ts).

const TEXTS: readonly (readonly [what: string, body: string | Uint8Array])[] = [
  ['terminal escapes', 'not found: \u001b[31mred\u001b[0m\u0007\u0000'],
  ['many lines', `not found:\r\n\r\n${'line\n'.repeat(40)}`],
  ['a long line', `not found: ${'x'.repeat(5000)}`],
  ['a long line of wide characters', `not found: ${'é€😀'.repeat(500)}`],
  ['marks that reverse the text', 'not found: \u202eevil\u2028\u200b'],
  ['bytes that are not UTF-8', Buffer.from([0x6e, 0xff, 0xfe, 0xc0, 0xae, 0x6e])],
  ['no characters', ''],
];

export const ERROR_TEXTS: readonly Row[] = TEXTS.map(([what, body], at) => {
  const module = ownModule(`error-text-${at}`);
  return {
    row: 67,
    title: `an error text of ${what} arrives as one printable line`,
    modules: [module],
    steps: [
      override(`/${module.path}/@v/list`, { status: 404, body }),
      get(`/${module.path}/@v/list`, failure(404, 1, NEGATIVE)),
    ],
  };
});
