import { LOCAL, type Missing, type Refused } from '../../mirror/outcome.ts';
import type { Age } from './age.ts';
import type { Ground } from './judge.ts';

/** What an entry says, behind the name of what is refused. */
export function groundText({ rule, variable }: Ground): string {
  if (variable === 'DENY') return `DENY has ${JSON.stringify(rule?.text ?? '')}`;
  if (!rule) return 'no entry of ALLOW covers it';
  return `ALLOW has ${JSON.stringify(rule.text)}, which does not cover it`;
}

/** Why an age is not enough, behind the name of the version; undefined where it is. */
export function ageText(age: Age | undefined): string | undefined {
  switch (age?.kind) {
    case 'old':
      return undefined;
    case 'young':
      return `it is younger than the minimum age, and may be had from ${timeText(age.from)} on`;
    case 'uncovered':
      return `its age cannot be told: ${age.why}`;
    case 'unknown':
    case undefined:
      return `its age is not known yet: ${age?.why ?? 'ask again in a few seconds'}`;
  }
}

/**
 * A time in milliseconds since the epoch in RFC 3339 form, in UTC, as of the next whole second. One
 * that no calendar has is the last one that has such a form.
 */
export function timeText(ms: number): string {
  const inCalendar = Math.min(Math.ceil(ms / 1000) * 1000, Date.UTC(9999, 11, 31, 23, 59, 59));
  return `${new Date(inCalendar).toISOString().slice(0, 19)}Z`;
}

/** What the policy refuses. */
export function refusal(subject: string, why: string): Refused {
  return { kind: 'refused', text: `refused: ${subject}: ${why}`, source: LOCAL };
}

/** What does not exist for the go command because of the policy. */
export function absence(subject: string, why: string): Missing {
  const text = `not found: ${subject}: ${why}`;
  return { kind: 'missing', status: 404, text, cache: 'failure', source: LOCAL };
}
