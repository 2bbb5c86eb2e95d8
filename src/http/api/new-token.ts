import * as v from 'valibot';
import { SCOPES } from '../../access/scope.ts';
import { isTokenName, TOKEN_NAME_FORM } from '../../access/token.ts';
import { isTime } from '../../goproxy/check-answer.ts';
import { parsePatterns } from '../../module/patterns.ts';

/** The document of all tokens is read whole, so no token may be large. */
const MAX_GLOBS_LENGTH = 1_000;

const FIELDS = 'name, scope, expires and modules';

/** The body that makes a token. `now` is in milliseconds since the epoch. */
export function newTokenSchema(now: number) {
  return v.pipe(
    v.strictObject(
      {
        name: v.pipe(
          v.string(`write ${TOKEN_NAME_FORM}`),
          v.check(isNameInPath, ({ input }) => `write ${TOKEN_NAME_FORM}, not ${quoted(input)}`),
        ),
        scope: v.picklist(
          SCOPES,
          ({ input }) => `write one of ${SCOPES.join(', ')}, not ${quoted(input)}`,
        ),
        expires: v.optional(
          v.pipe(
            v.string(TIME_FORM),
            v.check(
              (time) => isTime(time),
              ({ input }) => `${TIME_FORM}, not ${quoted(input)}`,
            ),
            v.check(
              (time) => !isTime(time) || Date.parse(time) > now,
              ({ input }) => `${quoted(input)} is not in the future`,
            ),
          ),
        ),
        modules: v.optional(
          v.pipe(
            v.string(GLOBS_FORM),
            v.nonEmpty(GLOBS_FORM),
            v.maxLength(MAX_GLOBS_LENGTH, `write at most ${MAX_GLOBS_LENGTH} characters`),
            v.rawCheck(({ addIssue, dataset }) => {
              if (!dataset.typed || dataset.issues) return;
              const patterns = parsePatterns(dataset.value);
              if (!patterns.ok) addIssue({ message: patterns.reason.join('; ') });
            }),
          ),
        ),
      },
      ({ expected, input }) =>
        expected === 'never'
          ? `there is no such field: a token has ${FIELDS}`
          : expected === 'Object'
            ? `write an object with ${FIELDS}, not ${quoted(input)}`
            : 'it is missing',
    ),
    v.forward(
      v.check(
        ({ modules, scope }) => modules === undefined || scope === 'publish',
        'only a token with the scope publish has them',
      ),
      ['modules'],
    ),
  );
}

const TIME_FORM = 'write a time as in RFC 3339, such as "2030-01-31T00:00:00Z"';
const GLOBS_FORM = 'write globs as in GOPRIVATE, with commas between them';

/** A URL loses the path elements `.` and `..`, so a token of that name could not be revoked. */
function isNameInPath(name: string): boolean {
  return isTokenName(name) && name !== '.' && name !== '..';
}

/** A value as JSON, shortened. */
function quoted(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
