import { CHECKS } from './checks.ts';
import type { Check, Finding, Subject } from './check.ts';

const PAGE = 'docs/first-day.md';

export interface FirstDayOptions {
  readonly subject: Subject;
  readonly print: (line: string) => void;
}

/**
 * Runs the checks that can be run from outside and prints one line each. Resolves with whether
 * nothing is bad.
 */
export async function runFirstDay({ print, subject }: FirstDayOptions): Promise<boolean> {
  print(`The first day of ${subject.address}, with the files of ${subject.module}`);
  let isRight = true;
  for (const check of CHECKS) {
    const finding = await check.run?.(subject);
    print(lineOf(check, finding));
    if (finding?.verdict === 'bad') isRight = false;
    if (check.number === 1 && !isRight) {
      print('Without an answer of modferry the other checks mean nothing');
      return false;
    }
  }
  print(`"you": look yourself, ${PAGE} says how. "see": look at what the line names`);
  return isRight;
}

function lineOf({ number, title }: Check, finding: Finding | undefined): string {
  const start = `${String(number).padStart(2)} ${(finding?.verdict ?? 'you').padEnd(3)}`;
  return `${start} ${title}: ${finding?.text ?? `section ${number} of ${PAGE}`}`;
}
