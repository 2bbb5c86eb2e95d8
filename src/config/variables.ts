import { parseTimeout, TIMEOUT_FORM } from './duration.ts';

/**
 * Variables as the runtime gives them: texts, bindings of other types, and whatever else somebody
 * wrote.
 */
export type Variables = Readonly<Record<string, unknown>>;

/**
 * Reads variables one by one, and collects what is wrong with them: the variable, its value and the
 * remedy.
 */
export class VariableReader {
  readonly problems: string[] = [];
  readonly #variables: Variables;
  readonly #defaults: Readonly<Record<string, string>>;
  readonly #refused = new Set<string>();

  constructor(variables: Variables, defaults: Readonly<Record<string, string>>) {
    this.#variables = variables;
    this.#defaults = defaults;
  }

  /**
   * The text of a variable without the spaces around it, or its default where it is empty or
   * absent.
   */
  text(name: string): string {
    const value = this.#variables[name] ?? '';
    if (typeof value === 'string') return value.trim() || (this.#defaults[name] ?? '');
    // wrangler takes any TOML value; one that is not read would be a protection that silently is
    // not there.
    if (!this.#refused.has(name))
      this.problems.push(`Cannot use ${name}: it is not text, write it in quotes`);
    this.#refused.add(name);
    return '';
  }

  /**
   * The value of a variable that is one of a few words; undefined, and a problem, when it is
   * another.
   */
  oneOf<T extends string>(name: string, ...values: readonly T[]): T | undefined {
    const value = this.text(name);
    const found = values.find((candidate) => candidate === value);
    if (!found)
      this.problems.push(
        `Cannot use ${name} ${JSON.stringify(value)}: it is one of ${values.join(', ')}`,
      );
    return found;
  }

  /** Milliseconds of a variable that is a timeout; 0, and a problem, when it is none. */
  timeout(name: string): number {
    const value = this.text(name);
    const ms = parseTimeout(value);
    if (ms === undefined)
      this.problems.push(`Cannot use ${name} ${JSON.stringify(value)}: write ${TIMEOUT_FORM}`);
    return ms ?? 0;
  }
}
