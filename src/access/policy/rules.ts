import { failed, type Result, success } from '../../effects/result.ts';
import { matches, parsePatterns, type Patterns } from '../../module/patterns.ts';
import type { ModulePath } from '../../module/module-path.ts';
import type { Version } from '../../module/version.ts';
import { type Constraint, meets, parseConstraint } from './constraint.ts';

/** The entries of ALLOW or of DENY. */
export type Rules = readonly Rule[];

export interface Rule {
  /** The entry as it is written. */
  readonly text: string;
  /** The glob as it is written, without a slash at its end. */
  readonly glob: string;
  readonly modules: Patterns;
  /** Which versions of the modules it is about. Absent: all of them. */
  readonly constraint?: Constraint | undefined;
}

/**
 * Parses ALLOW or DENY: entries `glob` or `glob@constraint` with commas between them. Fails with a
 * sentence for each entry that cannot be parsed.
 */
export function parseRules(variable: string, text: string): Result<Rules, readonly string[]> {
  if (text === '') return success([]);
  const rules: Rule[] = [];
  const problems: string[] = [];
  for (const entry of text.split(',')) {
    const rule = parseRule(entry.trim());
    if (rule.ok) rules.push(rule.value);
    else
      problems.push(
        `Cannot parse ${variable}: entry ${JSON.stringify(entry.trim())}: ${rule.reason}`,
      );
  }
  return problems.length > 0 ? failed(problems) : success(rules);
}

function parseRule(text: string): Result<Rule> {
  const at = text.indexOf('@');
  const glob = (at < 0 ? text : text.slice(0, at)).trim().replace(/\/$/, '');
  if (glob === '') return failed('it names no module: write a glob such as github.com/acme/*');
  const modules = parsePatterns(glob);
  if (!modules.ok) return failed(modules.reason.join('; '));
  if (at < 0) return success({ text, glob, modules: modules.value });
  const constraint = parseConstraint(text.slice(at + 1));
  if (!constraint.ok) return constraint;
  return success({ text, glob, modules: modules.value, constraint: constraint.value });
}

/** The rules about a module, or about some of its versions. */
export function rulesFor(rules: Rules, module: ModulePath): Rules {
  return rules.filter((rule) => matches(rule.modules, module));
}

/** Whether a rule about a module is about this version of it. */
export function isAbout({ constraint }: Rule, version: Version): boolean {
  return constraint === undefined || meets(constraint, version);
}
