/**
 * What ALLOW and DENY say of modules and versions. DENY wins. With ALLOW, whatever it does not cover
 * is refused, private modules too.
 */
import type { ModulePath } from '../../module/module-path.ts';
import type { Version } from '../../module/version.ts';
import { isAbout, type Rule, type Rules, rulesFor } from './rules.ts';

/** The rules of a deployment. */
export interface Policy {
  readonly allow: Rules;
  readonly deny: Rules;
}

/** The entry that decides, and its variable. */
export interface Ground {
  readonly variable: 'ALLOW' | 'DENY';
  /** Absent where no entry covers the module. */
  readonly rule?: Rule | undefined;
}

/** What the rules say of a module. */
export type ModuleVerdict =
  /** No rule restricts its versions. `by` is the entry of ALLOW that covers it. */
  | { readonly kind: 'free'; readonly by?: Ground | undefined }
  /** Some versions may be had, others not. */
  | { readonly kind: 'by version'; readonly of: (version: Version) => VersionVerdict }
  | { readonly kind: 'refused'; readonly by: Ground }
  /**
   * ALLOW covers only what is below this path. The go command asks for every prefix of an import
   * path, and a refusal would end it.
   */
  | { readonly kind: 'prefix'; readonly by: Ground };

/** What the rules say of a version. */
export interface VersionVerdict {
  readonly isRefused: boolean;
  /** Absent where no entry says anything. */
  readonly by?: Ground | undefined;
}

export function judgeModule({ allow, deny }: Policy, module: ModulePath): ModuleVerdict {
  if (allow.length === 0 && deny.length === 0) return FREE;
  const denying = rulesFor(deny, module);
  const whole = denying.find(({ constraint }) => constraint === undefined);
  if (whole) return { kind: 'refused', by: { variable: 'DENY', rule: whole } };

  const allowing = rulesFor(allow, module);
  if (allow.length > 0 && allowing.length === 0) {
    const rule = allow.find(({ glob }) => glob.startsWith(`${module}/`) && !/[*?[\\]/.test(glob));
    return rule
      ? { kind: 'prefix', by: { variable: 'ALLOW', rule } }
      : { kind: 'refused', by: { variable: 'ALLOW' } };
  }
  const covering = allowing.find(({ constraint }) => constraint === undefined);
  const isFree = denying.length === 0 && (allow.length === 0 || covering);
  if (isFree) return covering ? { kind: 'free', by: { variable: 'ALLOW', rule: covering } } : FREE;
  return { kind: 'by version', of: (version) => judgeVersion({ allowing, denying }, version) };
}

const FREE: ModuleVerdict = { kind: 'free' };

interface RulesOfModule {
  /** Empty where there is no ALLOW. */
  readonly allowing: Rules;
  readonly denying: Rules;
}

function judgeVersion({ allowing, denying }: RulesOfModule, version: Version): VersionVerdict {
  const denied = denying.find((rule) => isAbout(rule, version));
  if (denied) return { isRefused: true, by: { variable: 'DENY', rule: denied } };
  if (allowing.length === 0) return { isRefused: false };
  const allowed = allowing.find((rule) => isAbout(rule, version));
  return { isRefused: !allowed, by: { variable: 'ALLOW', rule: allowed ?? allowing[0] } };
}
