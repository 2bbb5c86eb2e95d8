// Schemas of single variables. Each issue is a whole sentence: the variable, its value where that
// is no secret, and the remedy.
import * as v from 'valibot';
import { failed, success } from '../effects/result.ts';
import { isHost } from './address.ts';
import { COPY_AGE, parseAge, parseTimeout, TIMEOUT_FORM, VERSION_AGE } from './duration.ts';
import type { Parsed } from './problems.ts';

/** Variables as the runtime gives them: texts, bindings, and any other value of TOML or JSON. */
export type Variables = Readonly<Record<string, unknown>>;

/**
 * The text of a variable without the spaces around it, or its default where it is empty or absent.
 * wrangler takes any TOML value: one of another type is an issue, as a protection that is written
 * as a list would otherwise be missing without notice.
 */
export function text(name: string, defaultText = '') {
  return v.pipe(
    v.nullish(v.string(`Cannot use ${name}: it is not text, write it in quotes`), ''),
    v.trim(),
    v.transform((trimmed) => trimmed || defaultText),
  );
}

/** A variable that is one of a few words. */
export function choice<const Words extends readonly [string, ...string[]]>(
  name: string,
  words: Words,
  defaultWord: Words[number],
) {
  return v.pipe(
    text(name, defaultWord),
    v.picklist(words, ({ input }) => unusable(name, input, `it is one of ${words.join(', ')}`)),
  );
}

/** A variable that is a host name without a port, or empty. */
export function hostName(name: string, defaultText = '') {
  return v.pipe(
    text(name, defaultText),
    v.check(
      (host) => host === '' || (isHost(host) && URL.parse(`https://${host}/`)?.hostname === host),
      ({ input }) =>
        unusable(name, input, 'write a host name in lower case, such as go.example.com'),
    ),
  );
}

/** A variable that is a timeout, in milliseconds. */
export function timeout(name: string, defaultText: string) {
  return v.pipe(
    text(name, defaultText),
    parsedBy((written) => {
      const ms = parseTimeout(written);
      if (ms === undefined) return failed([unusable(name, written, `write ${TIMEOUT_FORM}`)]);
      return success(ms);
    }),
  );
}

/** A variable that bounds an age, in milliseconds. Empty: no bound. */
export function maximumAge(name: string, defaultText: string) {
  return v.pipe(
    text(name, defaultText),
    parsedBy((written) => {
      const ms = written === '' ? Infinity : parseAge(written, COPY_AGE);
      if (ms === undefined) return failed([unusable(name, written, `write ${COPY_AGE.form}`)]);
      return success(ms);
    }),
  );
}

/** A variable that is the least age of a version, in milliseconds. Empty: undefined. */
export function minimumAge(name: string, defaultText: string) {
  return v.pipe(
    text(name, defaultText),
    parsedBy((written) => {
      const ms = written === '' ? undefined : parseAge(written, VERSION_AGE);
      if (ms === undefined && written !== '')
        return failed([unusable(name, written, `write ${VERSION_AGE.form}`)]);
      return success(ms);
    }),
  );
}

/** What `parse` makes of a text. Each of its problems is an issue. */
export function parsedBy<T>(parse: (text: string) => Parsed<T>) {
  return v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
    const parsed = parse(dataset.value);
    if (parsed.ok) return parsed.value;
    for (const message of parsed.reason) addIssue({ message });
    return NEVER;
  });
}

/** The sentence for a value that a variable cannot have. */
export function unusable(name: string, value: unknown, remedy: string): string {
  return `Cannot use ${name} ${JSON.stringify(value)}: ${remedy}`;
}
