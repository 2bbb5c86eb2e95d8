import type { ModulePath } from '../../module/module-path.ts';
import { matches, type Patterns } from '../../module/patterns.ts';
import type { AgeLimits, AgeLimitsOf } from './age.ts';

/** MIN_AGE, MIN_AGE_MODE and MIN_AGE_EXEMPT. */
export interface MinimumAge {
  /** In milliseconds; undefined where none is asked for. */
  readonly ms: number | undefined;
  /** Whether explicit versions are held to it too, or only lists, `@latest` and queries. */
  readonly mode: 'enforce' | 'discover';
  readonly exempt: Patterns;
}

/** The module of toolchains: a security release of Go must not wait. */
const TOOLCHAINS = 'golang.org/toolchain';

const NONE: AgeLimits = { explicitMs: undefined, listMs: undefined };

/**
 * The ages that modules are held to. A request may ask for a higher one for its lists, and never for
 * a lower one. Private modules and toolchains are exempt from both.
 */
export function ageLimits({ exempt, mode, ms }: MinimumAge, privateModules: Patterns): AgeLimitsOf {
  const isExempt = (module: ModulePath) =>
    module === TOOLCHAINS || matches(exempt, module) || matches(privateModules, module);
  return (module, cooldownMs) => {
    if (isExempt(module)) return NONE;
    const listMs = Math.max(ms ?? 0, cooldownMs ?? 0);
    return {
      explicitMs: mode === 'enforce' ? ms : undefined,
      listMs: listMs > 0 ? listMs : undefined,
    };
  };
}
